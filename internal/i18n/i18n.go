// Package i18n holds every sentence that Hufu says to a person, in Chinese and English.
//
// Messages live in messages/*.json, one file per area and language
// ("order.zh-CN.json", "order.en.json"): a flat object from key to text, in which {name}
// stands for a parameter. A test keeps the two languages' keys and parameters the same.
package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"hufu/internal/fault"
)

// Lang is a BCP 47 tag of a language Hufu speaks.
type Lang string

// The languages Hufu speaks. Chinese comes first: it is what is shown when nothing is known.
const (
	ZH Lang = "zh-CN"
	EN Lang = "en"
)

// Langs lists them.
var Langs = []Lang{ZH, EN}

//go:embed messages/*.json
var files embed.FS

var messages = load(files)

func load(fsys fs.FS) map[Lang]map[string]string {
	all := map[Lang]map[string]string{ZH: {}, EN: {}}
	names, err := fs.Glob(fsys, "messages/*.json")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(fsys, name)
		if err != nil {
			panic(err)
		}
		base := strings.TrimSuffix(name[len("messages/"):], ".json")
		_, tag, _ := strings.Cut(base, ".")
		into, ok := all[Lang(tag)]
		if !ok {
			panic("i18n: " + name + " is not named area.language.json")
		}
		var m map[string]string
		if err := json.Unmarshal(raw, &m); err != nil {
			panic(fmt.Sprintf("i18n: %s: %v", name, err))
		}
		for k, v := range m {
			if _, twice := into[k]; twice {
				panic("i18n: " + name + " has the key " + k + " which another file has too")
			}
			into[k] = v
		}
	}
	return all
}

// T is the message of a key, with parameters given as name, value, name, value. A missing
// key shows as the key between marks, which a test of every page looks for.
func (l Lang) T(key string, params ...string) string {
	text, ok := messages[l][key]
	if !ok {
		if text, ok = messages[ZH][key]; !ok {
			return "⟦" + key + "⟧"
		}
	}
	if len(params) == 0 || !strings.Contains(text, "{") {
		return text
	}
	old := make([]string, 0, len(params))
	for i := 0; i+1 < len(params); i += 2 {
		old = append(old, "{"+params[i]+"}", params[i+1])
	}
	return strings.NewReplacer(old...).Replace(text)
}

// Has reports whether the key has a message.
func Has(key string) bool { _, ok := messages[ZH][key]; return ok }

// Pick takes the text of l out of two, as content that operators write has two columns.
// An empty text falls back to the other language.
func (l Lang) Pick(zh, en string) string {
	if (l == EN && en != "") || zh == "" {
		return en
	}
	return zh
}

// Fault says in l what happened and what to do.
func (l Lang) Fault(e *fault.Error) string { return l.coded(e.Code, e.Params) }

// Field says in l what is wrong with one part of the input.
func (l Lang) Field(f fault.Field) string { return l.coded(f.Code, f.Params) }

// coded fills a message. A parameter that is a sentence or a name is given in both languages,
// as "why.zh" and "why.en", and stands in the message as {why}. One that has a
// param named case may have a message of its own for that case.
func (l Lang) coded(code string, params map[string]string) string {
	if c := params["case"]; c != "" && Has("fault."+code+"."+c) {
		code += "." + c
	}
	kv := make([]string, 0, 2*len(params))
	for k, v := range params {
		if name, ok := strings.CutSuffix(k, ".zh"); ok {
			k, v = name, l.Pick(v, params[name+".en"])
		}
		kv = append(kv, k, v)
	}
	return l.T("fault."+code, kv...)
}

// Match picks the language for an Accept-Language header or a cookie's value.
func Match(accept string) Lang {
	for part := range strings.SplitSeq(accept, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		switch strings.ToLower(strings.SplitN(tag, "-", 2)[0]) {
		case "zh":
			return ZH
		case "en":
			return EN
		}
	}
	return ZH
}
