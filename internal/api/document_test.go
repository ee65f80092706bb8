package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"hufu/internal/api/strict"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/identity"
)

// walked is an API without a shop behind it: enough for its document.
func walked() *API {
	a := New(Options{})
	a.Routes(http.NewServeMux())
	return a
}

func operationOf(doc *huma.OpenAPI, s *spec) *huma.Operation {
	p := doc.Paths[Prefix+s.Path]
	switch {
	case p == nil:
		return nil
	case s.Method == get:
		return p.Get
	case s.Method == post:
		return p.Post
	case s.Method == put:
		return p.Put
	}
	return p.Delete
}

func TestTheDocumentIsCheckedIn(t *testing.T) {
	kept, err := os.ReadFile("../../docs/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if made := Document(); !bytes.Equal(kept, made) {
		t.Error("docs/openapi.json differs from the code: run make openapi")
	}
	if !bytes.Equal(Document(), Document()) {
		t.Error("the document differs from one time to the next")
	}
}

// TestEveryOperationDeclaresItself walks the table: who may call, what a second time does,
// and that the document tells it.
func TestEveryOperationDeclaresItself(t *testing.T) {
	a := walked()
	doc := a.huma.OpenAPI()
	seen := map[string]bool{}
	told := 0
	for i := range table {
		s := &table[i]
		at := s.Method + " " + s.Path
		if seen[s.Name] || seen[at] {
			t.Errorf("%s is there twice", s.Name)
		}
		seen[s.Name], seen[at] = true, true
		switch s.For {
		case Everyone, Shopper, Holder, Member, Step, Staff:
		default:
			t.Errorf("%s: the audience is %q", s.Name, s.For)
		}
		own := slices.Contains([]string{"confirm-session"}, s.Name)
		if (s.For == Staff) != (s.Right != "") && !own {
			t.Errorf("%s: is for %s and needs the right %q", s.Name, s.For, s.Right)
		}
		if s.Right != "" && !slices.Contains(identity.AllRights, s.Right) {
			t.Errorf("%s: there is no right %q", s.Name, s.Right)
		}
		if strings.HasPrefix(s.Path, "/staff/") && s.For != Staff && s.For != Step && s.Name != "sign-in-staff" {
			t.Errorf("%s lies under /staff and is for %s", s.Name, s.For)
		}
		if s.Fresh && s.For != Staff {
			t.Errorf("%s asks for a fresh proof of nobody", s.Name)
		}
		switch {
		case s.Method == get && s.Repeat != Reads:
			t.Errorf("%s: a GET changes something", s.Name)
		case s.Repeat == Keyed && s.Why != "", s.Repeat == Reads && s.Why != "", s.Repeat == Natural && s.Why == "":
			t.Errorf("%s is %s because of %q", s.Name, s.Repeat, s.Why)
		case s.Repeat != Reads && s.Repeat != Keyed && s.Repeat != Natural:
			t.Errorf("%s: what does a second time do?", s.Name)
		}
		if s.Repeat == Keyed && s.For != Staff && s.For != Shopper && s.For != Member {
			t.Errorf("%s keeps answers for nobody in particular", s.Name)
		}
		op := operationOf(doc, s)
		if op == nil {
			t.Errorf("%s isn't in the document", s.Name)
			continue
		}
		told++
		if op.OperationID != s.Name || op.Summary == "" || len(op.Security) == 0 || len(op.Tags) != 1 {
			t.Errorf("%s: the document says %+v", s.Name, op)
		}
		if got := len(op.Security) == 1 && len(op.Security[0]) == 0; got != (s.For == Everyone) {
			t.Errorf("%s is for %s; the document says %v", s.Name, s.For, op.Security)
		}
		success := 0
		for status := range op.Responses {
			if status[0] == '2' {
				success++
			}
		}
		if success != 1 || op.Responses["400"] == nil || op.Responses["429"] == nil || op.Responses["500"] == nil {
			t.Errorf("%s: the document says %v", s.Name, reflect.ValueOf(op.Responses).MapKeys())
		}
		key := slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "Idempotency-Key" && p.Required })
		if key != (s.Repeat == Keyed) {
			t.Errorf("%s is %s; the document asks for a key: %v", s.Name, s.Repeat, key)
		}
		for _, name := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(s.Path, -1) {
			if !slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.In == "path" && p.Name == name[1] }) {
				t.Errorf("%s: the document doesn't tell of %s", s.Name, name[1])
			}
		}
		for _, code := range strings.Fields(s.Faults) {
			if !i18n.Has("fault." + code) {
				t.Errorf("%s: the fault %s has no message", s.Name, code)
			}
		}
	}
	all := 0
	for _, p := range doc.Paths {
		for _, op := range []*huma.Operation{p.Get, p.Post, p.Put, p.Patch, p.Delete} {
			if op != nil {
				all++
			}
		}
	}
	if told != len(table) || all != len(table) {
		t.Errorf("%d operations in the table, %d in the document", len(table), all)
	}
}

func TestCommonFaultsHaveMessages(t *testing.T) {
	for _, code := range commonFaults {
		if !i18n.Has("fault." + code) {
			t.Errorf("%s has no message", code)
		}
	}
}

// TestTheDocumentHoldsTogether checks its structure: every reference leads somewhere, every
// schema has a type, nothing is null, requests are closed.
func TestTheDocumentHoldsTogether(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal(Document(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc["openapi"] != "3.1.0" {
		t.Errorf("openapi is %v", doc["openapi"])
	}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case nil:
			t.Errorf("%s is null", at)
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				to := any(doc)
				for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
					m, _ := to.(map[string]any)
					to = m[part]
				}
				if to == nil {
					t.Errorf("%s: %s leads nowhere", at, ref)
				}
			}
			if types, ok := v["type"].([]any); ok {
				t.Errorf("%s: may be null: %v", at, types)
			}
			for k, m := range v {
				walk(at+"/"+k, m)
			}
		case []any:
			for i, m := range v {
				walk(at+"/"+strconv.Itoa(i), m)
			}
		}
	}
	walk("", doc)
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	for name, s := range schemas {
		m := s.(map[string]any)
		if m["type"] != "object" {
			t.Errorf("%s: type %v", name, m["type"])
		}
	}
	for name, closed := range map[string]bool{"OrderRequest": true, "OrderRequestLine": true, "BenefitChange": true, "Order": false, "Problem": false, "PageOrder": false} {
		if _, is := schemas[name].(map[string]any)["additionalProperties"]; is != closed {
			t.Errorf("%s: other members are refused: %v", name, is)
		}
	}
}

// TestReaderAndDocumentAgree has the strict reader read, for every request body, what the
// document says it must refuse: what is missing, too long, too large, unknown.
func TestReaderAndDocumentAgree(t *testing.T) {
	a := walked()
	registry := a.huma.OpenAPI().Components.Schemas
	asked := map[string]bool{}
	for i := range table {
		if op := operationOf(a.huma.OpenAPI(), &table[i]); op.RequestBody != nil {
			for _, m := range op.RequestBody.Content {
				a.reach(m.Schema, asked)
			}
		}
	}
	wrong := func(typ *strict.Type, goType reflect.Type, text string) []string {
		var out []string
		if err := typ.Read([]byte(text), reflect.New(goType).Interface()); err != nil {
			for _, f := range fault.From(err).Fields {
				out = append(out, f.Path+" "+f.Code)
			}
		}
		return out
	}
	checked := 0
	for name := range asked {
		schema := registry.Map()[name]
		goType := registry.TypeFromRef("#/components/schemas/" + name)
		typ := strict.Compile(goType)
		var missing []string
		for _, f := range wrong(typ, goType, "{}") {
			missing = append(missing, strings.TrimSuffix(f, " request.required"))
		}
		required := slices.Clone(schema.Required)
		slices.Sort(missing)
		slices.Sort(required)
		if !slices.Equal(missing, required) {
			t.Errorf("%s: the reader requires %v, the document %v", name, missing, required)
		}
		refuses := func(field, value, code string) {
			checked++
			if got := wrong(typ, goType, `{"`+field+`":`+value+`}`); !slices.Contains(got, field+" "+code) {
				t.Errorf("%s.%s takes %.40s: %v", name, field, value, got)
			}
		}
		refuses("no_such_member", "1", "request.unknown")
		for field, p := range schema.Properties {
			refuses(field, "null", "request.null")
			if p.MaxLength != nil {
				refuses(field, `"`+strings.Repeat("x", *p.MaxLength+1)+`"`, "request.too_long")
			}
			if p.MinLength != nil && *p.MinLength > 1 {
				refuses(field, `"x"`, "request.too_short")
			}
			if p.Maximum != nil {
				refuses(field, strconv.FormatInt(int64(*p.Maximum)+1, 10), "request.maximum")
			}
			if p.Minimum != nil {
				refuses(field, strconv.FormatInt(int64(*p.Minimum)-1, 10), "request.minimum")
			}
			if len(p.Enum) > 0 {
				refuses(field, `"no such choice"`, "request.choice")
			}
			if p.MinItems != nil {
				refuses(field, `[]`, "request.too_few_items")
			}
			if p.Type == "boolean" {
				refuses(field, `"true"`, "request.boolean")
			}
			if p.Type == "integer" {
				refuses(field, `1.5`, "request.integer")
			}
			if p.Type == "string" && p.Format != "date-time" && p.MaxLength == nil && len(p.Enum) == 0 {
				t.Errorf("%s.%s has no end", name, field)
			}
			if p.Type == "array" && p.MaxItems == nil {
				t.Errorf("%s.%s has no end", name, field)
			}
		}
	}
	if checked < 150 {
		t.Errorf("only %d places were tried", checked)
	}
}
