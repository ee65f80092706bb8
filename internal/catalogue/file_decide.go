package catalogue

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/naming"
)

// Change is what an import does with an item.
type Change string

// The changes. A refused item has a problem, or needs an item that has one.
const (
	Created   Change = "created"
	Changed   Change = "changed"
	Unchanged Change = "unchanged"
	Refused   Change = "refused"
)

// FileRow is what an import does with one item of the file.
type FileRow struct {
	Kind    string // "stock", "benefit", "relation" or "offer"
	Name    string // the stock's name, or the slug
	Sheet   string // of tables: the sheet, of which Line is the row; "" of what the shop has
	Line    int
	Change  Change
	Fields  []string // of a changed item: the fields of the file that differ from the shop
	Version int64    // of a benefit or offer afterwards; 0 for an offer never published
	Held    bool     // only the working copy of an offer was changed, and what is sold stays
}

// StockRef is what the shop knows of a stock.
type StockRef struct {
	ID       id.Stock
	Kind     string
	Received int64
	LowMark  int64
	Edition  *FileEdition // nil of what isn't numbered
	Sold     bool         // some of it
	// Free is how many units are available and not allotted.
	Free       int64
	Allotments map[string]AllotRef
}

func (f *File) row(kind, name, path string, known bool, fields []string) FileRow {
	row := FileRow{Kind: kind, Name: name, Change: Created}
	at := f.root.locate(path)
	if row.Line, _ = f.position(at); f.tables != nil {
		row.Sheet, row.Line, _ = f.tables.place("", at)
	}
	switch {
	case f.found.below[path]:
		row.Change = Refused
	case known && len(fields) > 0:
		row.Change, row.Fields = Changed, fields
	case known:
		row.Change = Unchanged
	}
	return row
}

// DecideStock says what to do with stock i, of which the shop knows was, if anything.
func (f *File) DecideStock(i int, was *StockRef) FileRow {
	s := f.Stocks[i]
	var fields []string
	allots := f.allots(s, was)
	if was != nil {
		if was.Kind != s.Kind {
			f.blame(s.Path+".kind", "catalogue.file_stock_other", "kind", was.Kind)
		}
		if s.Units > was.Received {
			fields = append(fields, "units")
		}
		if s.LowMark != was.LowMark {
			fields = append(fields, "low_mark")
		}
		switch e := s.Edition; {
		case e == nil:
		case was.Edition != nil && *was.Edition != *e:
			f.blame(s.Path+".edition", "catalogue.file_edition_other")
		case was.Edition == nil && was.Sold:
			f.blame(s.Path+".edition", "catalogue.file_edition_sold")
		case was.Edition == nil && e.Size < was.Received:
			f.blame(s.Path+".edition.size", "catalogue.file_edition_size", "units", decimal(was.Received))
		case was.Edition == nil:
			fields = append(fields, "edition")
		case max(s.Units, was.Received) > e.Size:
			f.blame(s.Path+".units", "catalogue.file_edition_size", "units", decimal(max(s.Units, was.Received)))
		}
		if was.Edition != nil && s.Edition == nil && s.Units > was.Edition.Size {
			f.blame(s.Path+".units", "catalogue.file_edition_size", "units", decimal(s.Units))
		}
		if allots {
			fields = append(fields, "allotments")
		}
	}
	return f.row("stock", s.Name, s.Path, was != nil, fields)
}

// stock resolves a name. It fails when there is no such stock, or not of the kind wanted
// ("" takes any); of one that is in the file and refused the file itself tells.
func (f *File) stock(path, name, kind, otherwise string, stocks map[string]StockRef) (id.Stock, bool) {
	if name == "" {
		return "", true
	}
	s, ok := stocks[naming.Key(name)]
	switch {
	case !ok && slices.ContainsFunc(f.Stocks, func(s FileStock) bool { return naming.Same(s.Name, name) }):
		return "", false
	case !ok:
		f.blame(path, "catalogue.file_no_stock", "name", clip(name))
	case kind != "" && s.Kind != kind:
		f.blame(path, otherwise, "name", clip(name))
		return "", false
	}
	return s.ID, ok
}

// DecideBenefit says what to do with benefit i, given the stocks by the key of their name and what the shop
// has under its slug, if anything, and the benefit to save.
func (f *File) DecideBenefit(i int, was *Benefit, stocks map[string]StockRef) (Benefit, FileRow) {
	fb := f.Benefits[i]
	b := fb.Benefit
	kind, otherwise := "counted", "catalogue.file_counted"
	if b.Coded {
		kind, otherwise = "codes", "catalogue.file_codes"
	}
	if f.found.exact[fb.Path+".coded"] {
		kind = ""
	}
	stock, ok := f.stock(fb.Path+".stock", fb.Stock, kind, otherwise, stocks)
	b.Stock = stock
	if fb.Stock != "" && b.Stock == "" {
		b.Stock = "unknown" // told already, or told where the stock stands
	}
	wrong := fault.New(fault.Invalid, "catalogue.content")
	b.Validate(fb.Path, wrong)
	f.found.take(wrong, func(path string) string {
		if path == fb.Path+".provider.key" { // told where the provider stands
			return ""
		}
		return path
	})
	var fields []string
	if was != nil {
		b.ID, b.Version = was.ID, was.Version
		fields = differing(benefitParts(*was), benefitParts(b))
	}
	row := f.row("benefit", b.Slug, fb.Path, was != nil, fields)
	if !ok {
		row.Change, row.Fields = Refused, nil
	}
	row.Version = b.Version
	if row.Change == Created || row.Change == Changed {
		row.Version++
	}
	return b, row
}

// Decision is how an offer is brought to what the file says.
type Decision struct {
	Offer Offer
	// Publish says that its working copy becomes a version.
	Publish bool
	// States are to be gone through one after the other.
	States []State
}

// DecideOffer says what to do with offer i, given the stocks by name, all benefits it may
// give by slug, what the shop has under its slug, if anything, with the version it sells, if
// any, and the relations that will hold.
func (f *File) DecideOffer(i int, was *Offer, sold *Version, benefits map[string]Benefit, stocks map[string]StockRef, relations []Relation, now time.Time) (Decision, FileRow) {
	fo := f.Offers[i]
	d, ok := Decision{Offer: fo.Offer}, true
	o, target := &d.Offer, fo.Offer.State
	o.Draft.Stock, ok = f.stock(fo.Path+".stock", fo.Stock, "counted", "catalogue.file_counted", stocks)
	for _, g := range fo.Gives {
		b, found := benefits[g.Benefit]
		if !found {
			if ok = false; !slices.ContainsFunc(f.Benefits, func(b FileBenefit) bool { return b.Benefit.Slug == g.Benefit }) {
				f.blame(fo.Path+".parts["+strconv.Itoa(g.part)+"].benefit", "catalogue.file_no_part", "name", clip(g.Benefit))
			}
		}
		p := g.Part
		p.Benefit = b
		o.Draft.Parts = append(o.Draft.Parts, p)
	}
	ok = ok && !fo.broken
	if err := o.Draft.Validate(); err != nil {
		f.found.take(fault.From(err), func(path string) string {
			if priced := path == "shares" || path == "floor" || strings.HasSuffix(path, ".share"); priced && f.found.exact[fo.Path+".price"] {
				return ""
			}
			return fo.place(path)
		})
	}
	var fields []string
	o.State = Draft
	if was != nil {
		o.ID, o.State, o.VersionID, o.Version, o.Next, o.Revision, o.CreatedAt, o.UpdatedAt = was.ID, was.State, was.VersionID, was.Version, was.Next, was.Revision, was.CreatedAt, was.UpdatedAt
		before := *was
		if fo.Hold {
			before.Draft.Parts = present(before.Draft.Parts, o.Draft.Parts)
		}
		fields = differing(offerParts(before), offerParts(*o))
	}
	if target == "" {
		target = o.State
	}
	held := false
	if target != Draft && target != Archived {
		d.Publish = sold == nil || len(differing(contentParts(sold.Content), contentParts(o.Draft))) > 0
		// The working copy holds what is scheduled: published, that would be sold before its time.
		if held = sold != nil && d.Publish && (fo.Hold || was.Settled(now).Next.ID != ""); held {
			d.Publish = false
		}
		if d.Publish && was != nil && len(fields) == 0 {
			fields = append(fields, "version")
		}
		if d.Publish && ok {
			f.judgeParts(fo, o.Draft, relations, now)
		}
	}
	goal := *o
	if goal.State = target; goal.At(now) != o.At(now) {
		d.States = o.State.Way(target, !o.StartsAt.IsZero())
		fields = append(fields, "state")
	}
	row := f.row("offer", o.Slug, fo.Path, was != nil, fields)
	if !ok {
		row.Change, row.Fields = Refused, nil
	}
	if row.Version = o.Version; d.Publish && row.Change != Refused {
		row.Version++
	}
	row.Held = held && row.Change == Changed
	return d, row
}

// place is where the file has what a path in the content means; "" for what only follows
// from another problem. Benefits are judged where they stand and not here.
func (fo FileOffer) place(path string) string {
	rest, part := strings.CutPrefix(path, "parts[")
	if !part {
		if follows := path == "parts" && fo.broken || path == "price" && !fo.Offer.Draft.Price.Currency.Known(); follows {
			return ""
		}
		return join(fo.Path, path)
	}
	number, field, _ := strings.Cut(rest, "]")
	k, err := strconv.Atoi(number)
	if err != nil || k >= len(fo.Gives) || strings.HasPrefix(field, ".benefit") {
		return ""
	}
	return join(fo.Path, "parts["+strconv.Itoa(fo.Gives[k].part)+"]"+field)
}

// Way lists the states to go through from s to reach to, by the fewest steps. Only an
// offer with a time to start can be scheduled; every other state can be reached from each.
func (s State) Way(to State, hasStart bool) []State {
	ways := map[State][]State{s: {}}
	for queue := []State{s}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at == to {
			return ways[at]
		}
		for _, n := range next[at] {
			if _, seen := ways[n]; !seen && (n != Scheduled || hasStart) {
				ways[n] = append(slices.Clone(ways[at]), n)
				queue = append(queue, n)
			}
		}
	}
	return nil
}

// named is a value under the name of its field in the file.
type named struct {
	field string
	value any
}

func benefitParts(b Benefit) []named {
	if len(b.Attributes) == 0 {
		b.Attributes = nil
	}
	return []named{{"kind", b.Kind}, {"provider", Provider{Key: b.Provider.Key, Name: b.Provider.Name.plain()}}, {"name", b.Name.plain()}, {"disclosure", b.Disclosure.plain()}, {"attributes", b.Attributes},
		{"valid_days", b.ValidDays}, {"worth", amountParts(b.Worth)}, {"coded", b.Coded}, {"stock", b.Stock}}
}

// present gives parts the benefits as others have them, as far as these have them.
func present(parts, others []Part) []Part {
	now := map[id.Benefit]Benefit{}
	for _, p := range others {
		now[p.Benefit.ID] = p.Benefit
	}
	out := slices.Clone(parts)
	for i := range out {
		if b, ok := now[out[i].Benefit.ID]; ok {
			out[i].Benefit = b
		}
	}
	return out
}

// The parts below make two values that mean the same equal: a moment is one in any zone, and
// lines end in one way.

func releaseParts(r Release) []any {
	return []any{r.Every, r.Count, r.From.UnixMicro(), r.CatchUp, r.Until.UnixMicro()}
}

func validityParts(v Validity) []any {
	return []any{v.From, v.Days, v.Within, v.Start.UnixMicro(), v.End.UnixMicro()}
}

func amountParts(a money.Amount) []any {
	if a.IsZero() {
		return nil
	}
	return []any{a.Minor, a.Currency}
}

func (t Text) plain() Text { return Text{ZH: plainEnds(t.ZH), EN: plainEnds(t.EN)} }

func (d Disclosure) plain() Disclosure {
	for _, t := range d.texts() {
		*t = t.plain()
	}
	return d
}

func contentParts(c Content) []named {
	var parts, choices, limits, rules []any
	for _, p := range c.Parts {
		parts = append(parts, p.Quantity, p.Benefit.ID, benefitParts(p.Benefit), p.Choice, validityParts(p.Validity), releaseParts(p.Release), amountParts(p.Share))
	}
	for _, ch := range c.Choices {
		choices = append(choices, ch.Key, ch.Name.plain(), ch.Pick, ch.Later, ch.Days, releaseParts(ch.Release), amountParts(ch.Share))
	}
	for _, l := range c.Limits {
		limits = append(limits, l)
	}
	for _, r := range c.Rules {
		rules = append(rules, r.Name.plain(), plainEnds(r.Source.Text), plainEnds(r.Source.RefusalZH), plainEnds(r.Source.RefusalEN))
	}
	return []named{{"title", c.Title.plain()}, {"summary", c.Summary.plain()}, {"description", c.Description.plain()}, {"badge", c.Badge.plain()}, {"price", c.Price},
		{"list_price", c.List.Minor}, {"floor", amountParts(c.Floor)}, {"max_per_order", c.MaxPerOrder}, {"stock", c.Stock}, {"parts", parts}, {"choices", choices},
		{"limits", limits}, {"rules", rules}, {"room", c.Room}}
}

func offerParts(o Offer) []named {
	return append(contentParts(o.Draft), named{"category", o.Category}, named{"position", o.Position},
		named{"starts_at", o.StartsAt.UnixMicro()}, named{"ends_at", o.EndsAt.UnixMicro()})
}

// differing lists the fields in which two things differ.
func differing(was, is []named) []string {
	var out []string
	for i := range was {
		if !reflect.DeepEqual(was[i].value, is[i].value) {
			out = append(out, was[i].field)
		}
	}
	return out
}

// ToReceive is how many units come in so that the stock has received what the file says.
func (s FileStock) ToReceive(was StockRef) int64 { return max(0, s.Units-was.Received) }

// BenefitSlugs lists every benefit the file has or speaks of.
func (f *File) BenefitSlugs() []string {
	seen := map[string]bool{}
	for _, b := range f.Benefits {
		seen[b.Benefit.Slug] = true
	}
	for _, o := range f.Offers {
		for _, g := range o.Gives {
			seen[g.Benefit] = true
		}
	}
	return sortedKeys(seen)
}
