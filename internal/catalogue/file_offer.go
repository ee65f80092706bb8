package catalogue

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"

	"hufu/internal/money"
	"hufu/internal/rule"
)

var reachable = []State{Draft, Scheduled, Live, Paused, Archived}

func (r *fileReader) offer(o object, i int) {
	c := Content{
		Title: r.words(o, "title"), Summary: r.words(o, "summary"), Description: r.words(o, "description"), Badge: r.words(o, "badge"),
		MaxPerOrder: 10,
	}
	if o.get("max_per_order") != nil {
		c.MaxPerOrder = o.whole("max_per_order", 1, 1000)
	}
	for _, l := range o.items("limits") {
		c.Limits = append(c.Limits, Limit{Max: l.whole("max", 1, maxUnits), Window: cmp.Or(Window(l.text("window")), Ever), Channel: l.text("channel"), Of: cmp.Or(Whose(l.text("of")), Person)})
	}
	currency := r.currency
	if own := o.text("currency"); own != "" {
		currency = money.Currency(own)
	}
	c.Price, c.List, c.Floor = r.amount(o, "price", currency), r.amount(o, "list_price", currency), r.sum(o, "floor", currency)
	for _, ch := range o.items("choices") {
		c.Choices = append(c.Choices, r.choice(ch, currency))
	}
	for _, rl := range o.items("rules") {
		words := r.words(rl, "refusal")
		c.Rules = append(c.Rules, Issuing{Name: r.words(rl, "name"), Source: rule.Source{Text: plainEnds(rl.text("text")), RefusalZH: words.ZH, RefusalEN: words.EN}})
	}
	if n := o.get("room"); n != nil {
		room := r.open(o.at("room"), n, itemFields["room"]...)
		c.Room = Room{PerMinute: room.whole("per_minute", 0, 1e6), Minutes: room.whole("minutes", 0, 1e4)}
	}
	of := Offer{Slug: o.text("slug"), State: State(o.text("state")), Category: o.text("category"), Position: int64(i+1) * 10, Draft: c,
		StartsAt: r.time(o, "starts_at"), EndsAt: r.time(o, "ends_at")}
	if o.get("position") != nil {
		of.Position = o.whole("position", 0, 1e9)
	}
	if !slugForm.MatchString(of.Slug) || len(of.Slug) > maxSlug {
		r.blame(o.at("slug"), "catalogue.slug")
	}
	if of.State != "" && !slices.Contains(reachable, of.State) {
		r.blame(o.at("state"), "catalogue.file_state")
	}
	if !slices.Contains(Categories, of.Category) {
		r.blame(o.at("category"), "catalogue.category", "known", strings.Join(Categories, ", "))
	}
	if of.State == Scheduled && of.StartsAt.IsZero() {
		r.blame(o.at("starts_at"), "catalogue.required")
	}
	if !of.EndsAt.IsZero() && !of.EndsAt.After(of.StartsAt) {
		r.blame(o.at("ends_at"), "catalogue.ends_before_start")
	}
	fo := FileOffer{Path: o.path, Offer: of, Stock: o.text("stock"), Hold: o.get("publish") != nil && !o.flag("publish")}
	for _, p := range o.items("parts") {
		fo.parts = append(fo.parts, r.part(p, currency))
	}
	r.Offers = append(r.Offers, fo)
}

func (r *fileReader) part(o object, currency money.Currency) filePart {
	p := filePart{benefit: o.text("benefit"), offer: o.text("offer")}
	p.part = Part{Quantity: 1, Choice: o.text("choice"), Validity: r.validity(o), Release: r.release(o), Share: r.sum(o, "share", currency)}
	if o.get("quantity") != nil {
		p.part.Quantity = o.whole("quantity", 1, 1000)
	}
	if (p.benefit == "") == (p.offer == "") {
		r.blame(o.path, "catalogue.file_part")
	}
	if plain := (Part{Quantity: p.part.Quantity}); p.offer != "" && !reflect.DeepEqual(p.part, plain) {
		r.blame(o.path, "catalogue.file_part_terms")
	}
	return p
}

func (r *fileReader) choice(o object, currency money.Currency) Choice {
	ch := Choice{Key: o.text("key"), Name: r.words(o, "name"), Pick: 1, Later: o.flag("later"), Days: o.whole("days", 0, maxPickDays), Release: r.release(o), Share: r.sum(o, "share", currency)}
	if o.get("pick") != nil {
		ch.Pick = o.whole("pick", 1, maxParts)
	}
	return ch
}

func (r *fileReader) validity(o object) Validity {
	n := o.get("validity")
	if n == nil {
		return Validity{}
	}
	v := r.open(o.at("validity"), n, itemFields["validity"]...)
	return Validity{From: ValidFrom(v.text("from")), Days: v.whole("days", 0, maxDays), Within: v.whole("within", 0, maxDays), Start: r.time(v, "start"), End: r.time(v, "end")}
}

func (r *fileReader) release(o object) Release {
	n := o.get("release")
	if n == nil {
		return Release{}
	}
	v := r.open(o.at("release"), n, itemFields["release"]...)
	return Release{Every: Every(v.text("every")), Count: v.whole("count", 0, MaxReleases), From: r.time(v, "from"), CatchUp: v.flag("catch_up"), Until: r.time(v, "until")}
}

// sum is an amount that may be left out: then it has no currency either.
func (r *fileReader) sum(o object, field string, c money.Currency) money.Amount {
	a := r.amount(o, field, c)
	if a.IsZero() {
		return money.Amount{}
	}
	return a
}

func (r *fileReader) amount(o object, field string, c money.Currency) money.Amount {
	text := o.text(field)
	if text == "" || !c.Known() {
		return money.Amount{Currency: c}
	}
	a, err := money.Parse(text, c)
	if err != nil {
		r.blame(o.at(field), "catalogue.file_amount", "currency", string(c), "value", clip(text))
	}
	a.Currency = c
	return a
}

func (r *fileReader) time(o object, field string) time.Time {
	text := o.text(field)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		r.blame(o.at(field), "catalogue.file_time")
	}
	return t.UTC().Truncate(time.Microsecond)
}

// plainEnds has every line end with a line feed alone, as tables can't tell them apart.
func plainEnds(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}
