package terms

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hufu/internal/catalogue"
	"hufu/internal/i18n"
	"hufu/internal/money"
)

func content() catalogue.Content {
	text := func(s string) catalogue.Text { return catalogue.Text{ZH: "中" + s, EN: s} }
	part := func(name, provider string) catalogue.Part {
		return catalogue.Part{Quantity: 1, Benefit: catalogue.Benefit{Name: text(name), Kind: "membership", Provider: catalogue.Provider{Key: provider, Name: text(provider)},
			Disclosure: catalogue.Disclosure{AccountType: text("a"), Scope: text("s"), Devices: text("d"), Validity: text("v"), HowToUse: text("first\r\n\r\nthen\n"), Refund: text("r")}}}
	}
	return catalogue.Content{Title: text("t"), Price: money.Of(100, money.CNY), MaxPerOrder: 3, Parts: []catalogue.Part{part("one", "p"), part("two", "q")}}
}

// The text is read back as it was written, whatever an operator wrote into it, and says who
// the providers are.
func TestTheTextOfTerms(t *testing.T) {
	sheet := In(i18n.EN, content())
	if sheet.Hash != Hash(sheet.Text) || sheet.Hash == In(i18n.ZH, content()).Hash || len(sheet.Hash) != 64 {
		t.Errorf("%+v", sheet)
	}
	all := Split(sheet.Text)
	if len(all) != 3 || all[1].Title != "one · p" || !strings.Contains(all[1].Body, ": first\n  then\n") || !strings.Contains(all[0].Body, "p, q") {
		t.Errorf("%q", all)
	}
	if text := Text(i18n.ZH, Of(i18n.ZH, content())); !strings.Contains(text, "中one · 中p\n") {
		t.Errorf("%s", text)
	}
}

func TestNoWordForgesATerm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := content()
		words := rapid.StringOf(rapid.SampledFrom([]rune("a\n\r \t:·\u2028中"))).Draw(t, "words")
		c.Parts[0].Benefit.Name.EN, c.Parts[1].Benefit.Disclosure.Refund.EN = "x"+words, "x"+words
		text := In(i18n.EN, c).Text
		if all := Split(text); len(all) != 3 || !strings.HasSuffix(all[1].Title, " · p") || !strings.HasSuffix(all[2].Title, " · q") {
			t.Fatalf("%q", text)
		}
		for line := range strings.Lines(text) {
			if strings.TrimSpace(line) == "" && line != "\n" {
				t.Fatalf("%q", text)
			}
		}
	})
}
