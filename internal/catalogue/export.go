package catalogue

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/tabular"
)

// Export is a catalogue to be written as a file: what File reads of it again is the same.
type Export struct {
	Stocks    []FileStock // without Path
	Benefits  []Benefit
	Relations []Relation
	Offers    []Exported

	stocks map[id.Stock]string
	names  map[string]Text // of providers
}

// Exported is an offer with the version it sells, if any.
type Exported struct {
	Offer Offer
	Sold  *Version
}

// NewExport makes an export of what a shop has. stocks names all of its stocks.
func NewExport(listed []FileStock, stocks map[id.Stock]string, benefits []Benefit, relations []Relation, offers []Exported) *Export {
	e := &Export{Stocks: listed, Benefits: benefits, Relations: relations, Offers: offers, stocks: stocks, names: map[string]Text{}}
	for _, b := range benefits {
		if _, known := e.names[b.Provider.Key]; !known {
			e.names[b.Provider.Key] = b.Provider.Name
		}
	}
	return e
}

// Only leaves the offers of some slugs, the benefits they give, the stocks these take from, and
// the relations that speak of them.
func (e *Export) Only(slugs []string) {
	benefits, stocks := map[id.Benefit]bool{}, map[string]bool{}
	e.Offers = slices.DeleteFunc(e.Offers, func(o Exported) bool { return !slices.Contains(slugs, o.Offer.Slug) })
	for _, o := range e.Offers {
		stocks[e.stocks[o.Offer.Draft.Stock]] = true
		for _, p := range o.Offer.Draft.Parts {
			benefits[p.Benefit.ID] = true
		}
	}
	e.Benefits = slices.DeleteFunc(e.Benefits, func(b Benefit) bool { return !benefits[b.ID] })
	for _, b := range e.Benefits {
		stocks[e.stocks[b.Stock]] = true
	}
	e.Stocks = slices.DeleteFunc(e.Stocks, func(s FileStock) bool { return !stocks[s.Name] })
	e.Relations = slices.DeleteFunc(e.Relations, func(r Relation) bool {
		return !slices.ContainsFunc(e.Benefits, func(b Benefit) bool { return r.Touches(&b) })
	})
}

// JSON writes a catalogue file; see File.
func (e *Export) JSON() []byte {
	var b bytes.Buffer
	writeNode(&b, e.tree(), "")
	b.WriteByte('\n')
	return b.Bytes()
}

// Sheets writes the catalogue as tables; see ParseTables. heading says how the name of a column is
// headed.
func (e *Export) Sheets(heading func(column string) string) []tabular.Sheet {
	root := e.tree()
	var out []tabular.Sheet
	for _, s := range tableSchemas() {
		sheet := tabular.Sheet{Name: s.name, Lines: []tabular.Line{{Number: 1}}}
		for _, c := range s.columns {
			sheet.Lines[0].Cells = append(sheet.Lines[0].Cells, heading(c.name))
		}
		add := func(item *node, owner string) {
			line := tabular.Line{Number: int64(len(sheet.Lines)) + 1, Cells: make([]string, len(s.columns))}
			for i, c := range s.columns {
				if line.Cells[i] = c.form.write(item.find(c.name)); s.owned && i == 0 {
					line.Cells[i] = owner
				}
			}
			sheet.Lines = append(sheet.Lines, line)
		}
		if s.owned {
			for _, o := range root.find("offers").list() {
				for _, item := range o.member(s.name).list() {
					add(item, o.find("slug").text)
				}
			}
		} else {
			for _, item := range root.member(s.name).list() {
				add(item, "")
			}
		}
		out = append(out, sheet)
	}
	return out
}

// find gives what stands at a path of names, nil when nothing does.
func (n *node) find(path string) *node {
	for name := range strings.SplitSeq(path, ".") {
		if n = n.member(name); n == nil {
			return nil
		}
	}
	return n
}

func (n *node) list() []*node {
	if n == nil {
		return nil
	}
	return n.items
}

// write makes a cell of a value.
func (c cellForm) write(n *node) string {
	if n == nil {
		return ""
	}
	if c == cellCounts {
		return written(n)
	}
	if c == cellTime {
		if t, err := time.Parse(time.RFC3339, n.text); err == nil {
			return t.In(Zone).Format("2006-01-02 15:04:05.999999")
		}
	}
	return n.text
}

// building adds what isn't empty to an object.
type building struct{ *node }

func newObject() building { return building{&node{kind: '{'}} }

func (b building) put(name string, value *node) building {
	if value != nil {
		b.members = append(b.members, member{name: name, value: value})
	}
	return b
}

func (b building) text(name, v string) building {
	if v == "" {
		return b
	}
	return b.put(name, &node{kind: '"', text: v})
}

func (b building) whole(name string, v int64) building {
	if v == 0 {
		return b
	}
	return b.put(name, &node{kind: '0', text: strconv.FormatInt(v, 10)})
}

func (b building) flag(name string, v bool) building {
	if !v {
		return b
	}
	return b.put(name, &node{kind: 'b', text: "true"})
}

func (b building) words(name string, t Text) building {
	if t.Empty() {
		return b
	}
	return b.put(name, newObject().text("zh", plainEnds(t.ZH)).text("en", plainEnds(t.EN)).node)
}

func (b building) amount(name string, a money.Amount) building {
	if a.IsZero() {
		return b
	}
	return b.text(name, a.Decimal())
}

func (b building) time(name string, t time.Time) building {
	if t.IsZero() {
		return b
	}
	return b.text(name, t.In(Zone).Format(time.RFC3339Nano))
}

// within puts an object unless it is empty.
func (b building) within(name string, o building) building {
	if len(o.members) == 0 {
		return b
	}
	return b.put(name, o.node)
}

func (b building) all(name string, items []*node) building {
	if len(items) == 0 {
		return b
	}
	return b.put(name, &node{kind: '[', items: items})
}

func (b building) currency(c money.Currency) building {
	if c == money.CNY || c == "" {
		return b
	}
	return b.text("currency", string(c))
}

func (e *Export) tree() *node {
	var providers, stocks, benefits, relations, offers []*node
	for _, key := range sortedKeys(e.names) {
		if slices.ContainsFunc(e.Benefits, func(b Benefit) bool { return b.Provider.Key == key }) {
			providers = append(providers, newObject().text("key", key).words("name", e.names[key]).node)
		}
	}
	for _, s := range e.Stocks {
		edition, allots := newObject(), newObject()
		for _, channel := range sortedKeys(s.Allotments) {
			allots = allots.put(channel, &node{kind: '0', text: decimal(s.Allotments[channel])})
		}
		if e := s.Edition; e != nil {
			edition = edition.whole("size", e.Size).put("first", &node{kind: '0', text: decimal(e.First)}).flag("gapless", e.Gapless).flag("by_lot", e.ByLot)
		}
		stocks = append(stocks, newObject().text("name", s.Name).text("kind", s.Kind).whole("units", s.Units).whole("low_mark", s.LowMark).within("edition", edition).within("allotments", allots).node)
	}
	now := map[id.Benefit]Benefit{}
	for _, b := range e.Benefits {
		now[b.ID] = b
		benefits = append(benefits, e.benefit(b))
	}
	for _, r := range e.Relations {
		relations = append(relations, newObject().text("key", r.Key).text("kind", string(r.Kind)).words("name", r.Name).within("from", sideNode(r.From)).within("to", sideNode(r.To)).
			flag("ever", r.Ever).text("severity", string(r.Severity)).node)
	}
	for _, o := range e.Offers {
		offers = append(offers, e.offer(o, now))
	}
	return newObject().text("format", FileFormat).all("providers", providers).all("stocks", stocks).all("benefits", benefits).all("relations", relations).all("offers", offers).node
}

func sideNode(s Side) building {
	return newObject().text("provider", s.Provider).text("kind", s.Kind).text("tier", s.Tier).text("slug", s.Slug)
}

func (e *Export) benefit(b Benefit) *node {
	o := newObject().text("slug", b.Slug).text("kind", b.Kind).text("provider", b.Provider.Key)
	if b.Provider.Name.plain() != e.names[b.Provider.Key].plain() {
		o = o.words("provider_name", b.Provider.Name)
	}
	d := newObject()
	for i, t := range b.Disclosure.texts() {
		d = d.words(disclosed[i], *t)
	}
	attributes := newObject()
	for _, name := range sortedKeys(b.Attributes) {
		attributes = attributes.text(name, plainEnds(b.Attributes[name]))
	}
	o = o.words("name", b.Name).within("disclosure", d).within("attributes", attributes).whole("valid_days", b.ValidDays).amount("worth", b.Worth)
	return o.currency(b.Worth.Currency).flag("coded", b.Coded).text("stock", e.stocks[b.Stock]).node
}

func (e *Export) offer(x Exported, now map[id.Benefit]Benefit) *node {
	of := x.Offer
	c := of.Draft
	o := newObject().text("slug", of.Slug).text("state", string(of.State))
	if x.ahead(now) {
		o = o.put("publish", &node{kind: 'b', text: "false"})
	}
	o = o.text("category", of.Category).put("position", &node{kind: '0', text: decimal(of.Position)}).words("title", c.Title).words("summary", c.Summary).words("description", c.Description).words("badge", c.Badge)
	o = o.currency(c.Price.Currency).amount("price", c.Price).amount("list_price", c.List).amount("floor", c.Floor).whole("max_per_order", c.MaxPerOrder).text("stock", e.stocks[c.Stock])
	var parts, choices, limits, rules []*node
	for _, p := range c.Parts {
		parts = append(parts, newObject().text("benefit", p.Benefit.Slug).whole("quantity", p.Quantity).text("choice", p.Choice).within("validity", validityNode(p.Validity)).
			within("release", releaseNode(p.Release)).amount("share", p.Share).node)
	}
	for _, ch := range c.Choices {
		choices = append(choices, newObject().text("key", ch.Key).words("name", ch.Name).whole("pick", ch.Pick).flag("later", ch.Later).whole("days", ch.Days).
			within("release", releaseNode(ch.Release)).amount("share", ch.Share).node)
	}
	for _, l := range c.Limits {
		limits = append(limits, newObject().whole("max", l.Max).text("window", string(l.Window)).text("of", string(l.Of)).text("channel", l.Channel).node)
	}
	for _, r := range c.Rules {
		rules = append(rules, newObject().words("name", r.Name).text("text", plainEnds(r.Source.Text)).words("refusal", Text{ZH: r.Source.RefusalZH, EN: r.Source.RefusalEN}).node)
	}
	o = o.all("parts", parts).all("choices", choices).all("limits", limits).all("rules", rules).within("room", newObject().whole("per_minute", c.Room.PerMinute).whole("minutes", c.Room.Minutes))
	return o.time("starts_at", of.StartsAt).time("ends_at", of.EndsAt).node
}

func validityNode(v Validity) building {
	return newObject().text("from", string(v.From)).whole("days", v.Days).whole("within", v.Within).time("start", v.Start).time("end", v.End)
}

func releaseNode(r Release) building {
	return newObject().text("every", string(r.Every)).whole("count", r.Count).time("from", r.From).flag("catch_up", r.CatchUp).time("until", r.Until)
}

// ahead reports whether the working copy, with the benefits as they are now, is another than
// what is sold, or than it was saved as.
func (x Exported) ahead(now map[id.Benefit]Benefit) bool {
	c := x.Offer.Draft
	c.Parts = slices.Clone(c.Parts)
	for i := range c.Parts {
		if b, ok := now[c.Parts[i].Benefit.ID]; ok {
			c.Parts[i].Benefit = b
		}
	}
	return len(differing(contentParts(x.Offer.Draft), contentParts(c))) > 0 || x.Sold != nil && len(differing(contentParts(x.Sold.Content), contentParts(c))) > 0
}

// maxLine is how long an object or list may be to stand in one line, in characters.
const maxLine = 120

// writeNode writes JSON as people do: what is short in one line, the rest a line for each
// member.
func writeNode(b *bytes.Buffer, n *node, indent string) {
	if n.kind != '{' && n.kind != '[' {
		writeLine(b, n)
		return
	}
	from := b.Len()
	if writeLine(b, n); indent != "" && utf8.RuneCount(b.Bytes()[from:]) <= maxLine && !n.holdsList() {
		return
	}
	b.Truncate(from)
	inner := indent + "  "
	b.WriteByte(n.kind)
	for i, m := range n.members {
		sepLine(b, i, inner)
		writeText(b, m.name)
		b.WriteString(": ")
		writeNode(b, m.value, inner)
	}
	for i, item := range n.items {
		sepLine(b, i, inner)
		writeNode(b, item, inner)
	}
	b.WriteString("\n" + indent)
	b.WriteByte(n.kind + 2) // } after {, ] after [
}

func (n *node) holdsList() bool {
	return slices.ContainsFunc(n.members, func(m member) bool { return m.value.kind == '[' })
}

func sepLine(b *bytes.Buffer, i int, indent string) {
	if i > 0 {
		b.WriteByte(',')
	}
	b.WriteString("\n" + indent)
}

// writeLine writes a value in one line.
func writeLine(b *bytes.Buffer, n *node) {
	sep := func(i int) {
		if i > 0 {
			b.WriteString(", ")
		}
	}
	switch n.kind {
	case '"':
		writeText(b, n.text)
	case '{', '[':
		b.WriteByte(n.kind)
		for i, m := range n.members {
			sep(i)
			writeText(b, m.name)
			b.WriteString(": ")
			writeLine(b, m.value)
		}
		for i, item := range n.items {
			sep(i)
			writeLine(b, item)
		}
		b.WriteByte(n.kind + 2)
	default:
		b.WriteString(n.text)
	}
}

func writeText(b *bytes.Buffer, text string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text is always written
	b.Truncate(b.Len() - 1)
}
