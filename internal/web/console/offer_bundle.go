package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/id"
	"hufu/internal/money"
)

// maxChoiceRows is how many choices a form takes; the catalogue allows as many.
const maxChoiceRows = 10

// row is a part or a choice as it stands in a form, right or not yet: its fields by the name
// after "parts[3].".
type row map[string]string

// The fields of the rows. A row that is "gone" was taken away, and is kept until the form is
// saved; one that is "open" shows its fields. A choice's "id" is what its options name it by in the form, whatever its key becomes.
var (
	releaseFields = []string{"release.every", "release.count", "release.from", "release.catch_up", "release.until"}
	partFields    = append([]string{"benefit", "quantity", "choice", "validity.from", "validity.days", "validity.within", "validity.start", "validity.end", "share", "gone", "open"}, releaseFields...)
	choiceFields  = append([]string{"id", "key", "name.zh", "name.en", "pick", "later", "days", "share", "gone", "open"}, releaseFields...)
)

func partName(i int) string   { return "parts[" + strconv.Itoa(i) + "]" }
func choiceName(i int) string { return "choices[" + strconv.Itoa(i) + "]" }

// readRows reads the rows of a form as they were typed.
func readRows(f url.Values, list string, fields []string, limit int64) []row {
	n, _ := whole(single(f, list), 0, limit)
	out := make([]row, n)
	for i := range out {
		out[i] = row{}
		for _, field := range fields {
			if text := plainLines(single(f, list+"["+strconv.Itoa(i)+"]."+field)); text != "" {
				out[i][field] = text
			}
		}
	}
	return out
}

// setRows puts rows into a form in the place of those that are there.
func setRows(f url.Values, list string, rows []row) {
	for name := range f {
		if strings.HasPrefix(name, list+"[") {
			delete(f, name)
		}
	}
	f.Set(list, strconv.Itoa(len(rows)))
	for i, r := range rows {
		for field, text := range r {
			f.Set(list+"["+strconv.Itoa(i)+"]."+field, text)
		}
	}
}

// bundleRows reads the parts and choices of a form. Rows without a benefit are none.
func bundleRows(f url.Values) (parts, choices []row) {
	parts = slices.DeleteFunc(readRows(f, "parts", partFields, maxParts), func(r row) bool { return r["benefit"] == "" })
	choices = readRows(f, "choices", choiceFields, maxChoiceRows)
	for _, c := range choices {
		if c["id"] == "" {
			c["id"] = c["key"]
		}
	}
	return parts, choices
}

func setBundleRows(f url.Values, parts, choices []row) {
	setRows(f, "parts", parts)
	setRows(f, "choices", choices)
}

// closeBundle drops the rows that were taken away, the options of choices that were, and empty
// ones, so that what is said of the n-th part stands beside the n-th row.
func closeBundle(f url.Values) {
	parts, choices := bundleRows(f)
	choices = slices.DeleteFunc(choices, func(c row) bool { return c["gone"] != "" })
	parts = slices.DeleteFunc(parts, func(p row) bool {
		return p["gone"] != "" || p["choice"] != "" && !slices.ContainsFunc(choices, func(c row) bool { return c["id"] == p["choice"] })
	})
	setBundleRows(f, parts, choices)
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func (r row) set(field, text string) {
	if text != "" {
		r[field] = text
	}
}

func (r row) number(field string, n int64) {
	if n != 0 {
		r[field] = decimal(n)
	}
}

func (r row) flag(field string, set bool) {
	if set {
		r[field] = "1"
	}
}

func (r row) amount(field string, a money.Amount) {
	if !a.IsZero() {
		r[field] = a.Decimal()
	}
}

func (v *visit) releaseRow(r row, x catalogue.Release) {
	r.set("release.every", string(x.Every))
	r.number("release.count", x.Count)
	if !x.From.IsZero() {
		r["release.from"] = x.From.In(catalogue.Zone).Format(time.DateOnly)
	}
	r.flag("release.catch_up", x.CatchUp)
	r.set("release.until", v.typedTime(x.Until))
}

// setBundle puts what an offer is composed of into a form.
func (v *visit) setBundle(f url.Values, c catalogue.Content) {
	parts, choices := make([]row, len(c.Parts)), make([]row, len(c.Choices))
	for i, p := range c.Parts {
		r := row{"benefit": string(p.Benefit.ID), "quantity": decimal(p.Quantity)}
		r.set("choice", p.Choice)
		r.set("validity.from", string(p.Validity.From))
		r.number("validity.days", p.Validity.Days)
		r.number("validity.within", p.Validity.Within)
		r.set("validity.start", v.typedTime(p.Validity.Start))
		r.set("validity.end", v.typedTime(p.Validity.End))
		r.amount("share", p.Share)
		v.releaseRow(r, p.Release)
		parts[i] = r
	}
	for i, c := range c.Choices {
		r := row{"id": c.Key, "key": c.Key, "pick": decimal(c.Pick)}
		r.set("name.zh", c.Name.ZH)
		r.set("name.en", c.Name.EN)
		r.flag("later", c.Later)
		r.number("days", c.Days)
		r.amount("share", c.Share)
		v.releaseRow(r, c.Release)
		choices[i] = r
	}
	setBundleRows(f, parts, choices)
	if !c.Floor.IsZero() {
		f.Set("floor", c.Floor.Decimal())
	}
	if c.Room != (catalogue.Room{}) {
		f.Set("room.per_minute", decimal(c.Room.PerMinute))
		f.Set("room.minutes", decimal(c.Room.Minutes))
	}
}

// typist reads typed fields of a row, and reports those that can't be read at their names.
type typist struct {
	v        *visit
	r        row
	name     string // before the fields' names
	currency money.Currency
	bad      func(field, code string, params ...string)
}

func (t typist) whole(field string, low, high int64, code string, params ...string) int64 {
	n, ok := whole(t.r[field], low, high)
	if !ok {
		t.bad(t.name+"."+field, code, params...)
	}
	return n
}

// days reads a number of days that may be left out.
func (t typist) days(field string) int64 {
	if t.r[field] == "" {
		return 0
	}
	return t.whole(field, 0, 1_000_000, "console.number", "min", "1", "max", "36,500")
}

func (t typist) time(field string) time.Time {
	at, ok := t.v.readTime(t.r[field])
	if !ok {
		t.bad(t.name+"."+field, "console.time")
	}
	return at
}

func (t typist) amount(field string) money.Amount {
	if t.r[field] == "" {
		return money.Amount{}
	}
	a, err := money.Parse(t.r[field], t.currency)
	if err != nil {
		t.bad(t.name+"."+field, "console.amount", "currency", string(t.currency))
		return money.Amount{}
	}
	return a
}

// release reads when a row is given. What stands in fields that its way of releasing doesn't
// have is not meant.
func (t typist) release() catalogue.Release {
	x := catalogue.Release{Every: catalogue.Every(t.r["release.every"])}
	if x.Every == catalogue.AtOnce {
		return x
	}
	x.Count = t.whole("release.count", 1, catalogue.MaxReleases, "bundle.release_count", "limit", strconv.Itoa(catalogue.MaxReleases))
	if text := t.r["release.from"]; text != "" {
		day, err := time.ParseInLocation(time.DateOnly, text, catalogue.Zone)
		if err != nil {
			t.bad(t.name+".release.from", "catalogue.date")
		}
		x.From, x.CatchUp = day.UTC(), t.r["release.catch_up"] != ""
	}
	x.Until = t.time("release.until")
	return x
}

func (t typist) validity() catalogue.Validity {
	x := catalogue.Validity{From: catalogue.ValidFrom(t.r["validity.from"])}
	switch x.From {
	case catalogue.FromGrant:
	case catalogue.FromWindow:
		x.Start, x.End = t.time("validity.start"), t.time("validity.end")
	default:
		if x.Days = t.days("validity.days"); x.Begun() {
			x.Within = t.days("validity.within")
		}
	}
	return x
}

// readBundle reads what an offer is composed of, with the rows of the form in their order.
func (v *visit) readBundle(f url.Values, c *catalogue.Content, bad func(field, code string, params ...string)) {
	parts, choices := bundleRows(f)
	currency := c.Price.Currency
	if !currency.Known() {
		currency = money.Currency(single(f, "currency"))
	}
	c.Parts, c.Choices = nil, nil
	key := map[string]string{}
	for i, r := range choices {
		t := typist{v, r, choiceName(i), currency, bad}
		x := catalogue.Choice{Key: r["key"], Name: catalogue.Text{ZH: r["name.zh"], EN: r["name.en"]}, Later: r["later"] != "", Release: t.release(), Share: t.amount("share")}
		x.Pick = t.whole("pick", 1, maxParts, "console.number", "min", "1", "max", strconv.Itoa(maxParts))
		if x.Later {
			x.Days = t.days("days")
		}
		if x.Key == "" || slices.ContainsFunc(c.Choices, func(other catalogue.Choice) bool { return other.Key == x.Key }) {
			bad(choiceName(i)+".key", map[bool]string{true: "bundle.choice_key", false: "bundle.choice_twice"}[x.Key == ""]) // its options would be lost with it
		}
		if r["gone"] == "" {
			key[r["id"]] = x.Key
			c.Choices = append(c.Choices, x)
		}
	}
	for i, r := range parts {
		t := typist{v, r, partName(i), currency, bad}
		p := catalogue.Part{Benefit: catalogue.Benefit{ID: id.Benefit(r["benefit"])}, Validity: t.validity()}
		p.Quantity = t.whole("quantity", 1, 1000, "catalogue.quantity")
		in, option := key[r["choice"]]
		switch {
		case r["gone"] != "" || r["choice"] != "" && !option:
			continue
		case option:
			p.Choice = in
		default:
			p.Release, p.Share = t.release(), t.amount("share")
		}
		c.Parts = append(c.Parts, p)
	}
	whole := row{"floor": single(f, "floor"), "per_minute": single(f, "room.per_minute"), "minutes": single(f, "room.minutes")}
	c.Floor = typist{v, whole, "", currency, func(_, code string, params ...string) { bad("floor", code, params...) }}.amount("floor")
	c.Room = catalogue.Room{}
	if t := (typist{v, whole, "room", currency, bad}); whole["per_minute"] != "" || whole["minutes"] != "" {
		c.Room.PerMinute = t.whole("per_minute", 1, 1_000_000, "console.number", "min", "1", "max", "1,000,000")
		c.Room.Minutes = t.whole("minutes", 1, 1440, "console.number", "min", "1", "max", "1,440")
	}
}

// bundleField is the field of the form for a path of a part or a choice that the catalogue
// complains about.
func bundleField(path string) string {
	switch path {
	case "parts":
		return "parts.find"
	case "choices":
		return "choices.add"
	case "shares":
		return "shares"
	}
	at, field, whole := strings.Cut(path, "].")
	list, _, _ := strings.Cut(path, "[")
	switch {
	case !whole && list == "parts":
		return path + ".benefit"
	case !whole:
		return path + ".pick"
	case list == "parts" && strings.HasPrefix(field, "benefit"):
		return at + "].benefit"
	case field == "validity", field == "release":
		return path + map[string]string{"validity": ".from", "release": ".every"}[field]
	case field == "name":
		return path + ".zh"
	}
	return path
}
