package web

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/fault"
	"hufu/internal/flow/terms"
	"hufu/internal/i18n"
	"hufu/internal/order"
	"hufu/internal/web/ui"
)

// bundleView is what one unit of an offer gives, part by part.
type bundleView struct {
	Fixed  []giftLine
	Now    []choiceView // picked when ordering
	Later  []choiceView // picked after the purchase
	Single bool         // one part, given at once: its name says it all
}

// giftLine is a part with when it comes and how long it counts.
type giftLine struct {
	Name, Provider, ProviderID string
	Words                      []string
	Dates                      []string // of its releases, when there are several
}

// choiceView is k of n.
type choiceView struct {
	Field   string // the name of its boxes
	Name    string
	Pick    string
	One     bool
	Words   []string
	Dates   []string
	Options []optionView
	Error   string
}

type optionView struct {
	giftLine
	Value   string
	Checked bool
	Out     bool // sold out
	// Tells is what having it means for what the shopper holds; Barred is set when that forbids it.
	Tells  []string
	Barred bool
}

// pickField is the name of the fields in which the options of a choice travel.
const pickField = "pick."

// maxPicks is how many options a form may pick in all; content holds no more parts.
const maxPicks = 50

// picks reads what was picked, in any number of fields "pick.KEY" that name parts. It asks
// nobody what can be picked.
func (in input) picks() (order.Picks, error) {
	var out order.Picks
	n := 0
	for name, all := range in.values {
		key, ok := strings.CutPrefix(name, pickField)
		if !ok {
			continue
		}
		for _, text := range all {
			part, err := strconv.Atoi(text)
			if n++; err != nil || part < 0 || strconv.Itoa(part) != text || key == "" || n > maxPicks || slices.Contains(out[key], part) {
				return nil, fault.New(fault.Invalid, "http.form")
			}
			if out == nil {
				out = order.Picks{}
			}
			out[key] = append(out[key], part)
		}
		slices.Sort(out[key])
	}
	return out, nil
}

// pickQuery is picks as a part of an address: "&pick.KEY=0" for each, in order.
func pickQuery(p order.Picks) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(p)) {
		for _, part := range p[key] {
			b.WriteString("&" + pickField + key + "=" + strconv.Itoa(part))
		}
	}
	return b.String()
}

// unpicked are the choices of a content that picks don't make, as faults at their fields.
func unpicked(c catalogue.Content, p order.Picks, f *fault.Error) {
	for _, ch := range c.Choices {
		if ch.Later {
			continue
		}
		alone := catalogue.Content{Parts: c.Parts, Choices: []catalogue.Choice{ch}}
		var mine order.Picks
		if len(p[ch.Key]) > 0 {
			mine = order.Picks{ch.Key: p[ch.Key]}
		}
		if alone.CheckPicks(mine, "") != nil {
			f.At(pickField+ch.Key, "order.picks", append(ch.Name.Param("choice"), "count", strconv.FormatInt(ch.Pick, 10))...)
		}
	}
}

// bundleOf tells what an offer gives who buys it at a moment; what was picked is ticked.
func bundleOf(lang i18n.Lang, g goods, picks order.Picks, now time.Time) bundleView {
	c := g.Version.Content
	v := bundleView{Single: len(c.Parts) == 1 && c.Plain() && c.Parts[0].Validity == catalogue.Validity{}}
	for _, p := range c.Parts {
		if p.Choice == "" {
			v.Fixed = append(v.Fixed, gift(lang, p, p.Release, now))
		}
	}
	for _, ch := range c.Choices {
		one := choiceView{Field: pickField + ch.Key, Name: pick(lang, ch.Name), Pick: strconv.FormatInt(ch.Pick, 10), One: ch.Pick == 1}
		one.Words, one.Dates = releaseWords(lang, ch.Release, now)
		options := c.Options(ch.Key)
		for _, n := range options {
			o := optionView{giftLine: gift(lang, c.Parts[n], catalogue.Release{}, now), Value: strconv.Itoa(n), Checked: slices.Contains(picks[ch.Key], n), Out: slices.Contains(g.Gone, n)}
			one.Options = append(one.Options, o)
		}
		if !ch.Later {
			v.Now = append(v.Now, one)
			continue
		}
		one.Words = append(one.Words, terms.LaterWords(lang, c, ch))
		v.Later = append(v.Later, one)
	}
	return v
}

// errors puts what is wrong with picks beside the choices.
func (v *bundleView) errors(all map[string]string) {
	for i := range v.Now {
		v.Now[i].Error = all[v.Now[i].Field]
	}
}

// pickedWords are the names of what was picked, a choice a line.
func pickedWords(lang i18n.Lang, c catalogue.Content, picks order.Picks) []string {
	var out []string
	for _, ch := range c.Choices {
		var names []string
		for _, n := range picks[ch.Key] {
			if n >= 0 && n < len(c.Parts) {
				names = append(names, pick(lang, c.Parts[n].Benefit.Name))
			}
		}
		if len(names) > 0 {
			out = append(out, lang.T("shop.bundle.picked", "choice", pick(lang, ch.Name), "names", strings.Join(names, lang.T("shop.comma"))))
		}
	}
	return out
}

func gift(lang i18n.Lang, p catalogue.Part, r catalogue.Release, now time.Time) giftLine {
	g := giftLine{Name: pick(lang, p.Benefit.Name), Provider: pick(lang, p.Benefit.Provider.Name), ProviderID: p.Benefit.Provider.Key}
	if p.Quantity > 1 {
		g.Name += " × " + strconv.FormatInt(p.Quantity, 10)
	}
	g.Words, g.Dates = releaseWords(lang, r, now)
	if words := terms.ValidityWords(lang, p.Validity); words != "" {
		g.Words = append(g.Words, words)
	}
	return g
}

// releaseWords tell when something comes to who buys it at a moment: how often, what at once,
// and when the next and the last; and all the days.
func releaseWords(lang i18n.Lang, r catalogue.Release, now time.Time) (words, dates []string) {
	if r.Every == catalogue.AtOnce {
		return nil, nil
	}
	times := r.Times(now)
	words = append(words, lang.T("shop.bundle.every."+string(r.Every), "n", strconv.Itoa(len(times))))
	atOnce := 0
	for _, at := range times {
		if !at.After(now) {
			atOnce++
			continue
		}
		dates = append(dates, dayWords(lang, at, now))
	}
	switch {
	case len(times) == 0:
		words = []string{lang.T("shop.bundle.over")}
	case atOnce == 1:
		words = append(words, lang.T("shop.bundle.first_now"))
	case atOnce > 1:
		words = append(words, lang.T("shop.bundle.several_now", "n", strconv.Itoa(atOnce)))
	}
	if len(dates) > 0 {
		words = append(words, lang.T("shop.bundle.next", "date", dates[0]))
	}
	if len(dates) > 1 {
		words = append(words, lang.T("shop.bundle.last", "date", dates[len(dates)-1]))
	}
	return words, dates
}

func dayWords(lang i18n.Lang, at, now time.Time) string {
	return ui.FormatDay(lang, at.In(zone), now.In(zone))
}
