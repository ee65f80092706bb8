package terms

import (
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/i18n"
)

// zone is where the days of terms are told: China Standard Time.
var zone = time.FixedZone("UTC+8", 8*3600)

// Separate says that the providers' accounts are apart; "" for a single provider.
func Separate(l i18n.Lang, all []catalogue.Provider) string {
	if len(all) < 2 {
		return ""
	}
	return l.T("shop.terms.accounts.text", "n", strconv.Itoa(len(all)), "names", Names(l, all))
}

// Names lists the names of providers.
func Names(l i18n.Lang, all []catalogue.Provider) string {
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = pick(l, p.Name)
	}
	return strings.Join(names, l.T("shop.comma"))
}

// choices are the terms of what is chosen. They name no day that follows from when one buys.
func choices(l i18n.Lang, c catalogue.Content) []Term {
	var out []Term
	for _, ch := range c.Choices {
		text := l.T("shop.bundle.of", "pick", strconv.FormatInt(ch.Pick, 10), "n", strconv.Itoa(len(c.Options(ch.Key))))
		if ch.Release.Every != catalogue.AtOnce {
			text += l.T("shop.semicolon") + releaseWords(l, ch.Release)
		}
		text += l.T("shop.semicolon")
		if ch.Later {
			text += LaterWords(l, c, ch)
		} else {
			text += l.T("shop.bundle.when_ordering")
		}
		out = append(out, Term{Choice, pick(l, ch.Name), text})
	}
	return out
}

// ValidityWords say how long a part counts where the offer says otherwise than its benefit.
func ValidityWords(l i18n.Lang, w catalogue.Validity) string {
	days := strconv.FormatInt(w.Days, 10)
	switch w.From {
	case catalogue.FromGrant:
		return ""
	case catalogue.FromWindow:
		return l.T("shop.bundle.valid.window", "start", w.Start.In(zone).Format("2006-01-02"), "end", w.End.In(zone).Format("2006-01-02 15:04"))
	}
	text := l.T("shop.bundle.valid."+string(w.From), "days", days)
	if w.Within > 0 {
		text += l.T("shop.bundle.within."+string(w.From), "days", strconv.FormatInt(w.Within, 10))
	}
	return text
}

// LaterWords say until when something is picked that is picked later, and what happens to who
// doesn't.
func LaterWords(l i18n.Lang, c catalogue.Content, ch catalogue.Choice) string {
	key := "shop.bundle.later"
	if ch.Release.Every != catalogue.AtOnce {
		key += "_each"
	}
	return l.T(key, "days", strconv.FormatInt(ch.Days, 10), "names", OptionNames(l, c, c.Defaults(ch)))
}

// OptionNames lists the names of parts.
func OptionNames(l i18n.Lang, c catalogue.Content, parts []int) string {
	names := make([]string, len(parts))
	for i, n := range parts {
		names[i] = pick(l, c.Parts[n].Benefit.Name)
	}
	return strings.Join(names, l.T("shop.comma"))
}

func releaseWords(l i18n.Lang, r catalogue.Release) string {
	text := l.T("shop.bundle.every."+string(r.Every), "n", strconv.FormatInt(r.Count, 10))
	if !r.From.IsZero() {
		text += l.T("shop.bundle.from", "date", r.From.In(zone).Format("2006-01-02"))
		if r.CatchUp {
			text += l.T("shop.bundle.catch_up")
		} else {
			text += l.T("shop.bundle.gone_by")
		}
	}
	if !r.Until.IsZero() {
		text += l.T("shop.bundle.until", "date", r.Until.In(zone).Format("2006-01-02"))
	}
	return text
}
