package catalogue

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"hufu/internal/id"
	"hufu/internal/money"
)

// Difference is one thing in which a content differs from another.
type Difference struct {
	Kind DiffKind
	Path []Place
	Form ChangeForm
	// Was and Is are the values, "" for none: an amount as money.Amount writes it, a moment in
	// RFC 3339, a flag "true" or "", everything else as it stands.
	Was, Is string
}

// DiffKind is how something differs.
type DiffKind string

// How things differ.
const (
	Altered DiffKind = "altered"
	Added   DiffKind = "added"   // an item of a list; Is is empty
	Removed DiffKind = "removed" // likewise
	Moved   DiffKind = "moved"   // the items of a list that both have stand in another order
)

// ChangeForm is what Was and Is are.
type ChangeForm string

// The forms of values.
const (
	AsWords  ChangeForm = "words"
	AsNumber ChangeForm = "number"
	AsAmount ChangeForm = "amount"
	AsMoment ChangeForm = "moment"
	AsFlag   ChangeForm = "flag"
	AsStock  ChangeForm = "stock" // a stock's id
	AsWord   ChangeForm = "word"  // one of a closed set
)

// Place is a step on the way to what differs: a field, or an item of a list by its name.
type Place struct {
	Field string // "max_per_order"; "" for an item
	Item  Text
}

// String writes the way as a fault's path is written, with the items' Chinese names.
func (c Difference) String() string {
	var b strings.Builder
	for _, p := range c.Path {
		switch {
		case p.Field == "":
			b.WriteString("[" + p.Item.ZH + "]")
		case b.Len() > 0:
			b.WriteString("." + p.Field)
		default:
			b.WriteString(p.Field)
		}
	}
	return b.String()
}

// Diff tells in what is differs from was, in the order of the fields. It looks at every field
// there is: a part is known by its benefit and choice, a choice by its key, a rule by its
// name, a limit by what it counts. That a benefit was saved again is no difference in itself.
func Diff(was, is Content) []Difference {
	var d differ
	d.walk(nil, reflect.ValueOf(was), reflect.ValueOf(is))
	return d.found
}

type differ struct{ found []Difference }

func (d *differ) altered(path []Place, form ChangeForm, was, is string) {
	if was != is {
		d.found = append(d.found, Difference{Altered, slices.Clone(path), form, was, is})
	}
}

func (d *differ) walk(path []Place, was, is reflect.Value) {
	switch a := was.Interface().(type) {
	case money.Amount:
		d.altered(path, AsAmount, sum(a), sum(is.Interface().(money.Amount)))
		return
	case time.Time:
		d.altered(path, AsMoment, moment(a), moment(is.Interface().(time.Time)))
		return
	case map[string]string:
		b := is.Interface().(map[string]string)
		for _, name := range sortedKeys(union(a, b)) {
			d.altered(append(path, Place{Field: name}), AsWords, a[name], b[name])
		}
		return
	case id.Stock:
		d.altered(path, AsStock, string(a), is.String())
		return
	}
	switch was.Kind() {
	case reflect.Struct:
		for i := range was.NumField() {
			f := was.Type().Field(i)
			if owner := was.Type(); owner == reflect.TypeFor[Benefit]() && (f.Name == "ID" || f.Name == "Version") {
				continue
			}
			d.walk(append(path, Place{Field: snake(f.Name)}), was.Field(i), is.Field(i))
		}
	case reflect.Slice:
		d.items(path, was, is)
	case reflect.String:
		form := AsWords
		if was.Type() != reflect.TypeFor[string]() {
			form = AsWord
		}
		d.altered(path, form, was.String(), is.String())
	case reflect.Int64:
		d.altered(path, AsNumber, strconv.FormatInt(was.Int(), 10), strconv.FormatInt(is.Int(), 10))
	case reflect.Bool:
		d.altered(path, AsFlag, flagText(was.Bool()), flagText(is.Bool()))
	default:
		panic(fmt.Sprintf("catalogue: a content has a field that can't be compared, %s", was.Type()))
	}
}

// items compares lists by what their items are known by.
func (d *differ) items(path []Place, was, is reflect.Value) {
	before, after := known(was), known(is)
	var stayed, stayedNow []string
	for i, key := range before {
		if at := slices.Index(after, key); at >= 0 {
			stayed = append(stayed, key)
			d.walk(append(path, Place{Item: called(was.Index(i))}), was.Index(i), is.Index(at))
			continue
		}
		d.found = append(d.found, Difference{Kind: Removed, Path: append(slices.Clone(path), Place{Item: called(was.Index(i))})})
	}
	for i, key := range after {
		if slices.Contains(before, key) {
			stayedNow = append(stayedNow, key)
			continue
		}
		d.found = append(d.found, Difference{Kind: Added, Path: append(slices.Clone(path), Place{Item: called(is.Index(i))})})
	}
	if !slices.Equal(stayed, stayedNow) {
		d.found = append(d.found, Difference{Kind: Moved, Path: slices.Clone(path)})
	}
}

// known is what the items of a list are told from one another by; of several with the same,
// each has its number.
func known(list reflect.Value) []string {
	var out []string
	count := map[string]int{}
	for i := range list.Len() {
		var key string
		switch v := list.Index(i).Interface().(type) {
		case Part:
			key = v.Choice + "\x00" + v.Benefit.Slug
		case Choice:
			key = v.Key
		case Issuing:
			key = v.Name.ZH
		case Limit:
			key = v.Name() + "\x00" + v.Channel
		default:
			panic(fmt.Sprintf("catalogue: a content has a list that can't be compared, %T", v))
		}
		count[key]++
		out = append(out, key+"\x00"+strconv.Itoa(count[key]))
	}
	return out
}

// called is the name of an item for people.
func called(item reflect.Value) Text {
	switch v := item.Interface().(type) {
	case Part:
		return v.Benefit.Name
	case Choice:
		return v.Name
	case Issuing:
		return v.Name
	case Limit:
		return Text{ZH: v.Name(), EN: v.Name()}
	}
	return Text{}
}

func union(a, b map[string]string) map[string]string {
	out := map[string]string{}
	for k := range a {
		out[k] = ""
	}
	for k := range b {
		out[k] = ""
	}
	return out
}

func sum(a money.Amount) string {
	if a.IsZero() {
		return ""
	}
	return a.String()
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func flagText(b bool) string {
	if b {
		return "true"
	}
	return ""
}

// snake writes the name of a field as texts for the outside have it: "MaxPerOrder" is
// "max_per_order", "ZH" is "zh".
func snake(name string) string {
	var b strings.Builder
	before := rune(0)
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) && !unicode.IsUpper(before) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
		before = r
	}
	return b.String()
}
