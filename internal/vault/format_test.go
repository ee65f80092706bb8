package vault

import (
	"strings"
	"testing"

	"hufu/internal/fault"

	"pgregory.net/rapid"
)

func drawFormat(t *rapid.T) Format {
	return Format{
		Prefix:     rapid.StringMatching(`[A-Z0-9]{0,12}`).Draw(t, "prefix"),
		Group:      rapid.IntRange(0, maxGroup).Draw(t, "group"),
		SecretBits: rapid.IntRange(MinSecretBits, MaxSecretBits).Draw(t, "bits"),
	}
}

func drawCode(t *rapid.T, f Format) string {
	body := rapid.SliceOfN(rapid.ByteRange(0, 31), f.Symbols(), f.Symbols()).Draw(t, "body")
	return codeOf(f, body)
}

func codeOf(f Format, body []byte) string {
	text := []byte(f.Prefix)
	for _, v := range appendChecks(append([]byte(nil), body...), f.checks()) {
		text = append(text, alphabet[v])
	}
	return string(text)
}

func TestDefaultFormatIsSixGroupsOfFour(t *testing.T) {
	f := DefaultFormat
	if f.Symbols() != 23 || f.Length() != 24 {
		t.Fatalf("body %d, whole %d", f.Symbols(), f.Length())
	}
	if got := f.Display(codeOf(f, make([]byte, 23))); got != "0000-0000-0000-0000-0000-0000" {
		t.Error(got)
	}
	f.Prefix = "HUFU"
	if got := f.Display(codeOf(f, make([]byte, 23))); got != "HUFU-0000-0000-0000-0000-0000-0000" {
		t.Error(got)
	}
}

func TestValidateRefuses(t *testing.T) {
	for code, f := range map[string]Format{
		"vault.format_prefix":  {Prefix: "hufu", Group: 4, SecretBits: 80},
		"vault.format_group":   {Group: -1, SecretBits: 80},
		"vault.format_bits":    {Group: 4, SecretBits: 79},
		"vault.format_machine": {Machine: true, SecretBits: 127},
	} {
		if err := f.Validate(); fault.CodeOf(err) != code {
			t.Errorf("%+v: %v, want %s", f, err, code)
		}
	}
	for _, f := range []Format{{Prefix: "ABCDEFGHIJKLM", SecretBits: 80}, {Prefix: "A-B", SecretBits: 80}, {Group: 13, SecretBits: 80}, {SecretBits: 131}} {
		if f.Validate() == nil {
			t.Errorf("%+v was taken", f)
		}
	}
	for _, f := range []Format{DefaultFormat, MachineFormat, {SecretBits: MaxSecretBits}} {
		if err := f.Validate(); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

// One check symbol covers as many positions as g has powers, so no code has more for each.
func TestCheckSymbolsCoverEveryLength(t *testing.T) {
	for bits := MinSecretBits; bits <= MaxSecretBits; bits++ {
		f := Format{SecretBits: bits}
		n := f.Symbols() + f.checks()
		if each := (n + f.checks() - 1) / f.checks(); each > checkedSpots || n > maxSpots {
			t.Errorf("%d bits: %d positions, %d for a check symbol", bits, n, each)
		}
		if wants := map[bool]int{true: 1, false: 2}[bits <= 115]; f.checks() != wants {
			t.Errorf("%d bits have %d check symbols", bits, f.checks())
		}
	}
}

// S1: a code that nobody types has 128 random bits or more, in one piece unless it is asked for.
func TestMachineFormat(t *testing.T) {
	f := MachineFormat
	if secret := 5*f.Symbols() - CounterBits; secret < 128 {
		t.Errorf("%d random bits", secret)
	}
	code := codeOf(f, make([]byte, f.Symbols()))
	if f.Length() != 35 || f.Display(code) != code {
		t.Errorf("%d symbols, shown as %s", f.Length(), f.Display(code))
	}
}

// The generator's powers are all different: the whole proof of the check symbol.
func TestPowersOfGeneratorRunThroughTheField(t *testing.T) {
	seen := map[byte]bool{}
	for v, i := byte(1), 0; i < checkedSpots; v, i = times2(v), i+1 {
		if v == 0 || seen[v] {
			t.Fatalf("g^%d = %d comes again", i, v)
		}
		seen[v] = true
	}
}

// Every substitution of one symbol and every exchange of two is found, in every format
// length, over random codes.
func TestCheckSymbolFindsEveryMistake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Format{SecretBits: rapid.IntRange(MinSecretBits, MaxSecretBits).Draw(t, "bits")}
		code := []byte(drawCode(t, f))
		if _, err := f.Parse(string(code)); err != nil {
			t.Fatal(err)
		}
		for i, was := range code {
			for _, c := range []byte(alphabet) {
				if c == was {
					continue
				}
				code[i] = c
				if _, err := f.Parse(string(code)); fault.CodeOf(err) != "vault.code_typo" {
					t.Fatalf("position %d, %c for %c: %v", i, c, was, err)
				}
			}
			code[i] = was
		}
		for i := range code {
			for j := range i {
				if code[i] == code[j] {
					continue
				}
				code[i], code[j] = code[j], code[i]
				if _, err := f.Parse(string(code)); fault.CodeOf(err) != "vault.code_typo" {
					t.Fatalf("exchange of %d and %d: %v", i, j, err)
				}
				code[i], code[j] = code[j], code[i]
			}
		}
	})
}

// However a code is spelled by a person, its canonical text is one.
func TestParseIsGenerousAndExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFormat(t)
		code := drawCode(t, f)
		spelled := f.Display(code)
		if rapid.Bool().Draw(t, "without prefix") {
			spelled = code[len(f.Prefix):]
		}
		var b strings.Builder
		for _, r := range spelled {
			switch rapid.IntRange(0, 7).Draw(t, "how") {
			case 0:
				r = []rune(strings.ToLower(string(r)))[0]
			case 1:
				if r > ' ' && r <= '~' {
					r += '！' - '!'
				}
			case 2:
				b.WriteString(rapid.SampledFrom([]string{" ", "-", "\u3000", "—", "\u200b", "\t"}).Draw(t, "filler"))
			case 3:
				if r == '0' {
					r = rapid.SampledFrom([]rune("Oo0Ｏ")).Draw(t, "zero")
				}
			case 4:
				if r == '1' {
					r = rapid.SampledFrom([]rune("IiLl1")).Draw(t, "one")
				}
			}
			b.WriteRune(r)
		}
		got, err := f.Parse(b.String())
		if err != nil || got != code {
			t.Fatalf("Parse(%q) = %q, %v; want %q", b.String(), got, err, code)
		}
	})
}

func TestParseSaysTypoOrForm(t *testing.T) {
	f := Format{Prefix: "HUFU", Group: 4, SecretBits: 80}
	body := strings.Repeat("0", 24)
	for text, want := range map[string]string{
		"": "vault.code_empty", " - ": "vault.code_empty",
		body[:23]:                "vault.code_form",
		body + "0":               "vault.code_form",
		"HUFO" + body:            "vault.code_form",
		"SHOP" + body:            "vault.code_form",
		body[:23] + "é":          "vault.code_form",
		body[:23] + "\x00":       "vault.code_form",
		body[:23] + "U":          "vault.code_typo",
		body[:23] + "1":          "vault.code_typo",
		strings.Repeat(" ", 999): "vault.code_form",
		"\xff\xfe":               "vault.code_form",
	} {
		_, err := f.Parse(text)
		if fault.CodeOf(err) != want {
			t.Errorf("Parse(%q): %v, want %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	format := Format{Prefix: "HUFU", Group: 4, SecretBits: 80}
	f.Add("HUFU-0000-0000-0000-0000-0000-0000")
	f.Add("ｈｕｆｕ　oooo")
	f.Fuzz(func(t *testing.T, text string) {
		code, err := format.Parse(text)
		if err != nil {
			return
		}
		again, err := format.Parse(format.Display(code))
		if err != nil || again != code || len(code) != format.Length() {
			t.Fatalf("%q became %q, then %q, %v", text, code, again, err)
		}
	})
}
