package catalogue

import (
	"strconv"

	"hufu/internal/money"
	"hufu/internal/naming"
)

// FileFormat is the value of "format" in a catalogue file.
const FileFormat = "hufu-catalogue/1"

// File is a catalogue file: JSON that people write, or that Export wrote.
//
//	format     "hufu-catalogue/1"
//	currency   of all amounts, CNY if absent; an offer and a benefit may have their own
//	texts      texts to be used more than once: {"NAME": {"zh": "…", "en": "…"}}
//	providers  [{key, name}]
//	stocks     [{name, kind: "codes" | "counted", units, low_mark, edition {size, first, gapless, by_lot}, allotments {"web": 100}}]
//	benefits   [{slug, kind, provider, provider_name, name, disclosure {account_type, scope, devices, validity, how_to_use, refund}, attributes, valid_days, worth, currency, coded, stock}]
//	relations  [{key, kind, name, from {provider, kind, tier, slug}, to {…}, ever, severity: "block" | "acknowledge" | "inform"}]
//	offers     [{slug, state, publish, category, position, title, summary, description, badge, currency, price, list_price, floor, max_per_order, stock,
//	           parts, choices, limits, rules, room {per_minute, minutes}, starts_at, ends_at}]
//
// A text is {"zh": "…", "en": "…"} or {"use": "NAME"}; an amount a text such as "19.90"; a
// time RFC 3339 with its zone. Benefits and stocks that aren't in the file may be in the shop already.
//
// A part is {"benefit": SLUG, "quantity": 1, "choice": KEY, "validity": {from: "window" | "purchase" | "activation" | "first_use", days, within, start, end},
// "release": {every: "day" | "week" | "month", count, from, catch_up, until}, "share": "9.90"}, of which only the benefit must be; or
// {"offer": SLUG, "quantity": 1} for all parts of another offer of the file, which has no choices. A choice is
// {"key", "name", "pick": 1, "later", "days", "release", "share"}. A limit (限购) is
// {"max": 2, "window": "ever" | "day" | "month", "of": "person" | "everybody", "channel": "web" | "api"};
// where they are left out it is ever, of person, in all channels. A rule (发放规则) is {"name", "text": "customer.orders == 0", "refusal"}, its refusal the
// author's own words instead of the explanation.
//
// A provider_name stands for the name of the provider in one benefit alone. The state that is left out stays. "publish": false leaves an offer that is sold already with
// the version it sells: the file's content is its working copy only.
//
// A file can be written as tables too; see ParseTables.
type File struct {
	Stocks    []FileStock
	Benefits  []FileBenefit
	Relations []FileRelation
	Offers    []FileOffer

	data   []byte
	lines  []int     // where each line begins
	tables *tableMap // of a file that was written as tables
	root   *node
	found  problems
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
	// Edition numbers the units of a counted stock (限量编号); nil leaves it as it is. It is
	// begun before the first unit is sold and can't be another afterwards.
	Edition *FileEdition
	// Allotments are how many units of a counted stock each channel sells; channels that aren't
	// named stay as they are.
	Allotments map[string]int64
}

// FileEdition is how the units of a stock are numbered: so many numbers from First up, in
// the order of payment or by lot, numbers that come back given again where Gapless.
type FileEdition struct {
	Size, First    int64
	Gapless, ByLot bool
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
	// Hold leaves what is sold as it is; see "publish" of File.
	Hold bool

	parts  []filePart
	broken bool // a part could not be resolved, here or in an offer within
}

// Give is a part that one unit of an offer gives.
type Give struct {
	Benefit string // its slug
	Part    Part   // without Benefit
	part    int    // index in the file's list of parts
}

type filePart struct {
	benefit, offer string
	part           Part // without Benefit
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
	f.read(root)
	return f
}

var (
	itemFields = map[string][]string{
		"providers": {"key", "name"},
		"stocks":    {"name", "kind", "units", "low_mark", "edition", "allotments"},
		"edition":   {"size", "first", "gapless", "by_lot"},
		"benefits":  {"slug", "kind", "provider", "name", "disclosure", "attributes", "provider_name", "valid_days", "worth", "currency", "coded", "stock"},
		"relations": {"key", "kind", "name", "from", "to", "ever", "severity"},
		"offers": {"slug", "state", "publish", "category", "position", "title", "summary", "description", "badge", "currency", "price", "list_price", "floor", "max_per_order", "stock",
			"parts", "choices", "limits", "rules", "room", "starts_at", "ends_at"},
		"parts":    {"benefit", "offer", "quantity", "choice", "validity", "release", "share"},
		"choices":  {"key", "name", "pick", "later", "days", "release", "share"},
		"limits":   {"max", "window", "channel", "of"},
		"rules":    {"name", "text", "refusal"},
		"validity": {"from", "days", "within", "start", "end"},
		"release":  {"every", "count", "from", "catch_up", "until"},
		"room":     {"per_minute", "minutes"},
	}
	disclosed = []string{"account_type", "scope", "devices", "validity", "how_to_use", "refund"}
)

// items reads the list of a name with the fields such items have.
func (o object) items(name string) []object { return o.list(name, itemFields[name]...) }

// read turns the tree of a file into values.
func (f *File) read(root *node) {
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
	for _, o := range top.items("providers") {
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
	for _, o := range top.items("stocks") {
		r.stock(o)
		r.once(first, o, "name", naming.Key(o.text("name")))
	}
	clear(first)
	for _, o := range top.items("benefits") {
		r.benefit(o)
		r.once(first, o, "slug", o.text("slug"))
	}
	clear(first)
	for _, o := range top.items("relations") {
		r.relation(o)
		r.once(first, o, "key", o.text("key"))
	}
	clear(first)
	for _, o := range top.items("offers") {
		r.offer(o, len(f.Offers))
		r.once(first, o, "slug", o.text("slug"))
	}
	f.flatten()
}

// Items is how many stocks, benefits, relations and offers the file has.
func (f *File) Items() int { return len(f.Stocks) + len(f.Benefits) + len(f.Relations) + len(f.Offers) }

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
		r.texts[m.name] = Text{ZH: plainEnds(t.text("zh")), EN: plainEnds(t.text("en"))}
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
		return Text{ZH: plainEnds(t.text("zh")), EN: plainEnds(t.text("en"))}
	}
	text, ok := r.texts[name]
	if !ok {
		r.blame(t.path, "catalogue.file_use", "name", clip(name))
	}
	return text
}
