package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hufu/internal/identity"
)

// about is what the document says first.
const about = `Selling, delivering and redeeming digital entitlements.

Every error is a problem details document (RFC 9457) whose code names the cause and whose
detail says, in the language of Accept-Language (zh-CN or en), what happened and what to do.

Amounts are minor units (fen, cents) beside an ISO 4217 currency; times are RFC 3339 in UTC;
ids are opaque. A request with an unknown or repeated member, with null, or with a number
out of range is refused whole.

Operations that take an Idempotency-Key may be sent again with the same key and the same
body: the first answer is given again and nothing is done twice. The same key with another
body is refused with 409 idempotency.reused.

Lists come in pages: send limit (at most 200) and, for what follows, the next of the answer
before as cursor. RateLimit and RateLimit-Policy say how many requests are left; after 429
wait as Retry-After says.`

// mute is where huma puts the routes of the document's operations: nowhere. They are served
// by API.serve.
type mute struct{}

// Handle implements huma.Adapter.
func (mute) Handle(*huma.Operation, func(huma.Context)) {}

// ServeHTTP implements huma.Adapter.
func (mute) ServeHTTP(http.ResponseWriter, *http.Request) {}

func config() huma.Config {
	c := huma.DefaultConfig("Hufu", "1")
	c.Info.Description = about
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.CreateHooks = nil // no $schema member in answers
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.AllowAdditionalPropertiesByDefault = false
	c.Servers = []*huma.Server{{URL: "/"}}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"order":  {Type: "http", Scheme: "bearer", Description: "The token that came with an order"},
		"member": {Type: "http", Scheme: "bearer", Description: "A member's session: POST " + Prefix + "/member/sessions"},
		"staff":  {Type: "http", Scheme: "bearer", Description: "A session of the staff: POST " + Prefix + "/staff/sessions, then its second factor"},
	}
	return c
}

// document adds an operation to the document.
func document[I, O any](a *API, op huma.Operation) {
	huma.Register(a.huma, op, func(context.Context, *I) (*O, error) { return new(O), nil })
}

// describeSpec is what the table says of an operation, as the document says it.
func describeSpec(s *spec) huma.Operation {
	op := huma.Operation{OperationID: s.Name, Method: s.Method, Path: Prefix + s.Path, Summary: s.Summary, DefaultStatus: s.Status, Security: []map[string][]string{},
		Responses: map[string]*huma.Response{}, Extensions: map[string]any{"x-audience": string(s.For), "x-repeat": string(s.Repeat)}}
	parts := strings.Split(strings.TrimPrefix(s.Path, "/"), "/")
	if parts[0] == "staff" {
		parts[0] += " " + parts[1]
	}
	op.Tags = parts[:1]
	var notes []string
	switch s.For {
	case Everyone:
		op.Security = []map[string][]string{{}}
	case Shopper:
		op.Security = []map[string][]string{{}, {"member": {}}}
		notes = append(notes, "For guests and for members.")
	case Holder:
		op.Security = []map[string][]string{{"order": {}}, {"member": {}}}
		notes = append(notes, "For who has the order's token, or the member whose order it is.")
	case Member:
		op.Security = []map[string][]string{{"member": {}}}
	case Step, Staff:
		op.Security = []map[string][]string{{"staff": {}}}
	}
	if s.Right != "" {
		op.Extensions["x-right"] = string(s.Right)
		notes = append(notes, "Needs the right "+string(s.Right)+" (roles: "+rolesWith(s.Right)+").")
	}
	if s.Fresh {
		notes = append(notes, "Asks for a proof of identity of the last ten minutes: 403 identity.confirm without one; see confirm-session.")
	}
	if s.Repeat == Keyed {
		length := 1
		most := 200
		op.Parameters = append(op.Parameters, &huma.Param{Name: "Idempotency-Key", In: "header", Required: true, Description: "Names the request: visible ASCII, for example a UUID",
			Schema: &huma.Schema{Type: "string", MinLength: &length, MaxLength: &most}})
	}
	if s.Why != "" {
		notes = append(notes, "Takes no idempotency key: "+s.Why+".")
	}
	op.Description = strings.Join(notes, " ")
	switch s.Name { // bodies that are no JSON of ours
	case "import-catalogue":
		op.RequestBody = file("A catalogue file (hufu-catalogue/1), or its tables: a workbook, a zip archive of CSV files, or one of them", "application/json", xlsx, "application/zip", "text/csv")
	case "create-import":
		op.RequestBody = file("The file, or a form with a part named file", "text/csv", "text/plain", "application/octet-stream",
			"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "multipart/form-data")
	}
	for _, status := range statuses(s) {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Ref: "#/components/responses/" + strconv.Itoa(status)}
	}
	if s.Faults != "" {
		op.Extensions["x-faults"] = strings.Fields(s.Faults)
	}
	return op
}

func file(about string, kinds ...string) *huma.RequestBody {
	b := &huma.RequestBody{Description: about, Required: true, Content: map[string]*huma.MediaType{}}
	for _, k := range kinds {
		b.Content[k] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
		if k == "multipart/form-data" {
			b.Content[k].Schema = &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{"file": {Type: "string", Format: "binary"}}}
		}
	}
	return b
}

func rolesWith(right identity.Right) string {
	var names []string
	for _, r := range identity.AllRoles {
		if r.May(right) {
			names = append(names, string(r))
		}
	}
	return strings.Join(names, ", ")
}

// statuses are those of the problems that an operation may answer with.
func statuses(s *spec) []int {
	all := []int{http.StatusBadRequest, http.StatusNotAcceptable, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}
	if s.For != Everyone || s.Method != http.MethodGet {
		all = append(all, http.StatusUnauthorized)
	}
	if s.For == Staff {
		all = append(all, http.StatusForbidden)
	}
	if s.Method != http.MethodGet {
		all = append(all, http.StatusConflict, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if strings.Contains(s.Path, "{") || strings.Contains(s.Faults, ".no_") || s.Method != http.MethodGet {
		all = append(all, http.StatusNotFound)
	}
	return all
}

// commonFaults are the codes that any operation may answer with.
var commonFaults = strings.Fields(`internal unavailable too_many unauthenticated forbidden identity.session_ended identity.confirm
request.invalid request.empty request.accept request.media_type request.no_body request.too_large request.cut request.authorization request.second_factor
request.no_key idempotency.key idempotency.reused idempotency.lost`)

func (a *API) finishDocument() {
	doc := a.huma.OpenAPI()
	schemas := doc.Components.Schemas
	problem := schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	doc.Components.Responses = map[string]*huma.Response{}
	for status, text := range map[int]string{
		400: "The request can't be right; errors says where", 401: "Sign-in is needed, or has ended", 403: "The right is missing", 404: "It isn't there, or not for this caller",
		406: "Answers are JSON", 409: "Not in the present state", 410: "Its time is over", 413: "Too large", 415: "Another kind of content is expected",
		429: "Too many requests; wait as Retry-After says", 500: "Our failure; trace names it", 503: "Not now; send the same request again",
	} {
		doc.Components.Responses[strconv.Itoa(status)] = &huma.Response{Description: text, Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}}}
	}
	delete(schemas.Map(), "ErrorModel")
	delete(schemas.Map(), "ErrorDetail")
	doc.Extensions = map[string]any{"x-common-faults": commonFaults}

	asked := map[string]bool{}
	for _, path := range doc.Paths {
		for _, op := range []*huma.Operation{path.Get, path.Post, path.Put, path.Patch, path.Delete} {
			if op != nil && op.RequestBody != nil {
				for _, m := range op.RequestBody.Content {
					a.reach(m.Schema, asked)
				}
			}
		}
	}
	for name, s := range schemas.Map() {
		tidy(s, asked[name])
	}
	for _, path := range doc.Paths {
		for _, op := range []*huma.Operation{path.Get, path.Post, path.Put, path.Patch, path.Delete} {
			if op == nil {
				continue
			}
			for _, r := range op.Responses {
				for _, m := range r.Content {
					tidy(m.Schema, false)
				}
			}
			if op.RequestBody != nil {
				for _, m := range op.RequestBody.Content {
					tidy(m.Schema, true)
				}
			}
		}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		panic(err)
	}
	out.WriteByte('\n')
	a.document = out.Bytes()
}

// reach notes the schemas that a request can hold.
func (a *API) reach(s *huma.Schema, seen map[string]bool) {
	if s == nil {
		return
	}
	if s.Ref != "" {
		name := s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
		if seen[name] {
			return
		}
		seen[name] = true
		s = a.huma.OpenAPI().Components.Schemas.SchemaFromRef(s.Ref)
	}
	a.reach(s.Items, seen)
	for _, p := range s.Properties {
		a.reach(p, seen)
	}
}

// tidy says of a schema what holds here: nothing is null; what isn't named is refused in a
// request, and may come to an answer with a later version.
func tidy(s *huma.Schema, asked bool) {
	if s == nil {
		return
	}
	s.Nullable = false
	if inner, ok := s.AdditionalProperties.(*huma.Schema); ok && s.MaxLength != nil { // a limit of what is in the map
		inner.MaxLength, s.MaxLength = s.MaxLength, nil
	}
	if !asked && s.AdditionalProperties == false {
		s.AdditionalProperties = nil
	}
	tidy(s.Items, asked)
	for _, p := range s.Properties {
		tidy(p, asked)
	}
}

// Document is the OpenAPI 3.1 document as indented JSON, the same for the same program.
func Document() []byte {
	a := New(Options{})
	a.Routes(http.NewServeMux())
	return a.document
}

func (a *API) serveDocument(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/openapi+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	send(w, http.StatusOK, a.document)
}
