package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"hufu/internal/i18n"
)

func hufu(t *testing.T, lang i18n.Lang, args ...string) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	status = run(t.Context(), &env{stdin: strings.NewReader(""), out: &o, err: &e, lookup: func(string) (string, bool) { return "", false }, lang: lang}, args)
	return status, o.String(), e.String()
}

func TestEveryCommandExplainsItselfInBothLanguages(t *testing.T) {
	for name, c := range commands {
		for _, lang := range i18n.Langs {
			status, out, _ := hufu(t, lang, append([]string{"help"}, strings.Fields(name)...)...)
			if status != 0 || strings.Contains(out, "⟦") {
				t.Errorf("hufu help %s in %s: status %d\n%s", name, lang, status, out)
			}
		}
		f := flag.NewFlagSet(name, flag.ContinueOnError)
		if c.flags != nil {
			c.flags(&env{}, f)
		}
		f.VisitAll(func(fl *flag.Flag) {
			if !i18n.Has(fl.Usage) {
				t.Errorf("hufu %s --%s has no message for its usage %q", name, fl.Name, fl.Usage)
			}
		})
	}
}

func TestWhatIsNotUnderstoodExitsWithTwo(t *testing.T) {
	for _, args := range [][]string{{}, {"nonsense"}, {"serve", "--nonsense"}, {"serve", "extra"}, {"import"}, {"bench", "purchase", "--clients", "none"}, {"serve", "--config", "no-such-file"}} {
		if status, _, errs := hufu(t, i18n.ZH, args...); status != 2 || errs == "" {
			t.Errorf("hufu %v: status %d, %q", args, status, errs)
		}
	}
}

func TestFaultsAreToldInTheTerminalsLanguage(t *testing.T) {
	for lang, want := range map[i18n.Lang]string{i18n.ZH: "不认识的存储地址", i18n.EN: "is not understood"} {
		if status, _, errs := hufu(t, lang, "migrate", "--store", "mysql://x"); status != 1 || !strings.Contains(errs, want) {
			t.Errorf("%s: status %d, %q", lang, status, errs)
		}
	}
}

// englishOf are the English messages of areas.
func englishOf(t *testing.T, areas ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, area := range areas {
		raw, err := os.ReadFile("../../internal/i18n/messages/" + area + ".en.json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &all); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
