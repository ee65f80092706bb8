package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hufu/internal/api/strict"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/httpx"
	"hufu/internal/idem"
)

// none is the answer of an operation that has nothing to say.
type none struct{}

// reply is an answer as the document describes it.
type reply[T any] struct{ Body T }

// patience is how long an operation may take.
const patience = 30 * time.Second

// operation binds a handler to its row of the table: it may call it as often as it is asked.
func operation[I, O any](a *API, name string, handle func(context.Context, *Call, *I) (*O, error)) {
	var describe func(huma.Operation)
	if reflect.TypeFor[O]() == reflect.TypeFor[none]() {
		describe = func(op huma.Operation) { document[I, none](a, op) }
	} else {
		describe = func(op huma.Operation) { document[I, reply[O]](a, op) }
	}
	read := planOf(reflect.TypeFor[I]())
	a.bind(name, describe, func(ctx context.Context, c *Call) (any, error) {
		in := new(I)
		if err := read.fill(c, in); err != nil {
			return nil, err
		}
		out, err := handle(ctx, c, in)
		if out == nil || reflect.TypeFor[O]() == reflect.TypeFor[none]() {
			return nil, err
		}
		return out, err
	})
}

// once binds a handler whose effect and kept answer are one transaction: the same request
// under the same key gets the same answer and has one effect (I18). The handler must be
// repeatable.
func once[I, O any](a *API, name string, handle func(context.Context, *db.Tx, *Call, *I) (*O, error)) {
	operation(a, name, func(ctx context.Context, c *Call, in *I) (*O, error) {
		var out *O
		err := a.Flows.DB.Do(ctx, func(tx *db.Tx) error {
			if err := a.begin(ctx, tx, c); err != nil {
				return err
			}
			var err error
			if out, err = handle(ctx, tx, c, in); err != nil {
				return err
			}
			return a.finish(ctx, tx, c, out)
		})
		if err != nil {
			return nil, err
		}
		return out, nil
	})
}

// stream binds a handler that writes its answer itself, as this kind of content.
func stream[I any](a *API, name, content string, handle func(context.Context, *Call, *I) error) {
	read := planOf(reflect.TypeFor[I]())
	a.bind(name, func(op huma.Operation) {
		op.DefaultStatus = http.StatusOK
		op.Responses["200"] = &huma.Response{Description: op.Summary, Content: map[string]*huma.MediaType{content: {Schema: &huma.Schema{Type: "string"}}}}
		document[I, none](a, op)
	}, func(ctx context.Context, c *Call) (any, error) {
		in := new(I)
		if err := read.fill(c, in); err != nil {
			return nil, err
		}
		if err := handle(ctx, c, in); err != nil {
			return nil, err
		}
		return streamed, nil
	})
}

var streamed = new(none)

func specOf(name string) *spec {
	i := slices.IndexFunc(table, func(s spec) bool { return s.Name == name })
	if i < 0 {
		panic("api: the operation " + name + " isn't in the table")
	}
	return &table[i]
}

func (a *API) bind(name string, describe func(huma.Operation), act func(context.Context, *Call) (any, error)) {
	s := specOf(name)
	if a.bound[name] {
		panic("api: the operation " + name + " has two handlers")
	}
	a.bound[name] = true
	describe(describeSpec(s))
	a.mux.HandleFunc(s.Method+" "+Prefix+s.Path, func(w http.ResponseWriter, r *http.Request) {
		a.serve(s, act, w, r)
	})
}

func (a *API) serve(s *spec, act func(context.Context, *Call) (any, error), w http.ResponseWriter, r *http.Request) {
	c := &Call{Caller: httpx.CallerOf(r.Context()), spec: s, w: w, r: r, status: s.Status}
	if c.status == 0 {
		c.status = http.StatusOK
	}
	ctx := r.Context()
	if !s.readsItself() {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, patience)
		defer stop()
	}
	body := buffers.Get()
	defer buffers.Put(body)
	out, err := a.receive(ctx, c, body, act)
	if again, ok := errors.AsType[*kept](err); ok {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Idempotent-Replayed", "true")
		if again.status == http.StatusNoContent {
			w.WriteHeader(again.status)
			return
		}
		h.Set("Content-Type", "application/json")
		send(w, again.status, again.body)
		return
	}
	if err != nil {
		a.Fail(w, r, err)
		return
	}
	a.answer(c, out)
}

// receive checks everything that is alike for all operations, and acts.
func (a *API) receive(ctx context.Context, c *Call, body *buffer, act func(context.Context, *Call) (any, error)) (any, error) {
	if a.rates != nil {
		if err := a.rates.take(c.header(), network(c.IP), a.Flows.Clock.Now()); err != nil {
			return nil, err
		}
	}
	if !accepts(c.r.Header["Accept"]) {
		return nil, errAccept
	}
	if err := a.admit(ctx, c); err != nil {
		return nil, err
	}
	if c.spec.Repeat == Keyed {
		keys := c.r.Header["Idempotency-Key"]
		if len(keys) != 1 {
			return nil, fault.New(fault.Invalid, "request.no_key")
		}
		if err := idem.Check(keys[0]); err != nil {
			return nil, err
		}
		c.key = keys[0]
	}
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead && !c.spec.readsItself() {
		limit := int64(maxBody)
		if c.spec.MaxBody > 0 {
			limit = c.spec.MaxBody
		}
		if err := readBody(c, body, limit); err != nil {
			return nil, err
		}
		c.body = body.Bytes()
	}
	return act(ctx, c)
}

func readBody(c *Call, into *buffer, limit int64) error {
	if c.r.ContentLength == 0 || c.r.Body == nil || c.r.Body == http.NoBody {
		return nil
	}
	if c.r.ContentLength > limit {
		return tooLarge(limit)
	}
	_, err := into.ReadFrom(http.MaxBytesReader(c.w, c.r.Body, limit))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return tooLarge(limit)
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "request.cut")
	}
	return nil
}

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "request.too_large", "kb", strconv.FormatInt(limit>>10, 10))
}

// accepts reports whether a caller takes JSON.
func accepts(headers []string) bool {
	if len(headers) == 0 {
		return true
	}
	for _, h := range headers {
		if h == "" || h == "*/*" || h == "application/json" {
			return true
		}
		for part := range strings.SplitSeq(h, ",") {
			kind, params, _ := strings.Cut(strings.TrimSpace(part), ";")
			if strings.ReplaceAll(params, " ", "") == "q=0" {
				continue
			}
			switch strings.TrimSpace(kind) {
			case "*/*", "application/*", "application/json", "application/problem+json", "text/event-stream", "text/csv", "text/*":
				return true
			}
		}
	}
	return false
}

func (a *API) answer(c *Call, out any) {
	if out == streamed {
		return
	}
	h := c.header()
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	if out == nil {
		c.w.WriteHeader(http.StatusNoContent)
		return
	}
	h.Set("Content-Type", "application/json")
	if c.done != nil {
		send(c.w, c.status, c.done)
		return
	}
	b := buffers.Get()
	defer buffers.Put(b)
	if err := b.encode(out); err != nil {
		a.Fail(c.w, c.r, err)
		return
	}
	b.send(c.w, c.status)
}

// plan is how a request is read into an input struct.
type plan struct {
	body      *strict.Type
	bodyAt    []int
	params    []param
	queryable bool
}

type param struct {
	name  string
	path  bool // else of the query
	index []int
	typ   *strict.Type
	basic string // default
	must  bool
}

func planOf(t reflect.Type) *plan {
	p := &plan{}
	p.collect(t, nil)
	return p
}

func (p *plan) collect(t reflect.Type, at []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(append([]int(nil), at...), i)
		if f.Anonymous {
			p.collect(f.Type, index)
			continue
		}
		if f.Name == "Body" {
			p.body, p.bodyAt = strict.Compile(f.Type), index
			continue
		}
		name, path := f.Tag.Lookup("path")
		if !path {
			name = f.Tag.Get("query")
			p.queryable = true
		}
		if name == "" {
			panic("api: " + t.String() + "." + f.Name + " has no place in a request")
		}
		p.params = append(p.params, param{name: name, path: path, index: index, typ: strict.Field(f), basic: f.Tag.Get("default"), must: path || f.Tag.Get("required") == "true"})
	}
}

// fill reads path, query and body into the input struct that in points to.
func (p *plan) fill(c *Call, in any) error {
	v := reflect.ValueOf(in).Elem()
	var wrong []fault.Field
	if c.r.URL.RawQuery != "" || p.queryable {
		wrong = p.query(c.r, v)
	}
	for _, q := range p.params {
		if q.path {
			if f := q.typ.Text(q.name, c.r.PathValue(q.name), v.FieldByIndex(q.index)); f != nil {
				wrong = append(wrong, *f)
			}
		}
	}
	if len(wrong) > 0 {
		f := fault.New(fault.Invalid, "request.invalid")
		f.Fields = wrong
		return f
	}
	if p.body == nil {
		if len(c.body) > 0 {
			return fault.New(fault.Invalid, "request.no_body")
		}
		return nil
	}
	if !isJSON(c.r.Header["Content-Type"]) {
		return errType
	}
	return p.body.Read(c.body, v.FieldByIndex(p.bodyAt).Addr().Interface())
}

func isJSON(types []string) bool {
	if len(types) != 1 {
		return false
	}
	if types[0] == "application/json" {
		return true
	}
	kind, params, _ := strings.Cut(types[0], ";")
	charset, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "charset=")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json") && ok && strings.Trim(charset, `"`) == "utf-8"
}

// query reads the parameters after the question mark: each known, and there once.
func (p *plan) query(r *http.Request, v reflect.Value) []fault.Field {
	var wrong []fault.Field
	blame := func(path, code string) {
		wrong = append(wrong, fault.New(fault.Invalid, "request.invalid").At(path, code).Fields[0])
	}
	given, err := queryOf(r)
	if err != nil {
		blame("query", "request.query")
		return wrong
	}
	for name := range given {
		if !slices.ContainsFunc(p.params, func(q param) bool { return !q.path && q.name == name }) {
			blame(clipName(name), "request.unknown_parameter")
		}
	}
	for _, q := range p.params {
		if q.path {
			continue
		}
		values := given[q.name]
		text := q.basic
		switch {
		case len(values) > 1:
			blame(q.name, "request.twice")
			continue
		case len(values) == 1:
			text = values[0]
		case text == "" && q.must:
			blame(q.name, "request.required")
			continue
		case text == "":
			continue
		}
		if f := q.typ.Text(q.name, text, v.FieldByIndex(q.index)); f != nil {
			wrong = append(wrong, *f)
		}
	}
	slices.SortFunc(wrong, func(a, b fault.Field) int { return strings.Compare(a.Path, b.Path) })
	return wrong
}

func clipName(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
