package api

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/terms"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/payment"
	"hufu/internal/pinyin"
	"hufu/internal/pricing"
)

// Money is an amount in minor units.
type Money struct {
	Minor    int64  `json:"minor" doc:"Minor units: fen, cents"`
	Currency string `json:"currency" example:"CNY"`
}

func moneyOf(a money.Amount) Money { return Money{a.Minor, string(a.Currency)} }

func moneyIf(a money.Amount) *Money {
	if a.IsZero() {
		return nil
	}
	m := moneyOf(a)
	return &m
}

// timeIf is a time that may not be there.
func timeIf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// OfferSummary is an offer on the shelf, in the caller's language.
type OfferSummary struct {
	ID          id.Offer        `json:"id"`
	Slug        string          `json:"slug"`
	Version     id.OfferVersion `json:"version" doc:"Send it with the order: another version at another price refuses it"`
	State       catalogue.State `json:"state" enum:"scheduled,live,paused"`
	Category    string          `json:"category"`
	Title       string          `json:"title"`
	Summary     string          `json:"summary"`
	Badge       string          `json:"badge,omitempty"`
	Price       Money           `json:"price" doc:"Of one unit"`
	ListPrice   *Money          `json:"list_price,omitempty" doc:"What the price is shown against"`
	MaxPerOrder int64           `json:"max_per_order"`
	Stock       StockNote       `json:"stock"`
	StartsAt    *time.Time      `json:"starts_at,omitempty"`
	EndsAt      *time.Time      `json:"ends_at,omitempty"`
	Room        *RoomFields     `json:"room,omitempty" doc:"It has a waiting room: an order needs a ticket, see join-room"`
}

// StockNote says whether an offer can be had.
type StockNote struct {
	State string `json:"state" enum:"unlimited,in_stock,sold_out"`
	Left  int64  `json:"left,omitempty" doc:"Units left, of a limited offer"`
}

// OfferDetail is an offer with everything to be known before paying (购前告知).
type OfferDetail struct {
	OfferSummary
	Description string        `json:"description"`
	Parts       []OfferPart   `json:"parts"`
	Choices     []OfferChoice `json:"choices,omitempty" doc:"What of the parts is picked; a part that is no option is everybody's"`
	Limits      []Allowance   `json:"limits,omitempty" doc:"How many may be bought beyond one order (限购): an order over one is refused with order.limit"`
	PriceSteps  []PriceStep   `json:"price_steps" doc:"How the price came about"`
	TermsText   string        `json:"terms_text" doc:"What is to be shown before paying, in the language of the answer, as the shop's own pages say it"`
	Terms       string        `json:"terms" doc:"SHA-256 of terms_text in UTF-8: send it with the order once its buyer has accepted the text, which is then kept"`
}

// Allowance is a limit of this channel and what is left under it.
type Allowance struct {
	Limit
	Left *int64 `json:"left,omitempty" doc:"Units that may still be bought: by everybody, or by the person who signed in; only an order counts"`
}

// OfferPart is a benefit in an offer.
type OfferPart struct {
	Benefit    id.Benefit        `json:"benefit"`
	Name       string            `json:"name"`
	Kind       string            `json:"kind"`
	Provider   string            `json:"provider"`
	Quantity   int64             `json:"quantity" doc:"Given at each release, where there are more"`
	Choice     string            `json:"choice,omitempty" doc:"Key of the choice that it is an option of"`
	Validity   *PartValidity     `json:"validity,omitempty" doc:"When a right to it counts; without it valid_days from its grant"`
	Release    *ReleaseFields    `json:"release,omitempty" doc:"When it is given; without it at once. An option has its choice's"`
	ValidDays  int64             `json:"valid_days,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Disclosure Disclosure        `json:"disclosure"`
}

// Disclosure is what a shopper must be told before paying.
type Disclosure struct {
	AccountType string `json:"account_type"`
	Scope       string `json:"scope"`
	Devices     string `json:"devices"`
	Validity    string `json:"validity"`
	HowToUse    string `json:"how_to_use"`
	Refund      string `json:"refund"`
}

// PriceStep is one step of a price.
type PriceStep struct {
	Name  string `json:"name" example:"offer"`
	Minor int64  `json:"minor" doc:"The unit price after the step"`
}

type offersInput struct {
	Paging
	Query    string `query:"q" maxLength:"100" doc:"Words that an offer holds, in either language, or the pinyin of its Chinese names, in full or by first letters"`
	Category string `query:"category" maxLength:"40"`
}

// OfferRef names an offer by id or by its name in addresses.
type OfferRef struct {
	Offer string `path:"offer" maxLength:"80"`
}

// Gateway is a way to pay.
type Gateway struct {
	Name    string `json:"name"`
	Members bool   `json:"members_only"`
}

// QuoteRequest asks for a price.
type QuoteRequest struct {
	Lines []QuoteRequestLine `json:"lines" minItems:"1" maxItems:"20"`
}

// QuoteRequestLine is an offer wanted.
type QuoteRequestLine struct {
	Offer    id.Offer   `json:"offer" minLength:"1" maxLength:"40"`
	Quantity int64      `json:"quantity" minimum:"1" maximum:"1000"`
	Picks    []LinePick `json:"picks,omitempty" maxItems:"10" doc:"As they are to be ordered; conflicts are those of what is picked; without them, of the parts that everybody gets"`
}

// Quote is what an order would cost now.
type Quote struct {
	Lines         []QuoteLine `json:"lines"`
	Total         Money       `json:"total"`
	Conflicts     []Conflict  `json:"conflicts" doc:"What the purchase means for the rights that the caller holds, and within itself, the gravest first. A guest holds nothing known"`
	ConflictsHash string      `json:"conflicts_hash,omitempty" doc:"Of what has to be acknowledged: send it with the order once its buyer has"`
	Rules         []RuleUnmet `json:"rules" doc:"Issuing rules that don't let the caller buy this now: none when an order would pass them all"`
}

// QuoteLine is the price of one line.
type QuoteLine struct {
	Offer     id.Offer        `json:"offer"`
	Version   id.OfferVersion `json:"version"`
	Quantity  int64           `json:"quantity"`
	UnitPrice Money           `json:"unit_price"`
	Amount    Money           `json:"amount"`
	Steps     []PriceStep     `json:"steps"`
	Stock     StockNote       `json:"stock"`
	Terms     string          `json:"terms"`
}

func (a *API) shop() {
	operation(a, "list-offers", a.listOffers)
	operation(a, "get-offer", a.getOffer)
	operation(a, "list-gateways", a.listGateways)
	operation(a, "quote-order", a.quoteOrder)
}

// shown is an offer as a shopper may see it.
type shown struct {
	offer   catalogue.Offer
	state   catalogue.State
	version *catalogue.Version
	stock   StockNote
}

// shelf puts offers beside their published version and what is left of them; those that no
// shopper may see are left out.
func (a *API) shelf(ctx context.Context, tx *db.Tx, offers []catalogue.Offer) ([]shown, error) {
	now := a.Flows.Clock.Now()
	var wanted []id.OfferVersion
	for _, o := range offers {
		wanted = append(wanted, o.Settled(now).VersionID)
	}
	versions, err := a.Flows.Catalogue.Versions(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	var ids []id.Stock
	for _, v := range versions {
		ids = append(ids, v.Content.Stocks()...)
	}
	stocks, err := a.Flows.Inventory.StocksFor(ctx, tx, "api", ids)
	if err != nil {
		return nil, err
	}
	var out []shown
	for _, o := range offers {
		s := shown{offer: o, state: o.At(now), version: versions[o.Settled(now).VersionID]}
		if s.version != nil && s.state != catalogue.Draft && s.state != catalogue.Archived {
			c := s.version.Content
			s.stock = noteOf(c.Supplies(c.Plentiful(inventory.Free(stocks)), now), stocks)
			out = append(out, s)
		}
	}
	return out, nil
}

// noteOf says how many units can be made of what stocks have.
func noteOf(need map[id.Stock]int64, stocks map[id.Stock]*inventory.Stock) StockNote {
	if len(need) == 0 {
		return StockNote{State: "unlimited"}
	}
	left := int64(-1)
	for s, each := range need {
		var n int64
		if has := stocks[s]; has != nil {
			n = has.Available / each
		}
		if left < 0 || n < left {
			left = n
		}
	}
	if left == 0 {
		return StockNote{State: "sold_out"}
	}
	return StockNote{State: "in_stock", Left: left}
}

func text(l i18n.Lang, t catalogue.Text) string { return l.Pick(t.ZH, t.EN) }

func (s shown) quote() pricing.Quote {
	return pricing.For(pricing.Input{List: s.version.Content.List, Offer: s.version.Content.Price, Floor: s.version.Content.Floor})
}

func (s shown) summary(l i18n.Lang) OfferSummary {
	c := s.version.Content
	return OfferSummary{ID: s.offer.ID, Slug: s.offer.Slug, Version: s.version.ID, State: s.state, Category: s.offer.Category, Title: text(l, c.Title), Summary: text(l, c.Summary),
		Badge: text(l, c.Badge), Price: moneyOf(s.quote().Unit), ListPrice: moneyIf(c.List), MaxPerOrder: c.MaxPerOrder, Stock: s.stock,
		StartsAt: timeIf(s.offer.StartsAt), EndsAt: timeIf(s.offer.EndsAt), Room: showRoom(c.Room)}
}

func (s shown) holds(query, category string) bool {
	if category != "" && s.offer.Category != category {
		return false
	}
	c := s.version.Content
	hay := strings.ToLower(strings.Join([]string{c.Title.ZH, c.Title.EN, c.Summary.ZH, c.Summary.EN, s.offer.Slug}, "\n"))
	said := c.Title.ZH
	for _, p := range c.Parts {
		said += "\n" + p.Benefit.Name.ZH + "\n" + p.Benefit.Provider.Name.ZH
		hay += "\n" + strings.ToLower(strings.Join([]string{p.Benefit.Name.ZH, p.Benefit.Name.EN, p.Benefit.Provider.Name.ZH, p.Benefit.Provider.Name.EN}, "\n"))
	}
	for _, word := range strings.Fields(strings.ToLower(query)) {
		if !strings.Contains(hay, word) && !pinyin.Matches(said, word) {
			return false
		}
	}
	return true
}

func (a *API) listOffers(ctx context.Context, c *Call, in *offersInput) (*Page[OfferSummary], error) {
	from, err := in.number(c)
	if err != nil {
		return nil, err
	}
	var all []shown
	err = a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		offers, err := a.Flows.Catalogue.Offers(ctx, tx, false)
		if err == nil {
			all, err = a.shelf(ctx, tx, offers)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s shown) bool { return !s.holds(in.Query, in.Category) })
	from = min(from, int64(len(all)))
	rest := all[from:]
	place := func(i int) string { return strconv.FormatInt(from+int64(i), 10) }
	localized(c)
	n := 0
	return pageOf(c, in.Paging, rest, func(shown) string { return place(n) }, func(s shown) OfferSummary { n++; return s.summary(c.Lang) }), nil
}

// localized marks an answer that is another in another language.
func localized(c *Call) {
	c.header().Set("Content-Language", string(c.Lang))
	c.header().Set("Vary", "Accept-Language")
}

func (a *API) getOffer(ctx context.Context, c *Call, in *OfferRef) (*OfferDetail, error) {
	var found []shown
	var allowed []flow.Allowance
	var buyer flow.Buyer
	if c.session != nil {
		buyer.Party, buyer.OwnPhone = c.session.Party.ID, c.session.Party.Phone
	}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		o, err := a.findOffer(ctx, tx, in.Offer)
		if err == nil {
			found, err = a.shelf(ctx, tx, []catalogue.Offer{o})
		}
		if err == nil && len(found) > 0 {
			allowed, err = a.Flows.Allowances(ctx, tx, found[0].version, "api", buyer, a.Flows.Clock.Now())
		}
		return err
	})
	if err == nil && len(found) == 0 || fault.CodeOf(err) == "catalogue.no_offer" {
		return nil, fault.New(fault.NotFound, "order.no_offer")
	}
	if err != nil {
		return nil, err
	}
	localized(c)
	out := found[0].detail(c.Lang, a.Flows.Clock.Now())
	for _, l := range allowed {
		shown := Allowance{Limit: Limit{l.Max, l.Window, l.Channel, l.Of}}
		if l.Known {
			shown.Left = &l.Left
		}
		out.Limits = append(out.Limits, shown)
	}
	return out, nil
}

// findOffer finds an offer by id or by slug.
func (a *API) findOffer(ctx context.Context, tx *db.Tx, name string) (catalogue.Offer, error) {
	if o, err := id.Parse[id.Offer](name); err == nil {
		return a.Flows.Catalogue.Offer(ctx, tx, o)
	}
	return a.Flows.Catalogue.OfferBySlug(ctx, tx, name)
}

func (s shown) detail(l i18n.Lang, now time.Time) *OfferDetail {
	c := s.version.Content
	sheet := terms.In(l, c)
	return &OfferDetail{OfferSummary: s.summary(l), Description: text(l, c.Description), Parts: partsOf(l, c), Choices: choicesOf(l, c), PriceSteps: stepsOf(flow.Quote(c, nil, now).Steps), Terms: sheet.Hash, TermsText: sheet.Text}
}

func partsOf(l i18n.Lang, c catalogue.Content) []OfferPart {
	out := make([]OfferPart, len(c.Parts))
	for i, p := range c.Parts {
		b, d, own := p.Benefit, p.Benefit.Disclosure, showPart(p)
		out[i] = OfferPart{Benefit: b.ID, Name: text(l, b.Name), Kind: b.Kind, Provider: text(l, b.Provider.Name), Quantity: p.Quantity, Choice: p.Choice, Validity: own.Validity, Release: own.Release, ValidDays: b.ValidDays, Attributes: b.Attributes,
			Disclosure: Disclosure{AccountType: text(l, d.AccountType), Scope: text(l, d.Scope), Devices: text(l, d.Devices), Validity: text(l, d.Validity), HowToUse: text(l, d.HowToUse), Refund: text(l, d.Refund)}}
	}
	return out
}

func stepsOf(steps []pricing.Step) []PriceStep {
	out := make([]PriceStep, len(steps))
	for i, s := range steps {
		out[i] = PriceStep{s.Name, s.Minor}
	}
	return out
}

func (a *API) listGateways(context.Context, *Call, *struct{}) (*Page[Gateway], error) {
	out := &Page[Gateway]{Items: []Gateway{}}
	for _, name := range a.Flows.Offered() {
		out.Items = append(out.Items, Gateway{Name: name})
	}
	out.Items = append(out.Items, Gateway{Name: payment.Balance, Members: true})
	return out, nil
}

type quoteInput struct{ Body QuoteRequest }

func (a *API) quoteOrder(ctx context.Context, c *Call, in *quoteInput) (*Quote, error) {
	var all map[id.Offer]shown
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		all = map[id.Offer]shown{}
		for i, l := range in.Body.Lines {
			if _, twice := all[l.Offer]; twice {
				return fault.New(fault.Invalid, "order.offer_twice")
			}
			o, err := a.Flows.Catalogue.Offer(ctx, tx, l.Offer)
			var found []shown
			if err == nil {
				found, err = a.shelf(ctx, tx, []catalogue.Offer{o})
			}
			if err == nil && len(found) == 0 || fault.CodeOf(err) == "catalogue.no_offer" {
				return fault.New(fault.NotFound, "order.no_offer").At("lines["+strconv.Itoa(i)+"].offer", "order.no_offer")
			}
			if err != nil {
				return err
			}
			all[l.Offer] = found[0]
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out, now := &Quote{Lines: []QuoteLine{}}, a.Flows.Clock.Now()
	var wanted []flow.Wanted
	var total money.Amount
	for i, l := range in.Body.Lines {
		s := all[l.Offer]
		limit := strconv.FormatInt(s.version.Content.MaxPerOrder, 10)
		switch {
		case s.state == catalogue.Scheduled:
			return nil, fault.New(fault.Conflict, "order.not_yet")
		case s.state != catalogue.Live:
			return nil, fault.New(fault.Conflict, "order.paused")
		case l.Quantity > s.version.Content.MaxPerOrder:
			return nil, fault.New(fault.Invalid, "order.quantity", "limit", limit).At("lines["+strconv.Itoa(i)+"].quantity", "order.quantity", "limit", limit)
		}
		picks := picksOf(l.Picks)
		if picks != nil {
			if err := s.version.Content.CheckPicks(picks, "lines["+strconv.Itoa(i)+"].picks"); err != nil {
				return nil, err
			}
		}
		wanted = append(wanted, flow.Wanted{Version: s.version, Quantity: l.Quantity, Picks: picks})
		q := flow.Quote(s.version.Content, picks, now)
		amount, err := q.Unit.Times(l.Quantity)
		if err != nil {
			return nil, fault.New(fault.Invalid, "order.too_much")
		}
		if i == 0 {
			total.Currency = amount.Currency
		}
		if total, err = total.Add(amount); err != nil {
			return nil, fault.New(fault.Invalid, "order.currencies")
		}
		out.Lines = append(out.Lines, QuoteLine{Offer: l.Offer, Version: s.version.ID, Quantity: l.Quantity, UnitPrice: moneyOf(q.Unit), Amount: moneyOf(amount), Steps: stepsOf(q.Steps),
			Stock: s.stock, Terms: terms.In(c.Lang, s.version.Content).Hash})
	}
	out.Total = moneyOf(total)
	localized(c)
	return out, a.checked(ctx, c, out, wanted)
}
