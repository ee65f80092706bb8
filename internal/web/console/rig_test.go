package console

import (
	"bytes"
	"html"
	"io"
	"log/slog"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/hotp"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow/flowtest"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/vault"
	"hufu/internal/web/ui"
)

const goodPassword = "seven quiet herons wading"

// rig is a console before a shop, with a browser for each person.
type rig struct {
	*testing.T
	shop    *flowtest.Shop
	people  *identity.Service
	console *Console
	mux     *http.ServeMux
	log     *bytes.Buffer
}

func newRig(t *testing.T, d *db.DB) *rig {
	t.Helper()
	shop := flowtest.New(t, d)
	people, err := identity.New(identity.Config{Sealer: shop.Keys, Key: shop.Keys.Derive("identity"), Passwords: identity.NewPasswords(identity.Cost{KiB: 64, Passes: 1, Lanes: 1}, 2)})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{T: t, shop: shop, people: people, mux: http.NewServeMux(), log: new(bytes.Buffer)}
	if r.console, err = New(Options{Flows: shop.Flows, Identity: people, PublicURL: "http://shop.test", Log: slog.New(slog.NewTextHandler(r.log, nil))}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.console.Close)
	r.console.Routes(r.mux)
	return r
}

func sqliteRig(t *testing.T) *rig { return newRig(t, dbtest.Open(t, "sqlite")) }

func (r *rig) do(fn func(tx *db.Tx) error) {
	r.Helper()
	if err := r.shop.DB.Do(r.Context(), fn); err != nil {
		r.Fatal(err)
	}
}

// browser keeps cookies and the page it was last shown.
type browser struct {
	*rig
	cookies map[string]string
	lang    i18n.Lang
	headers map[string]string
	secret  string // of the authenticator
	last    *httptest.ResponseRecorder
}

func (r *rig) browser() *browser {
	return &browser{rig: r, cookies: map[string]string{}, lang: i18n.ZH, headers: map[string]string{}}
}

func (b *browser) send(req *http.Request) *httptest.ResponseRecorder {
	req.AddCookie(&http.Cookie{Name: ui.LangCookie, Value: string(b.lang)})
	for _, n := range slices.Sorted(maps.Keys(b.cookies)) {
		req.AddCookie(&http.Cookie{Name: n, Value: b.cookies[n]})
	}
	for k, v := range b.headers {
		req.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	b.mux.ServeHTTP(w, req)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	b.last = w
	return w
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	return b.send(httptest.NewRequest(http.MethodGet, path, nil))
}

var proofField = regexp.MustCompile(`name="csrf" value="([^"]*)"`)

// proof is that of the page shown.
func (b *browser) proof() string {
	if m := proofField.FindStringSubmatch(b.last.Body.String()); m != nil {
		return m[1]
	}
	return ""
}

func (b *browser) key() string { return string(id.New[id.Job]()) }

// post sends a form as the page shown would; fields are name, value, name, value.
func (b *browser) post(path string, fields ...string) *httptest.ResponseRecorder {
	f := url.Values{"csrf": {b.proof()}, "idempotency_key": {b.key()}}
	for i := 0; i+1 < len(fields); i += 2 {
		if strings.HasPrefix(fields[i], "=") { // instead of what stands there
			f.Set(fields[i][1:], fields[i+1])
		} else {
			f.Add(fields[i], fields[i+1])
		}
	}
	return b.submit(path, f)
}

func (b *browser) submit(path string, f url.Values) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(f.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.send(req)
}

// upload sends a file after fields.
func (b *browser) upload(path, name, body string, fields ...string) *httptest.ResponseRecorder {
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for i := 0; i+1 < len(fields); i += 2 {
		_ = w.WriteField(fields[i], fields[i+1])
	}
	part, _ := w.CreateFormFile("file", name)
	_, _ = io.WriteString(part, body)
	_ = w.Close()
	req := httptest.NewRequest(http.MethodPost, path, &buf)
	req.Header.Set("Content-Type", w.FormDataContentType())
	return b.send(req)
}

// want checks the status of the last answer, and what it holds.
func (b *browser) want(status int, holds ...string) string {
	b.Helper()
	body := b.last.Body.String()
	if b.last.Code != status {
		b.Fatalf("got %d, want %d: %.600s\nlog: %s", b.last.Code, status, text(body), b.log)
	}
	for _, s := range holds {
		if !strings.Contains(body, s) {
			b.Errorf("no %q in %.900s", s, text(body))
		}
	}
	return body
}

var tags = regexp.MustCompile(`(?s)<svg.*?</svg>|<[^>]*>`)

func text(body string) string {
	if i := strings.Index(body, "<main"); i >= 0 {
		body = body[i:]
	}
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(body, " "))), " ")
}

// code is what the authenticator shows; each works once, so time goes on before it.
func (b *browser) code() string {
	b.Helper()
	b.shop.Time.Advance(30 * time.Second)
	c, err := hotp.GenerateCode(b.secret, uint64(b.shop.Time.Now().Unix()/30))
	if err != nil {
		b.Fatal(err)
	}
	return c
}

var secretField = regexp.MustCompile(`data-copy="([A-Z2-7]{32})"`)

// enrolled finishes a sign-in whose page shows the secret of a new authenticator.
func (b *browser) enrolled() {
	b.Helper()
	m := secretField.FindStringSubmatch(b.want(200))
	if m == nil {
		b.Fatal("no secret on the page", text(b.last.Body.String()))
	}
	b.secret = m[1]
	b.post("/console/sign-in/enrol", "totp", b.code())
	b.want(200)
}

// owner makes the first member of the staff.
func (r *rig) owner() *browser {
	r.Helper()
	b := r.browser()
	var token string
	r.do(func(tx *db.Tx) (err error) {
		token, err = r.people.SetUpToken(r.Context(), tx)
		return err
	})
	b.get("/console/setup?token=" + token)
	b.want(200)
	b.post("/console/setup", "token", token, "name", "林店长", "email", "owner@example.com", "password", goodPassword, "password_again", goodPassword)
	b.enrolled()
	b.get("/console")
	b.want(200)
	return b
}

// member makes a member of the staff with roles, past the pages.
func (r *rig) member(email string, roles ...identity.Role) *browser {
	r.Helper()
	var token string
	r.do(func(tx *db.Tx) error {
		made, err := r.people.Invite(r.Context(), tx, identity.System, identity.Invite{Email: email, Name: email, Roles: roles}, r.shop.Clock.Now())
		token = made.Token
		return err
	})
	b := r.browser()
	b.get("/console/join?token=" + token)
	b.want(200)
	b.post("/console/join", "token", token, "password", goodPassword, "password_again", goodPassword)
	b.enrolled()
	b.get("/console/profile")
	b.want(200)
	return b
}

// filled gives a shop in which every kind of page has something to show, and their paths.
func (r *rig) filled() map[string]string {
	r.Helper()
	codes, seats := r.shop.Stock(r, "codes"), r.shop.Stock(r, "counted")
	r.shop.Receive(r, seats, 5)
	batch := r.shop.Codes(r, codes, 30)
	offer := r.shop.Sell(r, 1990, seats, flowtest.Part{Stock: codes, Coded: true, Quantity: 1})
	paid := r.shop.Buy(r, flowtest.Want{Offer: offer, Quantity: 2})
	waiting, err := r.shop.Place(r.Context(), flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1}))
	if err != nil {
		r.Fatal(err)
	}
	if _, err := r.shop.Confirm(r.Context(), r.shop.Gateway.PayTwice(paid.Intent)); err != nil { // an exception and a refund
		r.Fatal(err)
	}
	if _, err := r.shop.WorkJobs(r.Context(), 10); err != nil {
		r.Fatal(err)
	}
	out := map[string]string{"ord": string(paid.Order.ID), "waiting": string(waiting.Order.ID), "ofr": string(offer.ID), "stk": string(codes), "seats": string(seats), "bat": string(batch.ID)}
	r.do(func(tx *db.Tx) error {
		o, err := r.shop.Catalogue.Offer(r.Context(), tx, offer.ID)
		if err != nil {
			return err
		}
		out["ben"] = string(o.Draft.Parts[0].Benefit.ID)
		if _, err := r.shop.Catalogue.PutRelation(r.Context(), tx, catalogue.Relation{Key: "line", Kind: catalogue.Extends, Name: catalogue.Text{ZH: "线", EN: "Line"}, From: catalogue.Side{Provider: "p"}, Severity: catalogue.Inform}, "system", r.shop.Clock.Now()); err != nil {
			return err
		}
		all, err := vault.CodesOf(r.Context(), tx, batch, "", 30)
		if err != nil {
			return err
		}
		for _, c := range all {
			if c.State == vault.CodeDelivered {
				out["cod"] = string(c.ID)
			} else {
				out["free"] = string(c.ID)
			}
		}
		return nil
	})
	out["rgt"] = string(r.shop.Held(r, paid.Order.ID)[0].ID)
	return out
}

// at puts the ids of a filled shop into a route's pattern.
func at(pattern string, ids map[string]string) string {
	_, path, _ := strings.Cut(pattern, " ")
	if path == "" {
		path = pattern
	}
	kind := map[string]string{"orders": "ord", "offers": "ofr", "benefits": "ben", "stocks": "stk", "batches": "bat", "codes": "cod", "rights": "rgt", "exceptions": "cas", "customers": "cus", "staff": "pty", "imports": "imp"}
	family := strings.Split(strings.TrimPrefix(path, "/console/"), "/")[0]
	k := ids[kind[family]]
	if k == "" {
		k = map[string]string{"rights": string(id.New[id.Right]()), "exceptions": string(id.New[id.Case]()), "imports": string(id.New[id.Import]()), "customers": string(id.New[id.Party]()), "staff": string(id.New[id.Party]()),
			"orders": string(id.New[id.Order]()), "offers": string(id.New[id.Offer]()), "benefits": string(id.New[id.Benefit]()), "stocks": string(id.New[id.Stock]()), "batches": string(id.New[id.Batch]()), "codes": string(id.New[id.Code]())}[family]
	}
	return strings.NewReplacer("{id}", k, "{n}", "1", "{key}", "line").Replace(path)
}
