package catalogue

import (
	"slices"
	"strconv"
	"strings"

	"hufu/internal/naming"
)

// object is a JSON object of a file whose fields are read by name. One that isn't an
// object is empty, and told.
type object struct {
	file *File
	path string
	node *node
}

// open takes a value as an object and reports names that are unknown or stand twice. With
// no known names all are allowed.
func (f *File) open(path string, n *node, known ...string) object {
	o := object{f, path, n}
	if n.kind != '{' {
		f.blame(path, "catalogue.file_object")
		o.node = &node{at: n.at}
		return o
	}
	seen := make(map[string]bool, len(n.members))
	for _, m := range n.members {
		if seen[m.name] {
			f.found.report(o.at(m.name), "catalogue.file_field_twice", "name", clip(m.name))
		}
		seen[m.name] = true
	}
	for _, m := range n.members {
		if len(known) > 0 && !slices.Contains(known, m.name) {
			f.blame(o.at(clip(m.name)), "catalogue.file_unknown", "name", clip(m.name), "known", strings.Join(known, ", "))
		}
	}
	return o
}

// clip is the beginning of a name somebody wrote.
func clip(name string) string {
	if r := []rune(name); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return name
}

// at is the path of a field.
func (o object) at(field string) string { return join(o.path, field) }

// get finds a field; null counts as absent.
func (o object) get(field string) *node {
	if n := o.node.member(field); n != nil && n.kind != 'n' {
		return n
	}
	return nil
}

func (o object) want(field string, kind byte, code string) *node {
	n := o.get(field)
	if n != nil && n.kind != kind {
		o.file.blame(o.at(field), code)
		return nil
	}
	return n
}

// text reads a text, "" when there is none. Invisible control characters are told.
func (o object) text(field string) string {
	n := o.want(field, '"', "catalogue.file_text")
	if n == nil {
		return ""
	}
	if naming.HiddenText(n.text) {
		o.file.blame(o.at(field), "catalogue.hidden")
		return ""
	}
	return n.text
}

// whole reads a whole number within limits, 0 when there is none.
func (o object) whole(field string, least, most int64) int64 {
	n := o.want(field, '0', "catalogue.file_number")
	if n == nil {
		return 0
	}
	v, err := strconv.ParseInt(n.text, 10, 64)
	if err != nil || v < least || v > most {
		o.file.blame(o.at(field), "catalogue.file_range", "least", strconv.FormatInt(least, 10), "most", strconv.FormatInt(most, 10))
		return 0
	}
	return v
}

// flag reads true or false, false when there is none.
func (o object) flag(field string) bool {
	n := o.want(field, 'b', "catalogue.file_flag")
	return n != nil && n.text == "true"
}

// list reads a list of objects with the fields known.
func (o object) list(field string, known ...string) []object {
	n := o.want(field, '[', "catalogue.file_list")
	if n == nil {
		return nil
	}
	all := make([]object, len(n.items))
	for i, item := range n.items {
		all[i] = o.file.open(o.at(field)+"["+strconv.Itoa(i)+"]", item, known...)
	}
	return all
}
