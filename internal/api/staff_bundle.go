package api

import (
	"strconv"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/rule"
)

// PartOfIt is how many of a benefit one unit of an offer gives, when, and for how long.
type PartOfIt struct {
	Benefit  id.Benefit     `json:"benefit" minLength:"1" maxLength:"40"`
	Quantity int64          `json:"quantity" minimum:"1" maximum:"1000" doc:"Given at each release, where there are more"`
	Choice   string         `json:"choice,omitempty" maxLength:"40" doc:"Key of the choice that it is an option of; without it every buyer gets it"`
	Validity *PartValidity  `json:"validity,omitempty" doc:"Without it, the benefit's own from its grant"`
	Release  *ReleaseFields `json:"release,omitempty" doc:"Without it, given at once. An option has its choice's"`
	Share    *Price         `json:"share,omitempty" doc:"What of the price it stands for, all releases together. Shares are given of all fixed parts and choices, or of none: then the list prices decide"`
}

// PartValidity is when a right to a part counts.
type PartValidity struct {
	From   catalogue.ValidFrom `json:"from" enum:"window,purchase,activation,first_use" doc:"What it counts from"`
	Days   int64               `json:"days,omitempty" minimum:"0" maximum:"36500" doc:"How long it lasts; not for a window"`
	Within int64               `json:"within,omitempty" minimum:"0" maximum:"36500" doc:"Days its holder has to begin; 0 is without end. Only for activation and first_use"`
	Start  *time.Time          `json:"start,omitempty" doc:"Of a window, included"`
	End    *time.Time          `json:"end,omitempty" doc:"Of a window, not included"`
}

// ReleaseFields are when something is given, again and again.
type ReleaseFields struct {
	Every   catalogue.Every `json:"every" enum:"day,week,month"`
	Count   int64           `json:"count" minimum:"1" maximum:"120" doc:"How many times"`
	From    *time.Time      `json:"from,omitempty" doc:"Day of the first, in UTC+8; without it the day on which the order was placed"`
	CatchUp bool            `json:"catch_up,omitempty" doc:"Who buys after from gets at once what was released before"`
	Until   *time.Time      `json:"until,omitempty" doc:"None is made at or after it"`
}

// ChoiceFields are k of n: a buyer gets some of the parts that name its key.
type ChoiceFields struct {
	Key     string         `json:"key" minLength:"1" maxLength:"40"`
	Name    Text           `json:"name"`
	Pick    int64          `json:"pick" minimum:"1" maximum:"50" doc:"How many different options are picked"`
	Later   bool           `json:"later,omitempty" doc:"Its holder picks after the purchase; who doesn't in time gets the first options"`
	Days    int64          `json:"days,omitempty" minimum:"0" maximum:"3650" doc:"How long a later pick may take, from the purchase or the release"`
	Release *ReleaseFields `json:"release,omitempty" doc:"A pick of its own each time"`
	Share   *Price         `json:"share,omitempty"`
}

// IssuingRule says who may buy, in the rule language.
type IssuingRule struct {
	Name    Text   `json:"name"`
	Text    string `json:"text" minLength:"1" maxLength:"4000" example:"customer.orders == 0"`
	Refusal Text   `json:"refusal" doc:"What who isn't let is told, in both languages or neither: then the rule explains itself"`
}

// RoomFields are the waiting room before an offer.
type RoomFields struct {
	PerMinute int64 `json:"per_minute" minimum:"1" maximum:"1000000" doc:"How many are let in each minute"`
	Minutes   int64 `json:"minutes" minimum:"0" maximum:"10000" doc:"How long who was let in may take to place an order"`
}

func showRoom(r catalogue.Room) *RoomFields {
	if r == (catalogue.Room{}) {
		return nil
	}
	return &RoomFields{r.PerMinute, r.Minutes}
}

func priceIf(m money.Amount) *Price {
	if m.IsZero() {
		return nil
	}
	p := priceOf(m)
	return &p
}

func (p *Price) amount() money.Amount {
	if p == nil {
		return money.Amount{}
	}
	return money.Of(p.Minor, money.Currency(p.Currency))
}

func momentOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func showRelease(r catalogue.Release) *ReleaseFields {
	if r.Every == catalogue.AtOnce {
		return nil
	}
	return &ReleaseFields{r.Every, r.Count, timeIf(r.From), r.CatchUp, timeIf(r.Until)}
}

func (r *ReleaseFields) release() catalogue.Release {
	if r == nil {
		return catalogue.Release{}
	}
	return catalogue.Release{Every: r.Every, Count: r.Count, From: momentOf(r.From), CatchUp: r.CatchUp, Until: momentOf(r.Until)}
}

func showPart(p catalogue.Part) PartOfIt {
	out := PartOfIt{Benefit: p.Benefit.ID, Quantity: p.Quantity, Choice: p.Choice, Release: showRelease(p.Release), Share: priceIf(p.Share)}
	if w := p.Validity; w.From != catalogue.FromGrant {
		out.Validity = &PartValidity{w.From, w.Days, w.Within, timeIf(w.Start), timeIf(w.End)}
	}
	return out
}

func (p PartOfIt) part(b catalogue.Benefit) catalogue.Part {
	out := catalogue.Part{Benefit: b, Quantity: p.Quantity, Choice: p.Choice, Release: p.Release.release(), Share: p.Share.amount()}
	if w := p.Validity; w != nil {
		out.Validity = catalogue.Validity{From: w.From, Days: w.Days, Within: w.Within, Start: momentOf(w.Start), End: momentOf(w.End)}
	}
	return out
}

// showBundle fills what of an offer its parts are composed by.
func showBundle(out *OfferContent, x catalogue.Content) {
	for _, c := range x.Choices {
		out.Choices = append(out.Choices, ChoiceFields{c.Key, textOf(c.Name), c.Pick, c.Later, c.Days, showRelease(c.Release), priceIf(c.Share)})
	}
	for _, r := range x.Rules {
		out.Rules = append(out.Rules, IssuingRule{textOf(r.Name), r.Source.Text, Text{r.Source.RefusalZH, r.Source.RefusalEN}})
	}
	out.Floor = priceIf(x.Floor)
	out.Room = showRoom(x.Room)
}

// bundle reads what showBundle shows.
func (in OfferContent) bundle(out *catalogue.Content) {
	for _, c := range in.Choices {
		out.Choices = append(out.Choices, catalogue.Choice{Key: c.Key, Name: c.Name.text(), Pick: c.Pick, Later: c.Later, Days: c.Days, Release: c.Release.release(), Share: c.Share.amount()})
	}
	for _, r := range in.Rules {
		out.Rules = append(out.Rules, catalogue.Issuing{Name: r.Name.text(), Source: rule.Source{Text: r.Text, RefusalZH: r.Refusal.ZH, RefusalEN: r.Refusal.EN}})
	}
	out.Floor = in.Floor.amount()
	if in.Room != nil {
		out.Room = catalogue.Room{PerMinute: in.Room.PerMinute, Minutes: in.Room.Minutes}
	}
}

// knownCurrencies refuses amounts that couldn't even be written down.
func (in OfferContent) knownCurrencies() error {
	amounts := map[string]*Price{"price": &in.Price, "list_price": in.ListPrice, "floor": in.Floor}
	for i, p := range in.Parts {
		amounts["parts["+strconv.Itoa(i)+"].share"] = p.Share
	}
	for i, c := range in.Choices {
		amounts["choices["+strconv.Itoa(i)+"].share"] = c.Share
	}
	f := fault.New(fault.Invalid, "catalogue.content")
	for path, p := range amounts {
		if m := p.amount(); p != nil && (path == "price" || !m.IsZero()) && !m.Currency.Known() {
			f.At("draft."+path+".currency", "catalogue.currency")
		}
	}
	if len(f.Fields) > 0 {
		return f
	}
	return nil
}
