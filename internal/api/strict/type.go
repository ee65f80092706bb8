package strict

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

type kind uint8

const (
	aText kind = iota
	aNumber
	aFlag
	aTime
	aList
	anObject
	aMap // of text
)

// Type is what a Go type takes, worked out once.
type Type struct {
	kind     kind
	pointer  bool // the Go type is a pointer to it: absence is nil
	min, max int64
	hasMin   bool
	hasMax   bool
	enum     []string
	elem     *Type // of a list
	goElem   reflect.Type
	fields   []field
	named    map[string]int // place in fields
	needed   uint64         // fields that must be there
}

type field struct {
	name  string
	index []int
	typ   *Type
}

var timeType = reflect.TypeFor[time.Time]()

// Compile works out what a struct type takes. It panics on one that can't be read: types
// are constants of the program.
func Compile(t reflect.Type) *Type { return compile(t, "") }

// Field works out what the type of a single place takes under the tags of a struct field.
func Field(f reflect.StructField) *Type { return compile(f.Type, f.Tag) }

func compile(t reflect.Type, tag reflect.StructTag) *Type {
	out := &Type{}
	if t.Kind() == reflect.Pointer {
		out.pointer, t = true, t.Elem()
	}
	switch {
	case t == timeType:
		out.kind = aTime
	case t.Kind() == reflect.String:
		out.kind = aText
	case t.Kind() == reflect.Int64 || t.Kind() == reflect.Int:
		out.kind = aNumber
	case t.Kind() == reflect.Bool:
		out.kind = aFlag
	case t.Kind() == reflect.Slice:
		out.kind, out.goElem = aList, t.Elem()
		inner := reflect.StructTag("")
		if t.Elem().Kind() == reflect.String {
			inner = tag // limits of length and value are of the members
		}
		out.elem = compile(t.Elem(), inner)
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String && t.Elem().Kind() == reflect.String:
		out.kind, out.elem = aMap, compile(t.Elem(), tag)
	case t.Kind() == reflect.Struct:
		out.kind, out.named = anObject, map[string]int{}
		out.collect(t, nil)
	default:
		panic(fmt.Sprintf("strict: %s can't be read", t))
	}
	out.limits(tag)
	return out
}

// collect adds the members of a struct, those of embedded structs among them.
func (o *Type) collect(t reflect.Type, at []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(append([]int(nil), at...), i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			o.collect(f.Type, index)
			continue
		case !f.IsExported() || name == "-":
			continue
		case name == "":
			panic(fmt.Sprintf("strict: %s.%s has no name", t, f.Name))
		}
		n := len(o.fields)
		if n == 64 {
			panic(fmt.Sprintf("strict: %s has more than 64 members", t))
		}
		needed := !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero")
		if v, ok := f.Tag.Lookup("required"); ok {
			needed = v == "true"
		}
		if needed {
			o.needed |= 1 << n
		}
		o.fields = append(o.fields, field{name: name, index: index, typ: compile(f.Type, f.Tag)})
		o.named[name] = n
	}
}

func (o *Type) limits(tag reflect.StructTag) {
	lower, upper := "minimum", "maximum"
	switch o.kind {
	case aText:
		lower, upper = "minLength", "maxLength"
		if e := tag.Get("enum"); e != "" {
			o.enum = strings.Split(e, ",")
		}
	case aList:
		lower, upper = "minItems", "maxItems"
	case aMap:
		lower, upper = "minProperties", "maxProperties"
	case aNumber:
	default:
		return
	}
	o.min, o.hasMin = number(tag, lower)
	o.max, o.hasMax = number(tag, upper)
}

func number(tag reflect.StructTag, name string) (int64, bool) {
	text, ok := tag.Lookup(name)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic("strict: " + name + " is " + text)
	}
	return n, true
}
