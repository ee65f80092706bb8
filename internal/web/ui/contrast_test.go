package ui

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"
)

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	v, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil || len(hex) != 7 {
		t.Fatalf("%s is not a colour", hex)
	}
	part := func(shift uint) float64 {
		c := float64(v>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func TestContrast(t *testing.T) {
	raw, err := os.ReadFile("../../../design/tokens.json")
	if err != nil {
		t.Fatal(err)
	}
	var themes map[string]map[string]string
	if err := json.Unmarshal(raw, &themes); err != nil {
		t.Fatal(err)
	}
	grounds := []string{"bg", "surface", "sunken"}
	type pair struct {
		fore, back string
		least      float64
	}
	var pairs []pair
	for _, g := range grounds {
		for _, f := range []string{"text", "muted", "faint", "accent-text", "ok-text", "stop-text", "warn-text", "note-text", "price"} {
			pairs = append(pairs, pair{f, g, 4.5})
		}
		for _, f := range []string{"control", "accent", "focus", "ok", "stop", "note"} {
			pairs = append(pairs, pair{f, g, 3})
		}
	}
	for _, tone := range []string{"ok", "stop", "warn", "note", "accent"} {
		pairs = append(pairs, pair{tone + "-text", tone + "-soft", 4.5}, pair{"text", tone + "-soft", 4.5})
	}
	pairs = append(pairs,
		pair{"muted", "accent-soft", 4.5}, pair{"on-primary", "primary", 4.5}, pair{"on-primary", "primary-over", 4.5},
		pair{"price-on-primary", "primary", 4.5}, pair{"on-stop", "stop", 4.5}, pair{"on-accent", "accent", 3}, pair{"primary", "bg", 3},
		pair{"control", "accent-soft", 3}, pair{"focus", "accent-soft", 3},
	)
	for _, theme := range []string{"light", "dark"} {
		tok := themes[theme]
		for _, p := range pairs {
			a, b := luminance(t, tok[p.fore]), luminance(t, tok[p.back])
			if got := (max(a, b) + 0.05) / (min(a, b) + 0.05); got < p.least {
				t.Errorf("%s: %s %s on %s %s has %.2f, needs %.1f", theme, p.fore, tok[p.fore], p.back, tok[p.back], got, p.least)
			}
		}
		for name := range themes["light"] {
			if _, ok := themes["dark"][name]; !ok {
				t.Errorf("%s has no dark value", name)
			}
		}
	}
	for name, want := range map[string]string{"ink": "#14161a", "paper": "#faf8f4", "bronze": "#a8722d", "gold": "#d9a441", "ok": "#1f8a70", "stop": "#c8372d", "warn": "#c77f0a"} {
		if got := themes["light"][name]; got != want {
			t.Errorf("%s is %s, the look says %s", name, got, want)
		}
	}
}
