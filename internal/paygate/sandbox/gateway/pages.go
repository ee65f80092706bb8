package gateway

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"hufu/internal/i18n"
	"hufu/internal/money"
)

//go:embed pages/*.html pages/style.css
var pageFiles embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"money": func(minor int64, currency string) string { return money.Of(minor, money.Currency(currency)).String() },
	"at":    func(t time.Time) string { return t.In(billZone).Format("2006-01-02 15:04:05") + " UTC+8" },
	"iso":   func(t time.Time) string { return t.Format(time.RFC3339) },
}).ParseFS(pageFiles, "pages/*.html"))

// view is what every page is drawn from.
type view struct {
	Lang     i18n.Lang
	Chosen   bool // the address names the language
	Title    string
	Switch   string // the same page in the other language
	Refresh  string // content of a refresh element
	Nonce    string
	Seconds  int64 // for the countdown
	Merchant Merchant
	Trade    *trade
	Note     string // key of a message
	Problem  string
	Action   string // where forms go
	Back     string
	Payable  bool
	Late     bool
	Rows     []row
	More     bool
	Notices  []*delivery
	Journal  []exchange
	Fields   []faultField
	FaultsOn bool
	Answers  string
	Chances  string
	Seed     string
	Shops    []Merchant
}

// row is a trade in the list.
type row struct {
	*trade
	Shop     string
	Refunded int64
	Taken    int
	Sent     int
}

// T is a message in the page's language.
func (v view) T(key string, params ...string) string { return v.Lang.T("sandbox."+key, params...) }

// Money writes an amount as people read it.
func (v view) Money(minor int64, currency string) string {
	return money.Of(minor, money.Currency(currency)).String()
}

func (s *Server) view(r *http.Request) view {
	v := view{Lang: i18n.Match(r.Header.Get("Accept-Language")), Nonce: rand.Text()}
	q := r.URL.Query()
	// A cashier's link speaks for itself: what was chosen on another page, or for another
	// shopper's link, doesn't count there.
	if c, err := r.Cookie("lang"); err == nil && r.URL.Path != "/cashier" && r.URL.Path != "/pay" {
		v.Lang = i18n.Match(c.Value)
	}
	if l := q.Get("lang"); l != "" {
		v.Lang, v.Chosen = i18n.Match(l), true
	}
	other := i18n.EN
	if v.Lang == i18n.EN {
		other = i18n.ZH
	}
	q.Set("lang", string(other))
	v.Switch = r.URL.Path + "?" + q.Encode()
	v.Title = v.T("title")
	return v
}

func (s *Server) show(w http.ResponseWriter, status int, name string, v view) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, v); err != nil {
		s.log.Error("a page of the sandbox gateway can't be drawn", "page", name, "err", err)
		http.Error(w, "internal", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self' 'nonce-"+v.Nonce+"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if v.Chosen {
		http.SetCookie(w, &http.Cookie{Name: "lang", Value: string(v.Lang), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	w.WriteHeader(status)
	b.WriteTo(w)
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/ping", s.call(plain{}, "ping", s.ping))
	mux.HandleFunc("POST /v1/query", s.call(plain{}, "query", s.query))
	mux.HandleFunc("POST /v1/close", s.call(plain{}, "close", s.closeTrade))
	mux.HandleFunc("POST /v1/refund", s.call(plain{}, "refund", s.refund))
	mux.HandleFunc("POST /v1/refund/query", s.call(plain{}, "refund_query", s.queryRefund))
	mux.HandleFunc("POST /v1/bill", s.call(plain{}, "bill", s.bill))
	s.wechatRoutes(mux)
	s.alipayRoutes(mux)
	mux.HandleFunc("GET /pay", s.prepaid)
	mux.HandleFunc("POST /pay", s.prepaid)
	mux.HandleFunc("GET /cashier", s.cashier)
	mux.HandleFunc("POST /cashier", s.cashier)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=3600")
		http.ServeFileFS(w, r, pageFiles, "pages/style.css")
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /{$}", s.guarded(s.listPage))
	mux.HandleFunc("GET /trade", s.guarded(s.tradePage))
	mux.HandleFunc("POST /resend", s.guarded(s.resendForm))
	mux.HandleFunc("POST /dispute", s.guarded(s.disputeForm))
	mux.HandleFunc("GET /faults", s.guarded(s.faultsPage))
	mux.HandleFunc("POST /faults", s.guarded(s.faultsPage))
	mux.HandleFunc("GET /control/faults", s.guarded(s.controlFaults))
	mux.HandleFunc("POST /control/faults", s.guarded(s.controlFaults))
	mux.HandleFunc("POST /control/resend", s.guarded(s.controlResend))
	mux.HandleFunc("POST /control/dispute", s.guarded(s.controlDispute))
	mux.HandleFunc("GET /control/journal", s.guarded(s.controlJournal))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.problem(w, r, http.StatusNotFound, "not_here") })
	return http.NewCrossOriginProtection().Handler(mux)
}

// problem shows what is wrong and what to do.
func (s *Server) problem(w http.ResponseWriter, r *http.Request, status int, what string) {
	v := s.view(r)
	v.Note = what
	s.show(w, status, "problem.html", v)
}

// guarded asks for the password where one is set.
func (s *Server) guarded(next http.HandlerFunc) http.HandlerFunc {
	want := sha256.Sum256([]byte(s.password))
	return func(w http.ResponseWriter, r *http.Request) {
		if s.password != "" {
			user, pass, _ := r.BasicAuth()
			got := sha256.Sum256([]byte(pass))
			if user != "sandbox" || subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
				w.Header().Set("WWW-Authenticate", `Basic realm="sandbox gateway", charset="UTF-8"`)
				http.Error(w, "401", http.StatusUnauthorized)
				return
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		next(w, r)
	}
}

// cashier is the page where the shopper pays. The signed link is the right to see it and to
// press its buttons.
func (s *Server) cashier(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	m, known := s.merchants[q.Get("merchant_id")]
	if !known || m.Protocol != "" || !linkSigned(m.Secrets, q) || q.Get("app_id") != m.AppID {
		s.problem(w, r, http.StatusForbidden, "bad_link")
		return
	}
	t, what := s.enter(m, q)
	if what != "" {
		s.problem(w, r, map[string]int{"bad_link": 403, "reused": 409, "busy": 503}[what], what)
		return
	}
	s.cashierOf(w, r, m, t, t.ReturnURL)
}

// cashierOf shows a trade to whoever pays it, and does what is pressed.
func (s *Server) cashierOf(w http.ResponseWriter, r *http.Request, m Merchant, t *trade, back string) {
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		switch r.PostFormValue("do") {
		case "pay":
			_ = s.pay(t.key(), payerOf(t, w, r)) // what can't be paid is shown as it is, by the page that follows
		case "fail":
			_ = s.failPayment(t.key())
		}
		http.Redirect(w, r, r.URL.RequestURI(), http.StatusSeeOther)
		return
	}
	s.mu.Lock()
	now := s.clock.Now()
	t = s.trades[t.key()]
	f := s.faults[m.ID]
	s.mu.Unlock()
	v := s.view(r)
	v.Merchant, v.Trade, v.Action = m, t, r.URL.RequestURI()
	v.Payable = t.payable(now, f.LatePay)
	v.Late = v.Payable && !t.payable(now, false)
	v.Back = returnTo(t, back, "cancelled")
	if left := t.ExpiresAt.Sub(now); left > 0 {
		v.Seconds = int64(left / time.Second)
	}
	if t.State == statePaid {
		if v.Back = returnTo(t, back, "paid"); v.Back != "" {
			v.Refresh = "2;url=" + v.Back
		}
	}
	s.fillFaults(&v, m.ID)
	s.show(w, http.StatusOK, "cashier.html", v)
}

// payerCookie keeps the account that a browser pays from.
const payerCookie = "payer"

// payerOf is the account that pays a trade: the only one that may, or the browser's own.
func payerOf(t *trade, w http.ResponseWriter, r *http.Request) string {
	if t.Payer != "" {
		return t.Payer
	}
	return payer(w, r)
}

// payer is the account that a browser pays from: each has its own, and keeps it.
func payer(w http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie(payerCookie); err == nil && orderForm.MatchString(c.Value) {
		return c.Value
	}
	account := token("buyer")
	http.SetCookie(w, &http.Cookie{Name: payerCookie, Value: account, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: 180 * 24 * 3600})
	return account
}

// returnTo is where the browser goes back to. What it says of the payment is a courtesy and
// isn't signed: the shop must ask (S25).
func returnTo(t *trade, back, status string) string {
	u, err := url.Parse(back)
	if err != nil || back == "" {
		return back
	}
	q := u.Query()
	q.Set("out_trade_no", t.OutTradeNo)
	q.Set("status", status)
	u.RawQuery = q.Encode()
	return u.String()
}

func isWeb(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && len(s) <= 1024
}

// enter finds the trade of a signed link, or makes it when the link is opened for the first
// time. what is the key of a message when it can't.
func (s *Server) enter(m Merchant, q url.Values) (t *trade, what string) {
	amount, err := strconv.ParseInt(q.Get("amount"), 10, 64)
	expires, err2 := strconv.ParseInt(q.Get("expires_at"), 10, 64)
	t = &trade{
		MerchantID: m.ID, OutTradeNo: q.Get("out_trade_no"), Subject: q.Get("subject"), Amount: amount, Currency: q.Get("currency"),
		NotifyURL: q.Get("notify_url"), ReturnURL: q.Get("return_url"), ExpiresAt: time.Unix(expires, 0).UTC(), State: stateOpen,
	}
	if err != nil || err2 != nil || amount <= 0 || !money.Currency(t.Currency).Known() || !orderForm.MatchString(t.OutTradeNo) ||
		t.Subject == "" || len(t.Subject) > 256 || !isWeb(t.NotifyURL) || !isWeb(t.ReturnURL) {
		return nil, "bad_link"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, "busy"
	}
	now := s.clock.Now()
	s.settle(now)
	if was := s.trades[t.key()]; was != nil {
		same := was.Subject == t.Subject && was.Amount == t.Amount && was.Currency == t.Currency && was.NotifyURL == t.NotifyURL &&
			was.ReturnURL == t.ReturnURL && was.ExpiresAt.Equal(t.ExpiresAt)
		switch {
		case same:
			return was, ""
		case was.Amount != 0:
			return nil, "reused"
		}
		// The number was closed before its link was opened: now it is known what for.
		t.Seq, t.OpenedAt, t.State, t.ClosedAt = was.Seq, now, stateClosed, was.ClosedAt
	} else {
		t.Seq, t.OpenedAt = len(s.list)+1, now
		if !now.Before(t.ExpiresAt) {
			t.State, t.ClosedAt = stateClosed, now
		}
	}
	if s.save(record{Trade: t}) != nil {
		return nil, "busy"
	}
	s.stir()
	return t, ""
}

const listed = 200

func (s *Server) listPage(w http.ResponseWriter, r *http.Request) {
	v := s.view(r)
	v.Title = v.T("journal")
	s.mu.Lock()
	for _, k := range slices.Backward(s.list) {
		if len(v.Rows) == listed {
			v.More = true
			break
		}
		t := s.trades[k]
		one := row{trade: t, Shop: s.merchants[k.merchant].Name}
		for _, p := range t.Payments {
			one.Refunded += t.refunded(p.ID, false)
		}
		for _, d := range s.deliveriesOf(k) {
			one.Sent++
			if d.End == endTaken {
				one.Taken++
			}
		}
		v.Rows = append(v.Rows, one)
	}
	s.mu.Unlock()
	v.Shops = s.shops()
	s.show(w, http.StatusOK, "list.html", v)
}

func (s *Server) shops() []Merchant {
	var all []Merchant
	for _, m := range s.merchants {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Merchant) int { return compare(a.ID, b.ID) })
	return all
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (s *Server) tradePage(w http.ResponseWriter, r *http.Request) {
	v := s.view(r)
	k := tradeKey{r.URL.Query().Get("merchant"), r.URL.Query().Get("no")}
	s.mu.Lock()
	v.Trade = s.trades[k]
	v.Notices, v.Journal = s.deliveriesOf(k), slices.Clone(s.exchanges[k])
	s.mu.Unlock()
	if v.Trade == nil {
		s.problem(w, r, http.StatusNotFound, "not_here")
		return
	}
	slices.Reverse(v.Journal)
	v.Merchant, v.Title = s.merchants[k.merchant], k.number
	s.show(w, http.StatusOK, "trade.html", v)
}

func (s *Server) resendForm(w http.ResponseWriter, r *http.Request) {
	if !s.Resend(r.PostFormValue("event")) {
		s.problem(w, r, http.StatusNotFound, "not_here")
		return
	}
	q := url.Values{"merchant": {r.PostFormValue("merchant")}, "no": {r.PostFormValue("no")}}
	http.Redirect(w, r, "/trade?"+q.Encode(), http.StatusSeeOther)
}

func (s *Server) disputeForm(w http.ResponseWriter, r *http.Request) {
	if !s.Dispute(r.PostFormValue("merchant"), r.PostFormValue("no")) {
		s.problem(w, r, http.StatusNotFound, "not_here")
		return
	}
	q := url.Values{"merchant": {r.PostFormValue("merchant")}, "no": {r.PostFormValue("no")}}
	http.Redirect(w, r, "/trade?"+q.Encode(), http.StatusSeeOther)
}

// controlFaults reads or sets a merchant's switches: {"merchant_id":"...","faults":{...}}.
func (s *Server) controlFaults(w http.ResponseWriter, r *http.Request) {
	merchant := r.URL.Query().Get("merchant")
	if r.Method == http.MethodPost {
		var q struct {
			MerchantID string          `json:"merchant_id"`
			Faults     json.RawMessage `json:"faults"`
		}
		raw, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(raw, &q)
		}
		var f Faults
		if err == nil {
			f, err = ParseFaults(q.Faults)
		}
		if err == nil {
			err = s.SetFaults(q.MerchantID, f)
		}
		if err != nil {
			answerJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		merchant = q.MerchantID
	}
	if _, ok := s.merchants[merchant]; !ok {
		answerJSON(w, http.StatusNotFound, map[string]string{"error": "no such merchant"})
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"merchant_id": merchant, "faults": s.Faults(merchant)})
}

// controlResend sends a notice again: {"event_id":"..."}.
func (s *Server) controlResend(w http.ResponseWriter, r *http.Request) {
	var q struct {
		EventID string `json:"event_id"`
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || !s.Resend(q.EventID) {
		answerJSON(w, http.StatusNotFound, map[string]string{"error": "no such event"})
		return
	}
	answerJSON(w, http.StatusOK, map[string]string{"event_id": q.EventID})
}

// controlDispute sends notice of a chargeback: {"merchant_id":"...","out_trade_no":"..."}.
func (s *Server) controlDispute(w http.ResponseWriter, r *http.Request) {
	var q struct {
		MerchantID string `json:"merchant_id"`
		OutTradeNo string `json:"out_trade_no"`
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || !s.Dispute(q.MerchantID, q.OutTradeNo) {
		answerJSON(w, http.StatusNotFound, map[string]string{"error": "no such payment"})
		return
	}
	answerJSON(w, http.StatusOK, q)
}

// controlJournal gives a merchant's trades with their notices and messages, newest first.
func (s *Server) controlJournal(w http.ResponseWriter, r *http.Request) {
	type item struct {
		*trade
		Notices   []*delivery `json:"notices"`
		Exchanges []exchange  `json:"exchanges"`
	}
	list := []item{}
	s.mu.Lock()
	for _, k := range slices.Backward(s.list) {
		if len(list) == listed {
			break
		}
		if k.merchant == r.URL.Query().Get("merchant") {
			list = append(list, item{s.trades[k], s.deliveriesOf(k), slices.Clone(s.exchanges[k])})
		}
	}
	s.mu.Unlock()
	answerJSON(w, http.StatusOK, list)
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller has gone, if it fails
}
