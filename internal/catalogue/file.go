package catalogue

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/money"
	"hufu/internal/naming"
)

// FileFormat is the value of "format" in a catalogue file.
const FileFormat = "hufu-catalogue/1"

// File is a catalogue file: JSON that people write.
//
//	format     "hufu-catalogue/1"
//	currency   of all prices, CNY if absent; an offer may have its own
//	texts      texts to be used more than once: {"NAME": {"zh": "…", "en": "…"}}
//	providers  [{key, name}]
//	stocks     [{name, kind: "codes" | "counted", units, low_mark}]
//	benefits   [{slug, kind, provider, name, disclosure {account_type, scope, validity, how_to_use, refund}, attributes, valid_days, coded, stock}]
//	relations  [{key, kind, name, from {provider, kind, tier, slug}, to {…}, ever, severity: "block" | "acknowledge" | "inform"}]
//	offers     [{slug, state, category, position, title, summary, description, badge, currency, price, list_price, max_per_order, stock, parts, limits, starts_at, ends_at}]
//
// A text is {"zh": "…", "en": "…"} or {"use": "NAME"}; a price a text such as "19.90"; a
// time RFC 3339 with its zone. A part is {"benefit": SLUG, "quantity": 1}, or
// {"offer": SLUG, "quantity": 1} for all parts of another offer of the file. A limit (限购) is
// {"max": 2, "window": "ever" | "day" | "month", "of": "person" | "everybody", "channel": "web" | "api"};
// where they are left out it is ever, of person, in all channels. Benefits and stocks that aren't in the file may be in the shop already.
type File struct {
	Stocks    []FileStock
	Benefits  []FileBenefit
	Relations []FileRelation
	Offers    []FileOffer

	data  []byte
	lines []int // where each line begins
	root  *node
	found problems
}

// FileStock is a stock as the file has it.
type FileStock struct {
	Path string
	Name string
	Kind string // "codes" or "counted"
	// Units is how many of a counted stock have come in all; more than came before are
	// received by the import.
	Units   int64
	LowMark int64
}

// FileBenefit is a benefit as the file has it, with its stock by name.
type FileBenefit struct {
	Path    string
	Benefit Benefit // without ID, Version and Stock
	Stock   string
}

// FileOffer is an offer as the file has it, with its stock and benefits by name.
type FileOffer struct {
	Path  string
	Offer Offer // without ID and versions; the State to reach is "" to leave it as it is
	Stock string
	Gives []Give

	parts  []filePart
	broken bool // a part could not be resolved, here or in an offer within
}

// Give is how many of a benefit one unit of an offer gives.
type Give struct {
	Benefit  string // its slug
	Quantity int64
	part     int // index in the file's list of parts
}

type filePart struct {
	benefit, offer string
	quantity       int64
}

// ParseFile reads a catalogue file as far as that goes without the shop. What is wrong is
// in Problems; the items of the file without problems of their own are usable.
func ParseFile(data []byte) *File {
	f := &File{data: data, root: &node{}}
	root, wrong := parseTree(data)
	if wrong != nil {
		f.found.report("", wrong.Code)
		f.found.all[0] = *wrong
		return f
	}
	f.root = root
	top := f.open("", root, "format", "currency", "texts", "providers", "stocks", "benefits", "relations", "offers")
	if root.kind == '{' && top.text("format") != FileFormat && !f.found.exact["format"] {
		f.found.report("format", "catalogue.file_format", "format", FileFormat)
	}
	r := fileReader{File: f, currency: money.CNY, texts: map[string]Text{}, providers: map[string]Provider{}}
	if c := top.text("currency"); c != "" {
		r.currency = money.Currency(c)
	}
	r.readTexts(top)
	first := map[string]int{}
	for _, o := range top.list("providers", "key", "name") {
		key := o.text("key")
		r.once(first, o, "key", key)
		r.providers[key] = Provider{Key: key, Name: r.words(o, "name")}
		if !slugForm.MatchString(key) || len(key) > maxSlug {
			r.blame(o.at("key"), "catalogue.slug")
		}
		if r.providers[key].Name.ZH == "" {
			r.blame(o.at("name.zh"), "catalogue.required")
		}
	}
	clear(first)
	for _, o := range top.list("stocks", "name", "kind", "units", "low_mark") {
		r.stock(o)
		r.once(first, o, "name", naming.Key(o.text("name")))
	}
	clear(first)
	for _, o := range top.list("benefits", "slug", "kind", "provider", "name", "disclosure", "attributes", "valid_days", "coded", "stock") {
		r.benefit(o)
		r.once(first, o, "slug", o.text("slug"))
	}
	clear(first)
	for _, o := range top.list("relations", "key", "kind", "name", "from", "to", "ever", "severity") {
		r.relation(o)
		r.once(first, o, "key", o.text("key"))
	}
	clear(first)
	for _, o := range top.list("offers", "slug", "state", "category", "position", "title", "summary", "description", "badge", "currency", "price", "list_price", "max_per_order", "stock", "parts", "limits", "starts_at", "ends_at") {
		r.offer(o, len(f.Offers))
		r.once(first, o, "slug", o.text("slug"))
	}
	f.flatten()
	return f
}

// fileReader turns the tree into values.
type fileReader struct {
	*File
	currency  money.Currency
	texts     map[string]Text
	providers map[string]Provider
}

// blame reports a problem unless one is known there.
func (f *File) blame(path, code string, params ...string) {
	if !f.found.told(path) {
		f.found.report(path, code, params...)
	}
}

// once reports a name that an item before has too.
func (r *fileReader) once(first map[string]int, o object, field, name string) {
	if name == "" {
		return
	}
	if at, twice := first[name]; twice {
		line, _ := r.position(at)
		r.blame(o.at(field), "catalogue.file_twice", "name", name, "line", strconv.Itoa(line))
		return
	}
	first[name] = o.node.at
}

func (r *fileReader) readTexts(top object) {
	names := top.get("texts")
	if names == nil {
		return
	}
	all := r.open("texts", names)
	for _, m := range all.node.members {
		t := r.open(all.at(m.name), m.value, "zh", "en")
		r.texts[m.name] = Text{ZH: t.text("zh"), EN: t.text("en")}
	}
}

// words reads a text in both languages.
func (r *fileReader) words(o object, field string) Text {
	n := o.get(field)
	if n == nil {
		return Text{}
	}
	t := r.open(o.at(field), n, "zh", "en", "use")
	name := t.text("use")
	if name == "" {
		return Text{ZH: t.text("zh"), EN: t.text("en")}
	}
	text, ok := r.texts[name]
	if !ok {
		r.blame(t.path, "catalogue.file_use", "name", clip(name))
	}
	return text
}

func (r *fileReader) stock(o object) {
	name, _ := naming.Name(o.text("name")) // text has told what hides in it
	s := FileStock{Path: o.path, Name: name, Kind: o.text("kind"), Units: o.whole("units", 0, 1e12), LowMark: o.whole("low_mark", 0, 1e12)}
	if s.Name == "" || len(s.Name) > 120 {
		r.blame(o.at("name"), "catalogue.file_stock_name")
	}
	if s.Kind != "codes" && s.Kind != "counted" {
		r.blame(o.at("kind"), "catalogue.file_stock_kind")
	}
	if s.Kind == "codes" && s.Units != 0 {
		r.blame(o.at("units"), "catalogue.file_units")
	}
	r.Stocks = append(r.Stocks, s)
}

func (r *fileReader) benefit(o object) {
	b := Benefit{
		Slug: o.text("slug"), Kind: o.text("kind"), Name: r.words(o, "name"), ValidDays: o.whole("valid_days", 0, 36500), Coded: o.flag("coded"),
	}
	if key := o.text("provider"); key != "" {
		var ok bool
		if b.Provider, ok = r.providers[key]; !ok {
			r.blame(o.at("provider"), "catalogue.file_no_provider", "name", key)
		}
	}
	if n := o.get("disclosure"); n != nil {
		d := r.open(o.at("disclosure"), n, "account_type", "scope", "validity", "how_to_use", "refund")
		b.Disclosure = Disclosure{AccountType: r.words(d, "account_type"), Scope: r.words(d, "scope"), Validity: r.words(d, "validity"),
			HowToUse: r.words(d, "how_to_use"), Refund: r.words(d, "refund")}
	}
	if n := o.get("attributes"); n != nil {
		a := r.open(o.at("attributes"), n)
		for _, m := range a.node.members {
			if b.Attributes == nil {
				b.Attributes = map[string]string{}
			}
			b.Attributes[m.name] = a.text(m.name)
		}
	}
	r.Benefits = append(r.Benefits, FileBenefit{Path: o.path, Benefit: b, Stock: o.text("stock")})
}

var reachable = []State{Draft, Scheduled, Live, Paused}

func (r *fileReader) offer(o object, i int) {
	c := Content{
		Title: r.words(o, "title"), Summary: r.words(o, "summary"), Description: r.words(o, "description"), Badge: r.words(o, "badge"),
		MaxPerOrder: 10,
	}
	if o.get("max_per_order") != nil {
		c.MaxPerOrder = o.whole("max_per_order", 1, 1000)
	}
	for _, l := range o.list("limits", "max", "window", "channel", "of") {
		c.Limits = append(c.Limits, Limit{Max: l.whole("max", 1, maxUnits), Window: cmp.Or(Window(l.text("window")), Ever), Channel: l.text("channel"), Of: cmp.Or(Whose(l.text("of")), Person)})
	}
	currency := r.currency
	if own := o.text("currency"); own != "" {
		currency = money.Currency(own)
	}
	c.Price, c.List = r.amount(o, "price", currency), r.amount(o, "list_price", currency)
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
	fo := FileOffer{Path: o.path, Offer: of, Stock: o.text("stock")}
	for _, p := range o.list("parts", "benefit", "offer", "quantity") {
		part := filePart{benefit: p.text("benefit"), offer: p.text("offer"), quantity: 1}
		if p.get("quantity") != nil {
			part.quantity = p.whole("quantity", 1, 1000)
		}
		if (part.benefit == "") == (part.offer == "") {
			r.blame(p.path, "catalogue.file_part")
		}
		fo.parts = append(fo.parts, part)
	}
	r.Offers = append(r.Offers, fo)
}

func (r *fileReader) amount(o object, field string, c money.Currency) money.Amount {
	text := o.text(field)
	if text == "" || !c.Known() {
		return money.Amount{Currency: c}
	}
	a, err := money.Parse(text, c)
	if err != nil {
		r.blame(o.at(field), "catalogue.file_amount", "currency", string(c))
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
