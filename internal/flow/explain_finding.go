package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/i18n"
)

// shopZone is the zone in which days are told.
var shopZone = time.FixedZone("UTC+8", 8*3600)

// ExplainFinding says to a shopper in a language what a purchase means for their rights.
func ExplainFinding(lang i18n.Lang, f catalogue.Finding) string {
	return tell(lang, f, sentence(f))
}

// ExplainToStaff is ExplainFinding for who puts an offer together, whose buyer isn't known.
func ExplainToStaff(lang i18n.Lang, f catalogue.Finding) string {
	key := sentence(f)
	if f.Case == catalogue.NeedsMissing {
		key += "_staff"
	}
	return tell(lang, f, key)
}

// sentence is the message of a finding.
func sentence(f catalogue.Finding) string {
	switch {
	case f.Case == catalogue.ExtendsHeld && !f.Then.IsZero() && f.UnusedDays > 0:
		return "conflict.extends.unused_then"
	case f.Case == catalogue.ExtendsHeld && !f.Then.IsZero():
		return "conflict.extends.then"
	case f.Case == catalogue.ExtendsHeld && f.Days > 0 && f.UnusedDays > 0 && f.Until.IsZero():
		return "conflict.extends.days"
	case f.Case == catalogue.ExtendsHeld:
		return "conflict.extends.plain"
	case f.Case == catalogue.ExtendsInside && f.Days == 0:
		return "conflict.extends.inside_plain"
	case f.Case == catalogue.ExcludesHeld && f.Relation.Ever:
		return "conflict.excludes.ever"
	}
	return "conflict." + string(f.Case)
}

func tell(lang i18n.Lang, f catalogue.Finding, key string) string {
	return lang.T(key, "line", lang.Pick(f.Relation.Name.ZH, f.Relation.Name.EN), "wanted", subjects(lang, f.Wanted), "held", subjects(lang, f.Held),
		"until", day(f.Until), "then", day(f.Then), "unused", strconv.FormatInt(f.UnusedDays, 10), "total", strconv.FormatInt(f.Days+f.UnusedDays, 10))
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(shopZone).Format(time.DateOnly)
}

// subjects names benefits, each with how many and, of those held, how far they go.
func subjects(lang i18n.Lang, all []catalogue.Subject) string {
	var names []string
	for _, s := range all {
		name := lang.Pick(s.Name.ZH, s.Name.EN)
		if s.Quantity > 1 {
			name = lang.T("conflict.name.many", "name", name, "n", strconv.FormatInt(s.Quantity, 10))
		}
		switch {
		case s.Over:
			name = lang.T("conflict.name.over", "name", name)
		case s.Unpaid:
			name = lang.T("conflict.name.unpaid", "name", name)
		case s.Unused:
			name = lang.T("conflict.name.unused", "name", name)
		case !s.Ends.IsZero():
			name = lang.T("conflict.name.until", "name", name, "day", day(s.Ends))
		}
		names = append(names, name)
	}
	return strings.Join(names, lang.T("conflict.comma"))
}

// explained gives findings as the parameter "why" of a fault, in both languages.
func explained(all []catalogue.Finding) []string {
	out := []string{"why.zh", "", "why.en", ""}
	for i, lang := range i18n.Langs {
		var texts []string
		for _, f := range all {
			texts = append(texts, ExplainFinding(lang, f))
		}
		out[2*i+1] = strings.Join(texts, lang.T("conflict.space"))
	}
	return out
}

// acknowledged is what findings that ask to be acknowledged say in a language, one a line.
func acknowledged(lang i18n.Lang, all []catalogue.Finding) string {
	var lines []string
	for _, f := range catalogue.Of(all, catalogue.Acknowledge) {
		lines = append(lines, ExplainFinding(lang, f))
	}
	return strings.Join(lines, "\n")
}

// FindingsHash is SHA-256, in hexadecimal, of the text in a language of what findings ask to be
// acknowledged; "" when they ask for nothing.
func FindingsHash(lang i18n.Lang, all []catalogue.Finding) string {
	text := acknowledged(lang, all)
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Agreement is the text that somebody said to have understood of what a purchase or a pick means
// for their rights.
type Agreement struct {
	Hash string    `json:"hash"` // see FindingsHash
	Lang i18n.Lang `json:"lang"`
	Text string    `json:"text"`
}

// agreed fails when findings forbid what is asked for, or have to be acknowledged and what was,
// by its hash, is another text, in whatever language. area is what was asked for: "order" or
// "right". Without anything to acknowledge the agreement is nil.
func agreed(found []catalogue.Finding, said, area string) (*Agreement, error) {
	if all := catalogue.Of(found, catalogue.Block); len(all) > 0 {
		return nil, refusal(area+".conflict", all)
	}
	all := catalogue.Of(found, catalogue.Acknowledge)
	switch {
	case len(all) == 0:
		return nil, nil
	case said == "":
		return nil, refusal(area+".conflict_unread", all)
	}
	for _, lang := range i18n.Langs {
		if FindingsHash(lang, found) == said {
			return &Agreement{said, lang, acknowledged(lang, found)}, nil
		}
	}
	return nil, refusal(area+".conflict_changed", all)
}
