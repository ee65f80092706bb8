package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pquerna/otp/totp"
	_ "modernc.org/sqlite"

	"hufu/internal/db"
	"hufu/internal/flow/flowtest"
	"hufu/internal/httpx"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/live"
	"hufu/internal/notify"
	"hufu/internal/payment"
)

// rig is the API of a whole shop on one database.
type rig struct {
	*flowtest.Shop
	t     testing.TB
	api   *API
	front http.Handler
	log   *bytes.Buffer
	keys  int
}

func newRig(t testing.TB, d *db.DB, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{Shop: flowtest.New(t, d), t: t, log: &bytes.Buffer{}}
	people, err := identity.New(identity.Config{Sealer: r.Keys, Key: r.Keys.Derive("identity"), Passwords: identity.NewPasswords(identity.Cost{KiB: 8, Passes: 1, Lanes: 1}, 2), Issuer: "Hufu"})
	if err != nil {
		t.Fatal(err)
	}
	hub := live.New()
	r.Changed = hub.Publish
	t.Cleanup(hub.Close)
	o := Options{Flows: r.Flows, Identity: people, Live: hub, PublicURL: "https://shop.example", Log: slog.New(slog.NewTextHandler(r.log, nil))}
	for _, c := range change {
		c(&o)
	}
	r.api = New(o)
	mux := http.NewServeMux()
	r.api.Routes(mux)
	r.front = httpx.Handler(mux, httpx.Options{Log: slog.New(slog.DiscardHandler), Fail: r.api.Fail})
	return r
}

// request is one call. A write gets a fresh idempotency key unless it has one.
type request struct {
	method, path string
	token        string
	body         any // a string is sent as it is, nil is no body
	kind         string
	key          string // "-" sends none
	lang         string
	headers      map[string]string
}

type answer struct {
	t      testing.TB
	status int
	header http.Header
	text   string
	json   map[string]any
}

func (r *rig) key() string {
	r.keys++
	return string(id.New[id.Order]())
}

func (q request) http(r *rig) *http.Request {
	var body io.Reader
	switch b := q.body.(type) {
	case nil:
	case string:
		body = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			r.t.Fatal(err)
		}
		body = bytes.NewReader(text)
	}
	h := httptest.NewRequest(q.method, Prefix+q.path, body)
	if q.body != nil {
		h.Header.Set("Content-Type", "application/json")
	}
	if q.kind != "" {
		h.Header.Set("Content-Type", q.kind)
	}
	if q.token != "" {
		h.Header.Set("Authorization", "Bearer "+q.token)
	}
	if q.key == "" {
		q.key = r.key()
	}
	if q.key != "-" {
		h.Header.Set("Idempotency-Key", q.key)
	}
	if q.lang == "" {
		q.lang = "en"
	}
	h.Header.Set("Accept-Language", q.lang)
	for k, v := range q.headers {
		h.Header.Set(k, v)
	}
	return h
}

// do sends a request and checks what holds for every answer: a problem is a problem, of a
// code that the document tells, in words; nothing is null; nothing of ours shows.
func (r *rig) do(q request) answer {
	r.t.Helper()
	h := q.http(r)
	w := httptest.NewRecorder()
	r.front.ServeHTTP(w, h)
	a := answer{t: r.t, status: w.Code, header: w.Header(), text: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &a.json); err != nil && strings.Contains(w.Header().Get("Content-Type"), "json") {
		r.t.Errorf("%s %s: no JSON: %v\n%s", q.method, q.path, err, a.text)
	}
	if w.Code >= 400 {
		r.problem(q, h, a)
	}
	if strings.Contains(w.Header().Get("Content-Type"), "json") {
		noNull(r.t, q.path, any(a.json))
	}
	return a
}

func (r *rig) problem(q request, h *http.Request, a answer) {
	r.t.Helper()
	where := q.method + " " + q.path
	if ct := a.header.Get("Content-Type"); ct != "application/problem+json" {
		r.t.Errorf("%s: a problem is %q", where, ct)
	}
	code, _ := a.json["code"].(string)
	if strings.Contains(a.text, "⟦") || a.json["detail"] == "" || a.json["title"] == "" || a.json["trace"] == "" || int(a.json["status"].(float64)) != a.status {
		r.t.Errorf("%s: %s", where, a.text)
	}
	for _, ours := range []string{"goroutine", ".go:", "SELECT", "sqlite", "pgx", "/tmp/", "panic"} {
		if strings.Contains(a.text, ours) {
			r.t.Errorf("%s shows %q: %s", where, ours, a.text)
		}
	}
	s := r.specAt(h)
	if s == nil {
		return
	}
	if !slices.Contains(commonFaults, code) && !slices.Contains(strings.Fields(s.Faults), code) {
		r.t.Errorf("%s (%s): the document doesn't tell of %s", where, s.Name, code)
	}
	if op := operationOf(r.api.huma.OpenAPI(), s); op.Responses[itoa(a.status)] == nil {
		r.t.Errorf("%s (%s): the document doesn't tell of %d", where, s.Name, a.status)
	}
}

func (r *rig) specAt(h *http.Request) *spec {
	for i := range table {
		if table[i].Method == h.Method && matches(Prefix+table[i].Path, h.URL.Path) {
			return &table[i]
		}
	}
	return nil
}

func noNull(t testing.TB, where string, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for k, m := range v {
			if m == nil {
				t.Errorf("%s: %s is null", where, k)
			}
			noNull(t, where, m)
		}
	case []any:
		for _, m := range v {
			if m == nil {
				t.Errorf("%s: a member is null", where)
			}
			noNull(t, where, m)
		}
	}
}

// want checks status and, of a problem, code; "" is no problem.
func (a answer) want(status int, code string) answer {
	a.t.Helper()
	if a.status != status || a.code() != code {
		a.t.Fatalf("got %d %s, want %d %s\n%s", a.status, a.code(), status, code, a.text)
	}
	return a
}

func (a answer) code() string {
	if a.status < 400 {
		return ""
	}
	s, _ := a.json["code"].(string)
	return s
}

// at finds a member by path: "lines.0.offer".
func (a answer) at(path string) any {
	a.t.Helper()
	var v any = a.json
	for part := range strings.SplitSeq(path, ".") {
		switch m := v.(type) {
		case map[string]any:
			v = m[part]
		case []any:
			n := 0
			for _, c := range part {
				n = n*10 + int(c-'0')
			}
			if n >= len(m) {
				a.t.Fatalf("%s: only %d members\n%s", path, len(m), a.text)
			}
			v = m[n]
		default:
			a.t.Fatalf("%s isn't there\n%s", path, a.text)
		}
	}
	return v
}

func (a answer) str(path string) string {
	a.t.Helper()
	s, ok := a.at(path).(string)
	if !ok {
		a.t.Fatalf("%s is no text\n%s", path, a.text)
	}
	return s
}

func (a answer) items() []any {
	a.t.Helper()
	items, ok := a.json["items"].([]any)
	if !ok {
		a.t.Fatalf("no items\n%s", a.text)
	}
	return items
}

// wrong lists what is wrong with a request, as "path code".
func (a answer) wrong() []string {
	var out []string
	errs, _ := a.json["errors"].([]any)
	for _, e := range errs {
		m := e.(map[string]any)
		out = append(out, m["path"].(string)+" "+m["code"].(string))
	}
	return out
}

var counted = []string{"benefits", "benefit_versions", "offers", "offer_versions", "relations", "relation_versions", "order_acknowledgements", "order_terms", "stocks", "stock_receipts", "allotments", "allotment_moves", "editions", "reservations", "code_batches", "codes", "imports", "orders", "order_lines",
	"payment_intents", "payment_captures", "refunds", "rights", "right_events", "ledger_transfers", "jobs", "audit_rows", "exceptions", "parties", "staff", "invitations",
	"sessions", "one_time_codes", "settings", "setting_proposals", "idempotency", "notifications"}

var countRows = func() *db.Stmt {
	parts := make([]string, len(counted))
	for i, table := range counted {
		parts[i] = "SELECT '" + table + "' AS name, COUNT(*) AS n FROM " + table
	}
	return db.SQL("test.api_rows", strings.Join(parts, " UNION ALL "))
}()

// rows counts the rows of every table.
func (r *rig) rows() map[string]int64 {
	r.t.Helper()
	out := map[string]int64{}
	if err := r.DB.View(r.t.Context(), func(tx *db.Tx) error {
		return tx.Query(r.t.Context(), countRows, func(scan func(...any) error) error {
			var name string
			var n int64
			err := scan(&name, &n)
			out[name] = n
			return err
		})
	}); err != nil {
		r.t.Fatal(err)
	}
	return out
}

// changes runs something and tells which tables have more rows afterwards, or fewer:
// "orders+1".
func (r *rig) changes(fn func()) string {
	r.t.Helper()
	was := r.rows()
	fn()
	is := r.rows()
	var out []string
	for _, name := range counted {
		switch n := is[name] - was[name]; {
		case n > 0:
			out = append(out, name+"+"+itoa(n))
		case n < 0:
			out = append(out, name+itoa(n))
		}
	}
	return strings.Join(out, " ")
}

func itoa[N int | int64](n N) string {
	b, _ := json.Marshal(n)
	return string(b)
}

// in runs a closure in a transaction.
func (r *rig) in(fn func(ctx context.Context, tx *db.Tx) error) {
	r.t.Helper()
	if err := r.DB.Do(r.t.Context(), func(tx *db.Tx) error { return fn(r.t.Context(), tx) }); err != nil {
		r.t.Fatal(err)
	}
}

const password = "tuk7-vopa three cats"

// person is somebody signed in.
type person struct {
	id, token, secret string
}

// owner makes the first member of the staff and signs them in.
func (r *rig) owner() person {
	r.t.Helper()
	now := r.Clock.Now()
	hash, err := r.api.Identity.Passwords().Hash(r.t.Context(), password)
	if err != nil {
		r.t.Fatal(err)
	}
	var opened identity.Opened
	r.in(func(ctx context.Context, tx *db.Tx) error {
		token, err := r.api.Identity.SetUpToken(ctx, tx)
		if err != nil {
			return err
		}
		a, err := r.api.Identity.SetUp(ctx, tx, identity.SetUp{Token: token, Email: "owner@shop.example", Name: "Owner", Lang: i18n.EN, Password: hash}, now)
		opened = a.Result
		if err == nil {
			err = a.Err
		}
		return err
	})
	return r.enrol(string(opened.Party.ID), opened.Token)
}

func (r *rig) enrol(party, token string) person {
	r.t.Helper()
	secret := r.do(request{method: "POST", path: "/staff/session/enrolment", token: token}).want(200, "").str("secret")
	a := r.do(request{method: "POST", path: "/staff/session/enrolment/confirm", token: token, body: map[string]any{"code": r.code(secret)}}).want(200, "")
	return person{party, a.str("session.token"), secret}
}

func (r *rig) code(secret string) string {
	r.t.Helper()
	c, err := totp.GenerateCode(secret, r.Clock.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// staff invites somebody, who joins and signs in.
func (r *rig) staff(by person, roles ...identity.Role) person {
	r.t.Helper()
	a := r.do(request{method: "POST", path: "/staff/members", token: by.token, body: map[string]any{"email": strings.ToLower(r.key()) + "@shop.example", "name": "N", "roles": roles}}).want(201, "")
	hash, err := r.api.Identity.Passwords().Hash(r.t.Context(), password)
	if err != nil {
		r.t.Fatal(err)
	}
	_, token, _ := strings.Cut(a.str("url"), "?token=")
	opened, err := identity.Commit(r.t.Context(), r.DB, func(tx *db.Tx) (db.Answer[identity.Opened], error) {
		return r.api.Identity.Accept(r.t.Context(), tx, token, hash, identity.Origin{}, r.Clock.Now())
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return r.enrol(a.str("party"), opened.Token)
}

// member signs a shopper in by a one-time code.
func (r *rig) member(phone string) person {
	r.t.Helper()
	sent := r.do(request{method: "POST", path: "/member/codes", body: map[string]any{"to": phone}}).want(202, "")
	a := r.do(request{method: "POST", path: "/member/sessions", body: map[string]any{"ticket": sent.str("ticket"), "code": r.sentCode()}}).want(201, "")
	return person{id: a.str("party.id"), token: a.str("token")}
}

// sentCode reads the one-time code in the newest message.
func (r *rig) sentCode() string {
	r.t.Helper()
	var out string
	r.in(func(ctx context.Context, tx *db.Tx) error {
		all, err := notify.Newest(ctx, tx, "", 1)
		for _, m := range all {
			for word := range strings.FieldsFuncSeq(m.Body, func(c rune) bool { return c < '0' || c > '9' }) {
				if len(word) == 6 {
					out = word
				}
			}
		}
		return err
	})
	if out == "" {
		r.t.Fatal("no code was sent")
	}
	return out
}

// terms is the hash of an offer's terms, or of none if there is no such offer.
func (r *rig) terms(offer id.Offer) string {
	if seen := r.do(request{method: "GET", path: "/offers/" + string(offer)}); seen.status == 200 {
		return seen.str("terms")
	}
	return strings.Repeat("0", 64)
}

// placeBody asks for some of an offer, whose terms its buyer accepts.
func (r *rig) placeBody(offer id.Offer, n int, more ...any) map[string]any {
	b := map[string]any{"lines": []any{map[string]any{"offer": offer, "quantity": n, "terms": r.terms(offer)}}, "gateway": flowtest.Channel}
	for i := 0; i+1 < len(more); i += 2 {
		b[more[i].(string)] = more[i+1]
	}
	return b
}

// bought is an order that was placed over the API and paid.
type bought struct {
	id    id.Order
	token string
}

func (r *rig) buy(offer id.Offer, token string) bought {
	r.t.Helper()
	a := r.do(request{method: "POST", path: "/orders", token: token, body: r.placeBody(offer, 1)}).want(201, "")
	o := id.Order(a.str("id"))
	r.pay(o)
	return bought{o, a.str("token")}
}

// pay has the gateway tell that an order was paid.
func (r *rig) pay(o id.Order) {
	r.t.Helper()
	var p *payment.Intent
	r.in(func(ctx context.Context, tx *db.Tx) error {
		all, err := r.Payments.IntentsOf(ctx, tx, []id.Order{o})
		if err == nil {
			p = all[o][0]
		}
		return err
	})
	notice, ok := r.Gateway.Pay(p, p.Amount)
	if !ok {
		r.t.Fatal("the charge is closed")
	}
	if _, err := r.Confirm(r.t.Context(), notice); err != nil {
		r.t.Fatal(err)
	}
}
