package api

import (
	"context"
	"strconv"
	"time"

	"hufu/internal/audit"
	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/money"
)

// maxCatalogue is how large a catalogue file may be.
const maxCatalogue = catalogue.MaxFile

// Text is a text in both languages.
type Text struct {
	ZH string `json:"zh,omitempty" maxLength:"20000"`
	EN string `json:"en,omitempty" maxLength:"20000"`
}

func textOf(t catalogue.Text) Text { return Text{t.ZH, t.EN} }

func (t Text) text() catalogue.Text { return catalogue.Text{ZH: t.ZH, EN: t.EN} }

// Provider is who honours a benefit.
type Provider struct {
	Key  string `json:"key" maxLength:"80" example:"tencent-video"`
	Name Text   `json:"name"`
}

// Terms is what a shopper must be told before paying, in both languages.
type Terms struct {
	AccountType Text `json:"account_type"`
	Scope       Text `json:"scope"`
	Devices     Text `json:"devices"`
	Validity    Text `json:"validity"`
	HowToUse    Text `json:"how_to_use"`
	Refund      Text `json:"refund"`
}

// BenefitFields are what can be written of a benefit.
type BenefitFields struct {
	Slug       string            `json:"slug" minLength:"1" maxLength:"80"`
	Kind       string            `json:"kind" minLength:"1" maxLength:"40"`
	Provider   Provider          `json:"provider"`
	Name       Text              `json:"name"`
	Disclosure Terms             `json:"disclosure"`
	Attributes map[string]string `json:"attributes,omitempty" maxProperties:"50" maxLength:"500"`
	ValidDays  int64             `json:"valid_days,omitempty" minimum:"0" maximum:"36500" doc:"How long the right lasts from its grant; 0: as the disclosure says"`
	Stock      id.Stock          `json:"stock,omitempty" maxLength:"40" doc:"Counts the units there are; absent is without limit"`
	Coded      bool              `json:"coded,omitempty" doc:"A unit is delivered as a card code out of the stock"`
	Worth      *Price            `json:"worth,omitempty" doc:"What it costs by itself in the trade: shares of a price that aren't declared go by it"`
}

// Benefit is one promised right.
type Benefit struct {
	ID      id.Benefit `json:"id"`
	Version int64      `json:"version"`
	BenefitFields
}

// BenefitChange is a benefit as it is to be from now on.
type BenefitChange struct {
	Version int64 `json:"version" minimum:"1" doc:"The version that was edited: when somebody saved meanwhile, nothing is saved"`
	BenefitFields
}

// Price is an amount that staff write.
type Price struct {
	Minor    int64  `json:"minor" minimum:"0" maximum:"100000000000"`
	Currency string `json:"currency" minLength:"3" maxLength:"3" example:"CNY"`
}

// OfferContent is everything of an offer that a version freezes.
type OfferContent struct {
	Title       Text           `json:"title"`
	Summary     Text           `json:"summary"`
	Description Text           `json:"description"`
	Badge       Text           `json:"badge"`
	Price       Price          `json:"price"`
	ListPrice   *Price         `json:"list_price,omitempty"`
	MaxPerOrder int64          `json:"max_per_order" minimum:"1" maximum:"1000"`
	Stock       id.Stock       `json:"stock,omitempty" maxLength:"40" doc:"Limits the offer itself, apart from the stocks of its parts"`
	Parts       []PartOfIt     `json:"parts" maxItems:"50"`
	Choices     []ChoiceFields `json:"choices,omitempty" maxItems:"10" doc:"What options among the parts are picked for"`
	Limits      []Limit        `json:"limits,omitempty" maxItems:"10" doc:"How many may be bought beyond one order (限购); each one holds"`
	Rules       []IssuingRule  `json:"rules,omitempty" maxItems:"50" doc:"Who may buy; all of them have to let a buyer"`
	Floor       *Price         `json:"floor,omitempty" doc:"What the price may never be below, whatever lowers it"`
	Room        *RoomFields    `json:"room,omitempty" doc:"Without it, nobody waits"`
}

// Limit is how many units of an offer may be bought.
type Limit struct {
	Max     int64            `json:"max" minimum:"1" maximum:"1000000000"`
	Window  catalogue.Window `json:"window" enum:"ever,day,month" doc:"The time over which it counts; days and months are those of UTC+8"`
	Channel string           `json:"channel,omitempty" enum:"web,api" doc:"Where orders are placed that count; without it, everywhere"`
	Of      catalogue.Whose  `json:"of" enum:"person,everybody" doc:"person: who shares the account, the phone number or the device with an earlier buyer"`
}

func showLimits(all []catalogue.Limit) []Limit {
	var out []Limit
	for _, l := range all {
		out = append(out, Limit{l.Max, l.Window, l.Channel, l.Of})
	}
	return out
}

// OfferPlace is where and when an offer is sold.
type OfferPlace struct {
	Category string     `json:"category,omitempty" maxLength:"40"`
	Position int64      `json:"position,omitempty" minimum:"0" maximum:"1000000"`
	StartsAt *time.Time `json:"starts_at,omitempty"`
	EndsAt   *time.Time `json:"ends_at,omitempty"`
}

// NewOffer is a draft to be added.
type NewOffer struct {
	Slug string `json:"slug" minLength:"1" maxLength:"80"`
	OfferPlace
	Draft OfferContent `json:"draft"`
}

// OfferChange is an offer's working copy as it is to be.
type OfferChange struct {
	Revision int64 `json:"revision" minimum:"1" doc:"The revision that was edited: when somebody saved meanwhile, nothing is saved"`
	OfferPlace
	Draft OfferContent `json:"draft"`
}

// Offer is an offer as the staff see it.
type Offer struct {
	ID       id.Offer        `json:"id"`
	Slug     string          `json:"slug"`
	State    catalogue.State `json:"state" enum:"draft,scheduled,live,paused,archived"`
	Now      catalogue.State `json:"state_now" enum:"draft,scheduled,live,paused,archived" doc:"With its times taken into account"`
	Version  int64           `json:"version" doc:"Number of the version that is sold; 0 before the first"`
	Sold     id.OfferVersion `json:"version_id,omitempty"`
	Next     *NextVersion    `json:"next,omitempty" doc:"What takes over by itself when its time comes"`
	Revision int64           `json:"revision"`
	OfferPlace
	Draft     OfferContent `json:"draft"`
	CreatedAt time.Time    `json:"created_at"`
	UpdatedAt time.Time    `json:"updated_at"`
}

// OfferVersion is a frozen content.
type OfferVersion struct {
	ID        id.OfferVersion `json:"id"`
	Number    int64           `json:"number"`
	Content   OfferContent    `json:"content"`
	CreatedAt time.Time       `json:"created_at"`
	CreatedBy id.Party        `json:"created_by,omitempty"`
}

// Revision names what was looked at before a change.
type Revision struct {
	Revision int64 `json:"revision" minimum:"1"`
}

// StateChange puts an offer into another state.
type StateChange struct {
	State    string `json:"state" enum:"draft,scheduled,live,paused,archived"`
	Revision int64  `json:"revision" minimum:"1"`
}

type newBenefitInput struct{ Body BenefitFields }

type benefitInput struct {
	BenefitRef
	Body BenefitChange
}

// BenefitRef names a benefit.
type BenefitRef struct {
	Benefit id.Benefit `path:"benefit" maxLength:"40"`
}

// StaffOfferRef names an offer by its id.
type StaffOfferRef struct {
	Offer id.Offer `path:"offer" maxLength:"40"`
}

type newOfferInput struct{ Body NewOffer }

type offerInput struct {
	StaffOfferRef
	Body OfferChange
}

type publishInput struct {
	StaffOfferRef
	Body Revision
}

type stateInput struct {
	StaffOfferRef
	Body StateChange
}

type staffOffersInput struct {
	Archived bool `query:"archived" doc:"Archived ones too"`
}

// CatalogueInput says how a file is imported.
type CatalogueInput struct {
	DryRun bool   `query:"dry_run" doc:"Find out what would happen, and change nothing"`
	Name   string `query:"name" maxLength:"120" doc:"The file's name, for the audit trail; of one CSV file it names the sheet"`
}

// CatalogueResult is what came, or would come, of importing a file.
type CatalogueResult struct {
	ID       id.Import          `json:"id,omitempty"`
	DryRun   bool               `json:"dry_run"`
	Sum      string             `json:"sha256"`
	Items    []CatalogueItem    `json:"items"`
	Problems []CatalogueProblem `json:"problems"`
	More     int                `json:"more_problems"`
}

// CatalogueItem is what an import does with one item of the file.
type CatalogueItem struct {
	Kind    string   `json:"kind" enum:"stock,benefit,relation,offer"`
	Name    string   `json:"name"`
	Sheet   string   `json:"sheet,omitempty" doc:"Of tables: where it stands; Line is its row"`
	Line    int      `json:"line"`
	Change  string   `json:"change" enum:"created,changed,unchanged,refused"`
	Fields  []string `json:"fields,omitempty"`
	Version int64    `json:"version,omitempty"`
	Held    bool     `json:"held,omitempty" doc:"Of a changed offer on sale: only its working copy was changed, because it or the file holds it back (publish), or a version is scheduled"`
}

// CatalogueProblem is what is wrong at one place of a file.
type CatalogueProblem struct {
	Sheet  string `json:"sheet,omitempty" doc:"Of tables: where it stands; Line is its row"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Path   string `json:"path,omitempty"`
	Code   string `json:"code"`
	Cause  string `json:"cause"`
	Remedy string `json:"remedy"`
}

func (a *API) staffCatalogue() {
	operation(a, "list-benefit-kinds", a.listBenefitKinds)
	operation(a, "list-benefits", a.listBenefits)
	operation(a, "get-benefit", a.getBenefit)
	once(a, "create-benefit", a.createBenefit)
	once(a, "save-benefit", a.saveBenefit)
	operation(a, "staff-list-offers", a.staffOffers)
	operation(a, "staff-get-offer", a.staffOffer)
	once(a, "create-offer", a.createOffer)
	once(a, "save-offer", a.saveOffer)
	once(a, "publish-offer", a.publishOffer)
	once(a, "set-offer-state", a.setOfferState)
	operation(a, "list-offer-versions", a.offerVersions)
	operation(a, "import-catalogue", a.importCatalogue)
}

// record writes that a member of the staff did something, in the transaction of the act.
func (a *API) record(ctx context.Context, tx *db.Tx, c *Call, action, subject string, data map[string]string) error {
	return audit.Write(ctx, tx, audit.Row{At: a.Flows.Clock.Now(), Actor: c.party(), Action: action, Subject: subject, Origin: c.address(), Data: data})
}

func showBenefit(b catalogue.Benefit) Benefit {
	d := b.Disclosure
	return Benefit{ID: b.ID, Version: b.Version, BenefitFields: BenefitFields{Slug: b.Slug, Kind: b.Kind, Provider: Provider{b.Provider.Key, textOf(b.Provider.Name)}, Name: textOf(b.Name),
		Disclosure: Terms{textOf(d.AccountType), textOf(d.Scope), textOf(d.Devices), textOf(d.Validity), textOf(d.HowToUse), textOf(d.Refund)},
		Attributes: b.Attributes, ValidDays: b.ValidDays, Stock: b.Stock, Coded: b.Coded, Worth: priceIf(b.Worth)}}
}

func (f BenefitFields) benefit() catalogue.Benefit {
	d := f.Disclosure
	return catalogue.Benefit{Slug: f.Slug, Kind: f.Kind, Provider: catalogue.Provider{Key: f.Provider.Key, Name: f.Provider.Name.text()}, Name: f.Name.text(),
		Disclosure: catalogue.Disclosure{AccountType: d.AccountType.text(), Scope: d.Scope.text(), Devices: d.Devices.text(), Validity: d.Validity.text(), HowToUse: d.HowToUse.text(), Refund: d.Refund.text()},
		Attributes: f.Attributes, ValidDays: f.ValidDays, Stock: f.Stock, Coded: f.Coded, Worth: f.Worth.amount()}
}

// BenefitKind is a kind of benefit.
type BenefitKind struct {
	Kind       string           `json:"kind"`
	Attributes []KindsAttribute `json:"attributes"`
	NeedsCode  bool             `json:"needs_code" doc:"It can only be delivered as a code"`
	Asks       string           `json:"asks,omitempty" enum:"account,address,slot" doc:"What its holder is asked for, unless it is delivered as a code"`
	WaitsFor   string           `json:"waits_for,omitempty" enum:"top_up,shipment,provider,draw,mint,slot,credit" doc:"What a granted right waits for before it is held, unless it is delivered as a code"`
	UsedAt     string           `json:"used_at" enum:"provider,counter,home,here"`
	FinalOnce  string           `json:"final_once" enum:"revealed,delivered,used,drawn" doc:"After this it is not paid back on request"`
}

// KindsAttribute is an attribute that benefits of a kind may carry.
type KindsAttribute struct {
	Name     string   `json:"name"`
	Form     string   `json:"form" enum:"words,whole,minor,date,link,choice"`
	Required bool     `json:"required"`
	Choices  []string `json:"choices,omitempty"`
}

func (a *API) listBenefitKinds(context.Context, *Call, *struct{}) (*Page[BenefitKind], error) {
	out := &Page[BenefitKind]{}
	for _, name := range catalogue.Kinds() {
		k, _ := catalogue.KindOf(name)
		kind := BenefitKind{Kind: name, Attributes: []KindsAttribute{}, NeedsCode: k.NeedsCode, Asks: string(k.Asks), WaitsFor: string(k.Waits), UsedAt: string(k.Use), FinalOnce: string(k.Final)}
		for _, f := range k.Fields {
			kind.Attributes = append(kind.Attributes, KindsAttribute{Name: f.Name, Form: string(f.Form), Required: f.Required, Choices: f.Choices})
		}
		out.Items = append(out.Items, kind)
	}
	return out, nil
}

func (a *API) listBenefits(ctx context.Context, _ *Call, _ *struct{}) (*Page[Benefit], error) {
	out := &Page[Benefit]{}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		all, err := a.Flows.Catalogue.AllBenefits(ctx, tx)
		out.Items = make([]Benefit, len(all))
		for i, b := range all {
			out.Items[i] = showBenefit(b)
		}
		return err
	})
	return out, err
}

func (a *API) benefit(ctx context.Context, tx *db.Tx, b id.Benefit) (catalogue.Benefit, error) {
	found, err := a.Flows.Catalogue.Benefits(ctx, tx, []id.Benefit{b})
	if err != nil {
		return catalogue.Benefit{}, err
	}
	one, ok := found[b]
	if !ok {
		return one, fault.New(fault.NotFound, "catalogue.no_benefit", "name", string(b))
	}
	return one, nil
}

func (a *API) getBenefit(ctx context.Context, _ *Call, in *BenefitRef) (*Benefit, error) {
	var out Benefit
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		b, err := a.benefit(ctx, tx, in.Benefit)
		out = showBenefit(b)
		return err
	})
	return &out, err
}

// stocked makes sure that a benefit's stock is there and of the kind it needs.
func (a *API) stocked(ctx context.Context, tx *db.Tx, b catalogue.Benefit) error {
	if b.Stock == "" {
		return nil
	}
	found, err := a.Flows.Inventory.Stocks(ctx, tx, []id.Stock{b.Stock})
	if err != nil {
		return err
	}
	if s := found[b.Stock]; s == nil || (s.Kind == inventory.Codes) != b.Coded {
		return fault.New(fault.Invalid, "catalogue.content").At("stock", "vault.stock")
	}
	return nil
}

func (a *API) createBenefit(ctx context.Context, tx *db.Tx, c *Call, in *newBenefitInput) (*Benefit, error) {
	return a.putBenefit(ctx, tx, c, in.Body.benefit(), "benefit.save")
}

func (a *API) saveBenefit(ctx context.Context, tx *db.Tx, c *Call, in *benefitInput) (*Benefit, error) {
	if _, err := a.benefit(ctx, tx, in.Benefit); err != nil {
		return nil, err
	}
	b := in.Body.benefit()
	b.ID, b.Version = in.Benefit, in.Body.Version
	return a.putBenefit(ctx, tx, c, b, "benefit.save")
}

func (a *API) putBenefit(ctx context.Context, tx *db.Tx, c *Call, b catalogue.Benefit, action string) (*Benefit, error) {
	if err := a.stocked(ctx, tx, b); err != nil {
		return nil, err
	}
	b, err := a.Flows.Catalogue.PutBenefit(ctx, tx, b, c.session.Party.ID, a.Flows.Clock.Now())
	if err != nil {
		return nil, err
	}
	out := showBenefit(b)
	return &out, a.record(ctx, tx, c, action, string(b.ID), map[string]string{"slug": b.Slug, "version": strconv.FormatInt(b.Version, 10)})
}

func priceOf(m money.Amount) Price { return Price{m.Minor, string(m.Currency)} }

func showContent(x catalogue.Content) OfferContent {
	out := OfferContent{Title: textOf(x.Title), Summary: textOf(x.Summary), Description: textOf(x.Description), Badge: textOf(x.Badge), Price: priceOf(x.Price),
		MaxPerOrder: x.MaxPerOrder, Stock: x.Stock, Parts: make([]PartOfIt, len(x.Parts))}
	out.ListPrice, out.Limits = priceIf(x.List), showLimits(x.Limits)
	for i, p := range x.Parts {
		out.Parts[i] = showPart(p)
	}
	showBundle(&out, x)
	return out
}

// content makes a content with the benefits as they are now.
func (a *API) content(ctx context.Context, tx *db.Tx, in OfferContent) (catalogue.Content, error) {
	out := catalogue.Content{Title: in.Title.text(), Summary: in.Summary.text(), Description: in.Description.text(), Badge: in.Badge.text(),
		Price: money.Of(in.Price.Minor, money.Currency(in.Price.Currency)), MaxPerOrder: in.MaxPerOrder, Stock: in.Stock}
	for _, l := range in.Limits {
		out.Limits = append(out.Limits, catalogue.Limit{Max: l.Max, Window: l.Window, Channel: l.Channel, Of: l.Of})
	}
	out.List = in.ListPrice.amount()
	in.bundle(&out)
	if err := in.knownCurrencies(); err != nil {
		return out, err
	}
	ids := make([]id.Benefit, len(in.Parts))
	for i, p := range in.Parts {
		ids[i] = p.Benefit
	}
	found, err := a.Flows.Catalogue.Benefits(ctx, tx, ids)
	if err != nil {
		return out, err
	}
	for i, p := range in.Parts {
		b, ok := found[p.Benefit]
		if !ok {
			return out, fault.New(fault.Invalid, "catalogue.content").At("draft.parts["+strconv.Itoa(i)+"].benefit", "catalogue.no_benefit", "name", string(p.Benefit))
		}
		out.Parts = append(out.Parts, p.part(b))
	}
	if in.Stock != "" {
		stocks, err := a.Flows.Inventory.Stocks(ctx, tx, []id.Stock{in.Stock})
		if err != nil {
			return out, err
		}
		if s := stocks[in.Stock]; s == nil || s.Kind != inventory.Counted {
			return out, fault.New(fault.Invalid, "catalogue.content").At("draft.stock", "stock.not_found")
		}
	}
	return out, nil
}

func (p OfferPlace) put(o *catalogue.Offer) {
	o.Category, o.Position, o.StartsAt, o.EndsAt = p.Category, p.Position, time.Time{}, time.Time{}
	if p.StartsAt != nil {
		o.StartsAt = *p.StartsAt
	}
	if p.EndsAt != nil {
		o.EndsAt = *p.EndsAt
	}
}

func (a *API) showOffer(o catalogue.Offer) *Offer {
	now := a.Flows.Clock.Now()
	o = o.Settled(now)
	return &Offer{ID: o.ID, Slug: o.Slug, State: o.State, Now: o.At(now), Version: o.Version, Sold: o.VersionID, Next: nextOf(o.Next), Revision: o.Revision,
		OfferPlace: OfferPlace{o.Category, o.Position, timeIf(o.StartsAt), timeIf(o.EndsAt)}, Draft: showContent(o.Draft), CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt}
}

func (a *API) staffOffers(ctx context.Context, _ *Call, in *staffOffersInput) (*Page[Offer], error) {
	out := &Page[Offer]{}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		all, err := a.Flows.Catalogue.Offers(ctx, tx, in.Archived)
		out.Items = make([]Offer, len(all))
		for i, o := range all {
			out.Items[i] = *a.showOffer(o)
		}
		return err
	})
	return out, err
}

func (a *API) staffOffer(ctx context.Context, _ *Call, in *StaffOfferRef) (*Offer, error) {
	var out *Offer
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		o, err := a.Flows.Catalogue.Offer(ctx, tx, in.Offer)
		out = a.showOffer(o)
		return err
	})
	return out, err
}

func (a *API) createOffer(ctx context.Context, tx *db.Tx, c *Call, in *newOfferInput) (*Offer, error) {
	o := catalogue.Offer{Slug: in.Body.Slug}
	in.Body.put(&o)
	var err error
	if o.Draft, err = a.content(ctx, tx, in.Body.Draft); err != nil {
		return nil, err
	}
	if o, err = a.Flows.Catalogue.Create(ctx, tx, o, a.Flows.Clock.Now()); err != nil {
		return nil, err
	}
	return a.showOffer(o), a.record(ctx, tx, c, "offer.save", string(o.ID), map[string]string{"slug": o.Slug})
}

// edited loads an offer to be changed, as the caller has seen it.
func (a *API) edited(ctx context.Context, tx *db.Tx, offer id.Offer, revision int64) (catalogue.Offer, error) {
	o, err := a.Flows.Catalogue.Offer(ctx, tx, offer)
	if err == nil && o.Revision != revision {
		err = fault.New(fault.Conflict, "catalogue.edited")
	}
	return o, err
}

func (a *API) saveOffer(ctx context.Context, tx *db.Tx, c *Call, in *offerInput) (*Offer, error) {
	o, err := a.edited(ctx, tx, in.Offer, in.Body.Revision)
	if err != nil {
		return nil, err
	}
	in.Body.put(&o)
	if o.Draft, err = a.content(ctx, tx, in.Body.Draft); err != nil {
		return nil, err
	}
	if o, err = a.Flows.Catalogue.Save(ctx, tx, o, a.Flows.Clock.Now()); err != nil {
		return nil, err
	}
	return a.showOffer(o), a.record(ctx, tx, c, "offer.save", string(o.ID), map[string]string{"slug": o.Slug, "price": o.Draft.Price.Decimal()})
}

func (a *API) publishOffer(ctx context.Context, tx *db.Tx, c *Call, in *publishInput) (*Offer, error) {
	o, err := a.edited(ctx, tx, in.Offer, in.Body.Revision)
	if err != nil {
		return nil, err
	}
	o, v, err := a.Flows.Catalogue.Publish(ctx, tx, o, c.session.Party.ID, a.Flows.Clock.Now())
	if err != nil {
		return nil, err
	}
	return a.showOffer(o), a.record(ctx, tx, c, "offer.publish", string(o.ID), map[string]string{"version": strconv.FormatInt(v.Number, 10), "price": v.Content.Price.Decimal()})
}

func (a *API) setOfferState(ctx context.Context, tx *db.Tx, c *Call, in *stateInput) (*Offer, error) {
	o, err := a.edited(ctx, tx, in.Offer, in.Body.Revision)
	if err != nil {
		return nil, err
	}
	was := o.State
	if o, err = a.Flows.Catalogue.SetState(ctx, tx, o, catalogue.State(in.Body.State), a.Flows.Clock.Now()); err != nil {
		return nil, err
	}
	return a.showOffer(o), a.record(ctx, tx, c, "offer.state", string(o.ID), map[string]string{"from": string(was), "to": string(o.State)})
}

func (a *API) offerVersions(ctx context.Context, _ *Call, in *StaffOfferRef) (*Page[OfferVersion], error) {
	out := &Page[OfferVersion]{}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		if _, err := a.Flows.Catalogue.Offer(ctx, tx, in.Offer); err != nil {
			return err
		}
		all, err := a.Flows.Catalogue.VersionsOf(ctx, tx, in.Offer)
		out.Items = make([]OfferVersion, len(all))
		for i, v := range all {
			out.Items[i] = OfferVersion{v.ID, v.Number, showContent(v.Content), v.CreatedAt, v.CreatedBy}
		}
		return err
	})
	return out, err
}

// importCatalogue takes a catalogue file as its body: the file's own reader judges it, and
// tells line, column, cause and remedy of each problem.
func (a *API) importCatalogue(ctx context.Context, c *Call, in *catalogueFile) (*CatalogueResult, error) {
	file := buffers.Get()
	defer buffers.Put(file)
	name, ok := catalogueName(c, in.Name)
	if !ok {
		return nil, errType
	}
	if err := readBody(c, file, maxCatalogue); err != nil {
		return nil, err
	}
	if file.Len() == 0 {
		return nil, fault.New(fault.Invalid, "request.empty")
	}
	done, err := a.Flows.ImportCatalogue(ctx, file.Bytes(), flow.ImportOptions{DryRun: in.DryRun, By: c.session.Party.ID, Origin: c.address(), Source: name})
	if err != nil {
		return nil, err
	}
	out := &CatalogueResult{ID: done.ID, DryRun: done.DryRun, Sum: done.Sum, Items: make([]CatalogueItem, len(done.Rows)), Problems: make([]CatalogueProblem, len(done.Problems)), More: done.More}
	for i, r := range done.Rows {
		out.Items[i] = CatalogueItem{r.Kind, r.Name, r.Sheet, r.Line, string(r.Change), r.Fields, r.Version, r.Held}
	}
	for i, p := range done.Problems {
		out.Problems[i] = CatalogueProblem{p.Sheet, p.Line, p.Column, p.Path, p.Code, p.Cause(c.Lang), p.Remedy(c.Lang)}
	}
	return out, nil
}

type catalogueFile struct{ CatalogueInput }

func flatten(params map[string]string) []string {
	var out []string
	for k, v := range params {
		out = append(out, k, v)
	}
	return out
}
