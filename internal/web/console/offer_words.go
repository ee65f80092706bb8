package console

import (
	"slices"
	"strconv"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/i18n"
	"hufu/internal/web/ui"
)

// dayWords is a day as people write it.
func (v *visit) dayWords(lang i18n.Lang, at time.Time) string {
	return ui.FormatDay(lang, at.In(v.c.Zone), v.c.now().In(v.c.Zone))
}

// releaseWords say when something is given, "" for at once.
func (v *visit) releaseWords(lang i18n.Lang, r catalogue.Release) string {
	if r.Every == catalogue.AtOnce {
		return ""
	}
	key := "compose.says." + string(r.Every)
	params := []string{"count", decimal(r.Count)}
	if r.From.IsZero() {
		key += ".purchase"
	} else {
		from := r.From.In(catalogue.Zone)
		params = append(params, "from", v.dayWords(lang, r.From), "day", strconv.Itoa(from.Day()), "weekday", lang.T("compose.weekday."+strconv.Itoa(int(from.Weekday()))))
	}
	text := lang.T(key, params...)
	if r.Every == catalogue.EveryMonth && !r.From.IsZero() && r.From.In(catalogue.Zone).Day() > 28 {
		text += lang.T("compose.says.short")
	}
	if r.CatchUp {
		text += lang.T("compose.says.catch_up")
	}
	if !r.Until.IsZero() {
		text += lang.T("compose.says.until", "until", v.dayWords(lang, r.Until))
	}
	return text
}

// validityWords say how long something counts whose own days are given; "" when nothing is
// known but what the benefit itself says.
func (v *visit) validityWords(lang i18n.Lang, w catalogue.Validity, own int64) string {
	switch {
	case w.From == catalogue.FromGrant && own == 0:
		return ""
	case w.From == catalogue.FromGrant:
		return lang.T("compose.valid.grant", "days", decimal(own))
	case w.From == catalogue.FromWindow:
		return lang.T("compose.valid.window", "start", v.momentWords(lang, w.Start), "end", v.momentWords(lang, w.End))
	}
	text := lang.T("compose.valid."+string(w.From), "days", decimal(w.Days))
	if w.Within > 0 {
		text += lang.T("compose.valid.within."+string(w.From), "days", decimal(w.Within))
	}
	return text
}

// momentWords is a moment as people write it, without the time at the beginning of a day.
func (v *visit) momentWords(lang i18n.Lang, at time.Time) string {
	if at.IsZero() {
		return "…"
	}
	at = at.In(v.c.Zone)
	if at.Hour() == 0 && at.Minute() == 0 {
		return v.dayWords(lang, at)
	}
	return ui.FormatTime(lang, at, v.c.now().In(v.c.Zone))
}

func pickText(lang i18n.Lang, t catalogue.Text) string { return lang.Pick(t.ZH, t.EN) }

// partWords is a sentence of what a part gives.
func (v *visit) partWords(lang i18n.Lang, p catalogue.Part) string {
	text := pickText(lang, p.Benefit.Name)
	if p.Quantity > 1 {
		text += " × " + decimal(p.Quantity)
	}
	colon := lang.T("compose.colon")
	for _, words := range []string{v.releaseWords(lang, p.Release), v.validityWords(lang, p.Validity, p.Benefit.ValidDays)} {
		if words != "" {
			text += colon + words
			colon = lang.T("compose.semicolon")
		}
	}
	return text + lang.T("compose.stop")
}

// choiceName is a choice with how many of its options are picked.
func (v *visit) choiceName(lang i18n.Lang, c catalogue.Content, ch catalogue.Choice) string {
	name := pickText(lang, ch.Name)
	if name == "" {
		name = lang.T("compose.choice", "n", strconv.Itoa(1+slices.IndexFunc(c.Choices, func(x catalogue.Choice) bool { return x.Key == ch.Key })))
	}
	return name + lang.T("compose.of", "k", decimal(ch.Pick), "n", strconv.Itoa(len(c.Options(ch.Key))))
}

// choiceWords is a sentence of what a choice gives.
func (v *visit) choiceWords(lang i18n.Lang, c catalogue.Content, ch catalogue.Choice) string {
	text := v.choiceName(lang, c, ch) + lang.T("compose.colon")
	if words := v.releaseWords(lang, ch.Release); words != "" {
		text += words + lang.T("compose.semicolon")
	}
	if ch.Later {
		key := "compose.says.later"
		if ch.Release.Every != catalogue.AtOnce {
			key += "_each"
		}
		return text + lang.T(key, "days", decimal(ch.Days), "k", decimal(ch.Pick)) + lang.T("compose.stop")
	}
	return text + lang.T("compose.says.now") + lang.T("compose.stop")
}

// contentWords are sentences of what a buyer gets, in the order of the form.
func (v *visit) contentWords(lang i18n.Lang, c catalogue.Content) []string {
	var out []string
	for _, p := range c.Parts {
		if p.Choice == "" {
			out = append(out, v.partWords(lang, p))
		}
	}
	for _, ch := range c.Choices {
		out = append(out, v.choiceWords(lang, c, ch))
		for _, i := range c.Options(ch.Key) {
			out = append(out, lang.T("compose.option")+v.partWords(lang, c.Parts[i]))
		}
	}
	return out
}
