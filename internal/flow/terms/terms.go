// Package terms puts into words what must be known of an offer before it is paid for
// (购前告知). Pages show these words, and one text of them is hashed, accepted by the shopper and
// kept with the order: whoever asks, page or API, is told and accepts the same.
package terms

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/catalogue"
	"hufu/internal/i18n"
)

// Topic says what a term is about.
type Topic string

// The topics of terms.
const (
	Delivery Topic = "delivery"
	Limit    Topic = "limit"
	Accounts Topic = "accounts" // of several providers
	Choice   Topic = "choice"   // k of n
	Arrives  Topic = "arrives"  // what it waits for
	Release  Topic = "release"  // by when it is given
	Counts   Topic = "counts"   // how long it counts, where the offer says so
	Account  Topic = "account"
	Scope    Topic = "scope"
	Devices  Topic = "devices"
	Validity Topic = "validity"
	HowToUse Topic = "how"
	Refund   Topic = "refund"
)

// Term is one sentence or more under a label.
type Term struct {
	Topic       Topic
	Label, Text string
}

// Group is what there is to know of the whole order, or of one part of it.
type Group struct {
	Name        string
	Provider    string // "" for the whole order
	ProviderKey string
	Terms       []Term
}

// Of is everything there is to know before paying, in a language: what holds for the whole
// order, then each benefit. It depends on nothing but the content, so that it is the same to
// everybody and on every day.
func Of(l i18n.Lang, c catalogue.Content) []Group {
	delivery := "shop.terms.delivery.text"
	later := slices.ContainsFunc(c.Choices, func(ch catalogue.Choice) bool { return ch.Later || ch.Release.Every != catalogue.AtOnce })
	if later || slices.ContainsFunc(c.Parts, func(p catalogue.Part) bool {
		return p.Benefit.Waits() != catalogue.WaitNothing || p.Release.Every != catalogue.AtOnce
	}) {
		delivery = "shop.terms.delivery.waits"
	}
	whole := Group{Name: l.T("shop.terms.order"), Terms: []Term{
		{Delivery, l.T("shop.terms.delivery"), l.T(delivery)},
		{Limit, l.T("shop.terms.limit"), l.T("shop.terms.limit.text", "n", strconv.FormatInt(c.MaxPerOrder, 10))},
	}}
	if text := Separate(l, c.Providers()); text != "" {
		whole.Terms = append(whole.Terms, Term{Accounts, l.T("shop.terms.accounts"), text})
	}
	whole.Terms = append(whole.Terms, choices(l, c)...)
	out := []Group{whole}
	for _, p := range c.Parts {
		out = append(out, ofPart(l, p))
	}
	return out
}

func ofPart(l i18n.Lang, p catalogue.Part) Group {
	b := p.Benefit
	g := Group{Name: pick(l, b.Name), Provider: pick(l, b.Provider.Name), ProviderKey: b.Provider.Key}
	if p.Quantity > 1 {
		g.Name += " × " + strconv.FormatInt(p.Quantity, 10)
	}
	if w := b.Waits(); w != catalogue.WaitNothing {
		g.Terms = append(g.Terms, Term{Arrives, l.T("shop.terms.arrives"), l.T("kind.waits." + string(w) + ".terms")})
	}
	if p.Release.Every != catalogue.AtOnce {
		g.Terms = append(g.Terms, Term{Release, l.T("shop.bundle.release"), releaseWords(l, p.Release)})
	}
	if words := ValidityWords(l, p.Validity); words != "" {
		g.Terms = append(g.Terms, Term{Counts, l.T("shop.bundle.counts"), words})
	}
	for _, t := range []struct {
		topic Topic
		text  catalogue.Text
	}{
		{Account, b.Disclosure.AccountType}, {Scope, b.Disclosure.Scope}, {Devices, b.Disclosure.Devices},
		{Validity, b.Disclosure.Validity}, {HowToUse, b.Disclosure.HowToUse}, {Refund, b.Disclosure.Refund},
	} {
		g.Terms = append(g.Terms, Term{t.topic, l.T("shop.terms." + string(t.topic)), pick(l, t.text)})
	}
	return g
}

// Sheet is the one text of the terms of a content in a language, and its hash: what a shopper
// accepts, and what an order keeps.
type Sheet struct {
	Lang i18n.Lang
	Text string
	Hash string
}

// In is the sheet of a content in a language.
func In(l i18n.Lang, c catalogue.Content) Sheet {
	text := Text(l, Of(l, c))
	return Sheet{l, text, Hash(text)}
}

// Text writes groups as plain text: a group's name and provider on a line, then each term on a
// line of its own, what an operator broke into lines set in by two spaces; an empty line stands
// between groups and nowhere else. Split reads it back.
func Text(l i18n.Lang, groups []Group) string {
	var b strings.Builder
	for i, g := range groups {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(flat(g.Name))
		if g.Provider != "" {
			b.WriteString(" · " + flat(g.Provider))
		}
		b.WriteByte('\n')
		for _, t := range g.Terms {
			b.WriteString(flat(t.Label) + l.T("shop.colon") + strings.Join(lines(t.Text), "\n  ") + "\n")
		}
	}
	return b.String()
}

// Section is a part of a text: its first line, and the rest.
type Section struct{ Title, Body string }

// Split cuts a text at its empty lines.
func Split(text string) []Section {
	var out []Section
	for part := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n\n") {
		title, body, _ := strings.Cut(part, "\n")
		out = append(out, Section{title, body})
	}
	return out
}

// Hash is SHA-256, in hexadecimal, of a text in UTF-8.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// lines are those of a text that hold anything.
func lines(text string) []string {
	var out []string
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029' }) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func flat(text string) string { return strings.Join(lines(text), " ") }

func pick(l i18n.Lang, t catalogue.Text) string { return l.Pick(t.ZH, t.EN) }
