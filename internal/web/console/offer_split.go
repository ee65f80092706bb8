package console

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/web/ui"
)

// splitView is what the parts come to for who buys now: the split of the price, the dates of
// the releases, and what a shopper gets in words.
type splitView struct {
	Lines   []splitLine
	Sum     string
	Note    string // by what the price is split
	Off     string // how the declared shares miss the price
	Worth   string // what the parts cost one by one
	Dates   []splitDates
	Says    []splitSays
	Sums    []splitSum
	Nothing bool
}

type splitLine struct {
	Name, Each, Amount string
	Percent            int64
}

type splitDates struct {
	Name string
	Days []string
	Rest int // dates between those shown and the last
	Last string
	Over bool // all have gone by
}

// splitSays is a sentence in both languages.
type splitSays struct{ ZH, EN string }

// splitSum is what a row says of itself while it is folded.
type splitSum struct{ Name, Text string }

// split is the price of a content over its parts and choices, in minor units.
type split struct {
	parts, choices []int64 // parts by their index: those of options are zero
	gifts          []catalogue.Gift
	each           [][]int64 // of each gift, at each time and for each unit
}

// splitPrice splits the price over who buys at a moment and picks the first options. It is
// false while there is no price, or nothing to split it over.
func splitPrice(c catalogue.Content, now time.Time) (split, bool) {
	s := split{parts: make([]int64, len(c.Parts)), choices: make([]int64, len(c.Choices))}
	picks := catalogue.Picks{}
	for _, ch := range c.Choices {
		if !ch.Later && ch.Pick > 0 {
			picks[ch.Key] = c.Defaults(ch)
		}
	}
	for i := range c.Choices {
		c.Choices[i].Pick = max(c.Choices[i].Pick, 0)
	}
	s.gifts = c.Gifts(picks, now)
	if c.Price.Minor <= 0 || !c.Price.Currency.Known() || len(s.gifts) == 0 {
		return s, false
	}
	shares, err := c.Shares(s.gifts, c.Price)
	if err != nil || len(shares) == 0 {
		return s, false
	}
	for _, g := range s.gifts {
		n := int(g.Quantity) * len(g.Times)
		s.each = append(s.each, shares[:n])
		for _, m := range shares[:n] {
			if g.Choice == nil {
				s.parts[g.Part] += m
			} else {
				for i, ch := range c.Choices {
					if ch.Key == g.Choice.Key {
						s.choices[i] += m
						break
					}
				}
			}
		}
		shares = shares[n:]
	}
	return s, true
}

// knownParts puts whole benefits in the place of their ids; a part whose benefit isn't there
// stays as it is.
func (v *visit) knownParts(tx *db.Tx, c *catalogue.Content) error {
	ids := make([]id.Benefit, len(c.Parts))
	for i, p := range c.Parts {
		ids[i] = p.Benefit.ID
	}
	found, err := v.c.Flows.Catalogue.Benefits(v.r.Context(), tx, ids)
	for i := range c.Parts {
		if b, ok := found[c.Parts[i].Benefit.ID]; ok {
			c.Parts[i].Benefit = b
		}
	}
	return err
}

// fillSplit works out what the form comes to as it stands, right or not yet.
func (v *visit) fillSplit(tx *db.Tx, d *bundleView, f url.Values) error {
	o, _ := v.readOffer(catalogue.Offer{}, f, nil)
	c := o.Draft
	if err := v.knownParts(tx, &c); err != nil {
		return err
	}
	for i := range c.Parts { // what isn't filled in counts as one
		c.Parts[i].Quantity = min(max(c.Parts[i].Quantity, 1), 1000)
	}
	var err error
	if d.Conflicts, err = v.inner(tx, c); err != nil {
		return err
	}
	s, ok := splitPrice(c, v.c.now())
	d.Split = splitView{Nothing: len(c.Parts) == 0}
	if ok {
		v.splitLines(&d.Split, c, s)
	}
	for _, g := range s.gifts {
		if x, many := v.splitDates(c, g); many {
			d.Split.Dates = append(d.Split.Dates, x)
		}
	}
	zh, en := v.contentWords(i18n.ZH, c), v.contentWords(i18n.EN, c)
	for i := range zh {
		d.Split.Says = append(d.Split.Says, splitSays{zh[i], en[i]})
	}
	v.rowSums(d, f)
	return nil
}

func (v *visit) splitLines(d *splitView, c catalogue.Content, s split) {
	sum := int64(0)
	line := func(name string, m int64) {
		sum += m
		d.Lines = append(d.Lines, splitLine{Name: name, Amount: money.Of(m, c.Price.Currency).String(), Percent: (m*200/c.Price.Minor + 1) / 2})
	}
	for i, p := range c.Parts {
		if p.Choice == "" {
			line(v.pick(p.Benefit.Name), s.parts[i])
		}
	}
	for i, ch := range c.Choices {
		line(v.choiceName(v.lang, c, ch), s.choices[i])
	}
	d.Sum = money.Of(sum, c.Price.Currency).String()
	at := 0
	for k, g := range s.gifts {
		if g.Choice == nil {
			d.Lines[at].Each = v.eachWords(s.each[k], c.Price.Currency)
			at++
		}
	}
	v.splitNotes(d, c, s)
}

// eachWords says what each of some rights gets of a price, "" when there is one.
func (v *visit) eachWords(each []int64, currency money.Currency) string {
	if len(each) < 2 {
		return ""
	}
	low, high := each[0], each[0]
	for _, m := range each {
		low, high = min(low, m), max(high, m)
	}
	text := money.Of(low, currency).String()
	if high != low {
		text += "–" + money.Of(high, currency).Decimal()
	}
	return v.t("compose.split.each", "n", strconv.Itoa(len(each)), "amount", text)
}

func (v *visit) splitNotes(d *splitView, c catalogue.Content, s split) {
	declared, worth, known := money.Of(0, c.Price.Currency), money.Of(0, c.Price.Currency), true
	for _, p := range c.Parts {
		declared.Minor += p.Share.Minor
	}
	for _, ch := range c.Choices {
		declared.Minor += ch.Share.Minor
	}
	for _, g := range s.gifts {
		w := c.Parts[g.Part].Benefit.Worth
		known = known && w.Minor > 0 && w.Currency == c.Price.Currency
		worth.Minor += w.Minor * g.Quantity * int64(len(g.Times))
	}
	switch {
	case declared.Minor != 0:
		d.Note = v.t("compose.split.declared")
		if declared != c.Price {
			d.Off = v.t("compose.split.off", "sum", declared.String(), "price", c.Price.String(), "off", money.Of(c.Price.Minor-declared.Minor, c.Price.Currency).String())
		}
	case known:
		d.Note = v.t("compose.split.worth")
	case len(d.Lines) > 1 || d.Lines[0].Each != "":
		d.Note = v.t("compose.split.alike")
	}
	if known && len(s.gifts) > 0 && (len(s.gifts) > 1 || worth.Minor > c.Price.Minor) {
		if saved := worth.Minor - c.Price.Minor; saved > 0 {
			d.Worth = v.t("compose.split.saved", "worth", worth.String(), "saved", money.Of(saved, c.Price.Currency).String())
		} else {
			d.Worth = v.t("compose.split.alone", "worth", worth.String())
		}
	}
}

// shownDates is how many dates of releases are shown before the last.
const shownDates = 3

// splitDates are the dates of what is released more than once.
func (v *visit) splitDates(c catalogue.Content, g catalogue.Gift) (splitDates, bool) {
	release, name := c.Parts[g.Part].Release, v.pick(c.Parts[g.Part].Benefit.Name)
	if g.Choice != nil {
		release, name = g.Choice.Release, v.pick(g.Choice.Name)+" · "+name
	}
	if release.Every == catalogue.AtOnce {
		return splitDates{}, false
	}
	x := splitDates{Name: name, Over: len(g.Times) == 0}
	for i, at := range g.Times {
		day := ui.FormatDay(v.lang, at.In(v.c.Zone), v.c.now().In(v.c.Zone))
		switch {
		case i < shownDates:
			if n := len(x.Days); n > 0 && strings.HasPrefix(x.Days[n-1], day) {
				x.Days[n-1] = day + v.t("compose.dates.several")
				continue
			}
			x.Days = append(x.Days, day)
		case i == len(g.Times)-1:
			x.Last = day
		default:
			x.Rest++
		}
	}
	return x, true
}

// rowSums are what the rows say of themselves while they are folded.
func (v *visit) rowSums(d *bundleView, f url.Values) {
	parts, choices := bundleRows(f)
	quiet := func(string, string, ...string) {}
	currency := money.Currency(single(f, "currency"))
	join := func(share money.Amount, words ...string) string {
		if !share.IsZero() {
			words = append(words, v.t("compose.share_is", "amount", share.String()))
		}
		return strings.Join(without(words, ""), " · ")
	}
	for i, r := range parts {
		t := typist{v, r, partName(i), currency, quiet}
		release, share := t.release(), t.amount("share")
		if r["choice"] != "" {
			release, share = catalogue.Release{}, money.Amount{}
		}
		d.Split.Sums = append(d.Split.Sums, splitSum{partName(i) + ".sum", join(share, v.releaseWords(v.lang, release), v.validityWords(v.lang, t.validity(), 0))})
	}
	for i, r := range choices {
		t := typist{v, r, choiceName(i), currency, quiet}
		d.Split.Sums = append(d.Split.Sums, splitSum{choiceName(i) + ".sum", join(t.amount("share"), v.releaseWords(v.lang, t.release()))})
		d.Choices[i].Sum = d.Split.Sums[len(d.Split.Sums)-1].Text
	}
	for _, rows := range append(optionsOf(d.Choices), d.Fixed) {
		for i := range rows {
			rows[i].Sum = d.Split.Sums[rows[i].Index].Text
		}
	}
}

func without(words []string, no string) []string {
	var out []string
	for _, w := range words {
		if w != no {
			out = append(out, w)
		}
	}
	return out
}
