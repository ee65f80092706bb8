package console

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/exception"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/insight/verify"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/notify"
	"hufu/internal/order"
	"hufu/internal/vault"
)

var (
	inline  = regexp.MustCompile(`(?i)<script>|<style|\sstyle="|\son[a-z]+="`)
	element = regexp.MustCompile(`\sid="([^"]+)"`)
	refers  = regexp.MustCompile(`(?:aria-describedby|aria-labelledby|for)="([^"]+)"`)
	posts   = regexp.MustCompile(`(?s)<form[^>]*method="post"[^>]*>.*?</form>`)
)

// sound checks what must hold of every page.
func sound(t *testing.T, what, body string) {
	t.Helper()
	for _, bad := range []string{"⟦", "ZgotmplZ", "&lt;no value&gt;", "<no value>", "&lt;nil&gt;", "%!"} {
		if strings.Contains(body, bad) {
			t.Errorf("%s shows %q", what, bad)
		}
	}
	if hit := inline.FindString(body); hit != "" {
		t.Errorf("%s holds %q", what, hit)
	}
	ids := map[string]int{}
	for _, m := range element.FindAllStringSubmatch(body, -1) {
		ids[m[1]]++
	}
	for _, m := range refers.FindAllStringSubmatch(body, -1) {
		for _, to := range strings.Fields(m[1]) {
			if ids[to] == 0 {
				t.Errorf("%s refers to %s, which isn't there", what, to)
			}
		}
	}
	for _, form := range posts.FindAllString(body, -1) {
		if strings.Contains(form, `action="/-/prefs"`) || strings.Contains(form, "data-bulk") {
			continue
		}
		if !strings.Contains(form, `name="csrf"`) || !strings.Contains(form, `name="idempotency_key"`) {
			t.Errorf("%s has a form without its proofs: %.200s", what, form)
		}
	}
}

// paths are all pages that are read, with ids of things that are there.
func (r *rig) paths(ids map[string]string) []string {
	var out []string
	for _, rt := range routes {
		if method, path, _ := strings.Cut(rt.pattern, " "); method == http.MethodGet && !rt.open && !strings.HasSuffix(path, "/state") && path != "/console/suggest" && !strings.HasSuffix(path, ".csv") && !strings.HasSuffix(path, "/export") {
			out = append(out, at(rt.pattern, ids))
		}
	}
	return append(out, "/console/orders/"+ids["waiting"], "/console/stocks/"+ids["seats"], "/console/codes/"+ids["free"], "/console/orders?q="+ids["rgt"], "/console/orders?q=nothing", "/console/orders?state=pending",
		"/console/offers?q=zz", "/console/benefits/new?kind=voucher", "/console/benefits/new?kind=code", "/console/payments?tab=suspense", "/console/payments?tab=waiting", "/console/payments?tab=done", "/console/audit?q=offer", "/console/audit?q="+ids["bat"],
		"/console/ledger?kind=asset", "/console/ledger/account?a=asset%3Agateway%3Afake%3ACNY", "/console/batches?stock="+ids["stk"], "/console/exceptions?kind=second_capture", "/console/stocks?only=low", "/console?say=saved")
}

func TestEveryPageInBothLanguagesOnBothDatabases(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		b := r.owner()
		ids := r.filled()
		ids["pty"], ids["cus"] = string(r.memberID(b)), r.customer()
		ids["imp"] = r.imported(b, ids["stk"])
		r.do(func(tx *db.Tx) error {
			open, err := exception.ListOpen(t.Context(), tx, 1)
			ids["cas"] = string(open[0].ID)
			return err
		})
		for _, lang := range i18n.Langs {
			b.lang = lang
			for _, path := range r.paths(ids) {
				if path == "/console/ledger/account" {
					continue
				}
				b.get(path)
				sound(t, string(lang)+" "+path, b.want(200))
			}
			for _, path := range []string{"/console/nowhere", "/console/orders/x", "/console/orders/" + string(id.New[id.Order]()), "/console/offers/" + ids["ofr"] + "/versions/9", "/console/ledger/account?a=x"} {
				b.get(path)
				sound(t, path, b.want(404))
			}
		}
	})
}

func (r *rig) memberID(b *browser) id.Party {
	var who id.Party
	r.do(func(tx *db.Tx) error {
		all, err := r.people.Members(r.Context(), tx)
		who = all[0].ID
		return err
	})
	return who
}

// customer makes a shopper who signed in.
func (r *rig) customer() string {
	o := identity.Origin{Address: "192.0.2.7"}
	sent, err := identity.Commit(r.Context(), r.shop.DB, func(tx *db.Tx) (db.Answer[identity.Sent], error) {
		return r.people.SendCode(r.Context(), tx, identity.SendCode{To: "13812344444", Purpose: identity.ForSignIn, Origin: o}, r.shop.Clock.Now())
	})
	if err != nil {
		r.Fatal(err)
	}
	in, err := identity.Commit(r.Context(), r.shop.DB, func(tx *db.Tx) (db.Answer[identity.Opened], error) {
		return r.people.SignInShopper(r.Context(), tx, sent.Ticket, sent.Code, i18n.ZH, o, r.shop.Clock.Now())
	})
	if err != nil {
		r.Fatal(err)
	}
	return string(in.Party.ID)
}

// imported receives a supplier's file by the page, and gives the import.
func (r *rig) imported(b *browser, stock string) string {
	r.Helper()
	b.get("/console/imports/new")
	b.upload("/console/imports", "卡密 <i>.csv", "卡号,卡密,有效期\n1,AAAA-BBBB-0001,2027-12-31\n2,AAAA-BBBB-0002,2027-12-31\n3,AAAA-BBBB-0002,2027-12-31\n4,=cmd(),2027-12-31\n", "csrf", b.proof(), "idempotency_key", b.key(), "stock", stock, "issuer", "tv", "supplier", "s")
	b.want(303)
	to, _, _ := strings.Cut(strings.TrimPrefix(b.last.Header().Get("Location"), "/console/imports/"), "?")
	return to
}

// settled waits until the console's own work on an import is over.
func (r *rig) settled() {
	r.Helper()
	if err := r.shop.RunImports(r.Context()); err != nil {
		r.Fatal(err)
	}
	r.console.work.Wait()
}

func TestTheImportWizard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		b := r.owner()
		stock := string(r.shop.Stock(t, inventory.Codes))
		imp := r.imported(b, stock)
		href := "/console/imports/" + imp
		b.get(href)
		body := b.want(200, "卡密 &lt;i&gt;.csv", "有效期")
		sound(t, "columns", body)
		if strings.Contains(body, "AAAA-BBBB-0001") {
			t.Error("a code is shown in clear")
		}
		columns := []string{"charset", "utf-8", "delimiter", ",", "heading", "with", "issuer", "tv", "col.serial", "0", "col.code", "1", "col.expiry", "2", "col.account", "-1", "col.password", "-1", "col.cost", "-1", "col.note", "-1"}
		b.post(href+"/check", append(columns, "cost_each", "x")...)
		sound(t, "refused", b.want(400, `value="x"`))
		b.get(href)
		b.post(href+"/check", columns...)
		b.want(303)
		r.settled()
		b.get(href)
		sound(t, "checked", b.want(200, "2"))
		b.get(href + "/state")
		b.want(200)
		if b.last.Header().Get("Hufu-Done") == "" {
			t.Error("the check isn't over")
		}
		b.get(href + "/errors.csv")
		if body := b.want(200); !strings.Contains(body, "'=cmd()") {
			t.Errorf("error file %q", body)
		}
		b.get(href)
		b.post(href, "op", "start")
		b.want(303)
		r.settled()
		b.get(href)
		sound(t, "done", b.want(200))
		if u := r.shop.Units(t, id.Stock(stock)); u.Available != 2 {
			t.Errorf("%+v", u)
		}
		b.post(href, "op", "start") // pressed twice
		b.want(409)
		b.get(href)
		b.post(href, "op", "undo")
		b.want(303)
		r.settled()
		if u := r.shop.Units(t, id.Stock(stock)); u.Available != 0 {
			t.Errorf("%+v", u)
		}
		b.get(href)
		sound(t, "undone", b.want(200))
		b.get("/console/imports/new")
		b.upload("/console/imports", "x.csv", "", "csrf", b.proof(), "stock", stock, "issuer", "tv")
		sound(t, "empty", b.want(400))
	})
}

const hostile = `"><img src=x onerror=alert(1)><script>alert(2)</script>`

// S44: whatever somebody wrote is text.
func TestHostileTextIsText(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	ids := r.filled()
	r.do(func(tx *db.Tx) error {
		ctx, now := t.Context(), r.shop.Clock.Now()
		words := catalogue.Text{ZH: hostile, EN: hostile}
		benefit, err := r.shop.Catalogue.PutBenefit(ctx, tx, catalogue.Benefit{Slug: "evil", Kind: "voucher", Provider: catalogue.Provider{Key: "evil", Name: words}, Name: words,
			Disclosure: catalogue.Disclosure{AccountType: words, Scope: words, Devices: words, Validity: words, HowToUse: words, Refund: words}}, "system", now)
		if err != nil {
			return err
		}
		o, err := r.shop.Catalogue.Create(ctx, tx, catalogue.Offer{Slug: "evil", Category: "video", Draft: catalogue.Content{Title: words, Summary: words, Description: words, Badge: catalogue.Text{ZH: "<b>", EN: "<b>"}, Price: money.Of(100, money.CNY), MaxPerOrder: 1, Parts: []catalogue.Part{{Benefit: benefit, Quantity: 1}}}}, now)
		if err != nil {
			return err
		}
		ids["ofr"], ids["ben"] = string(o.ID), string(benefit.ID)
		if _, _, err = r.shop.Catalogue.Publish(ctx, tx, o, "system", now); err != nil {
			return err
		}
		if _, err := r.shop.Inventory.Create(ctx, tx, hostile, inventory.Counted, 1, now); err != nil {
			return err
		}
		if err := notify.Write(ctx, tx, now, notify.Message{Channel: "email", Target: hostile + "@x.example", Template: "t", Lang: hostile, Subject: hostile, Body: hostile, Order: id.Order(ids["ord"])}); err != nil {
			return err
		}
		return exception.Open(ctx, tx, now, exception.Case{Kind: hostile, Subject: hostile, Order: id.Order(ids["ord"]), Detail: hostile})
	})
	b.get("/console/orders/" + ids["ord"])
	b.post("/console/orders/"+ids["ord"]+"/note", "note", hostile)
	b.want(303)
	ids["pty"], ids["cus"] = string(r.memberID(b)), r.customer()
	r.do(func(tx *db.Tx) error {
		open, err := exception.ListOpen(t.Context(), tx, 10)
		ids["cas"] = string(open[len(open)-1].ID)
		return err
	})
	ids["imp"] = r.imported(b, ids["stk"])
	seen := 0
	for _, path := range append(r.paths(ids), "/console/offers?q="+"%22%3E%3Cimg+src%3Dx", "/console/search?x=%3Cscript%3E", "/console/audit?q=%3Cscript%3E") {
		if path == "/console/ledger/account" {
			continue
		}
		b.get(path)
		body := b.last.Body.String()
		if strings.Contains(body, "<img src=x") || strings.Contains(body, "<script>") {
			t.Errorf("%s holds what somebody wrote as markup", path)
		}
		if strings.Contains(body, "&lt;img src=x") {
			seen++
		}
		if csp := b.last.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self'") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
	if seen < 8 {
		t.Errorf("only %d pages show the text", seen)
	}
}

// S9, S10, S60: a code is revealed by right, with a reason, a fresh proof, a limit, on record,
// and stands nowhere else.
func TestARevealIsAskedForTwice(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	ids := r.filled()
	var secret vault.Record
	r.do(func(tx *db.Tx) error {
		s, sealed, err := vault.CodeByID(t.Context(), tx, id.Code(ids["cod"]))
		if err != nil {
			return err
		}
		secret, err = r.shop.Keys.Open(s.ID, sealed)
		return err
	})
	clear := vault.DefaultFormat.Display(string(secret.Code))
	href := "/console/codes/" + ids["cod"]
	r.shop.Time.Advance(identity.FreshFor + time.Minute)
	b.get(href)
	b.want(200)
	b.post(href+"/reveal", "reason", "a customer asks")
	b.want(403, `name="confirm_code"`, `name="reason" value="a customer asks"`)
	b.post(href+"/reveal", "reason", "a customer asks", "confirm_code", "123456")
	b.want(401, `name="reason" value="a customer asks"`)
	b.post(href+"/reveal", "reason", "a customer asks", "confirm_code", b.code())
	if !strings.Contains(b.want(200), clear) {
		t.Error("the code isn't shown")
	}
	b.get(href)
	b.post(href+"/reveal", "reason", "")
	sound(t, "no reason", b.want(400))
	for range 19 {
		b.get(href)
		b.post(href+"/reveal", "reason", "again")
		b.want(200)
	}
	b.get(href)
	b.post(href+"/reveal", "reason", "once too often")
	b.want(429)
	for _, path := range r.paths(ids) {
		b.get(path)
		if body := b.last.Body.String(); strings.Contains(body, clear) || strings.Contains(body, string(secret.Code)) {
			t.Errorf("%s shows the code", path)
		}
	}
	if strings.Contains(r.log.String(), string(secret.Code)) || strings.Contains(r.log.String(), clear) {
		t.Error("the log holds the code")
	}
	b.get("/console/codes")
	b.post("/console/codes", "secret", clear)
	if to := b.last.Header().Get("Location"); b.last.Code != 303 || to != href {
		t.Errorf("found at %d %s", b.last.Code, to)
	}
	support := r.member("support@example.com", identity.Auditor)
	support.get(href)
	support.post(href+"/reveal", "reason", "curious")
	support.want(403)
}

// Two who edit one offer: the later one is told, and loses nothing.
func TestAnEditConflictKeepsWhatWasTyped(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	ids := r.filled()
	href := "/console/offers/" + ids["ofr"]
	form := func(title, revision string, more ...string) []string {
		return append([]string{"title.zh", title, "title.en", "Card", "category", "video", "position", "3", "currency", "CNY", "price", "18.80", "max_per_order", "2", "revision", revision, "parts", "2", "parts[0].benefit", ids["ben"], "parts[0].quantity", "1"}, more...)
	}
	b.get(href + "/edit")
	rev := regexp.MustCompile(`name="revision" value="(\d+)"`).FindStringSubmatch(b.want(200))[1]
	b.post(href+"/edit", form("甲改的", rev, "op", "save")...)
	b.want(303)
	b.get(href + "/edit")
	b.post(href+"/edit", form("乙改的", rev, "op", "save")...)
	sound(t, "conflict", b.want(409, `value="乙改的"`, "甲改的"))
	now := regexp.MustCompile(`name="revision" value="(\d+)"`).FindStringSubmatch(b.last.Body.String())[1]
	b.post(href+"/edit", form("乙改的", now, "op", "publish")...)
	b.want(303)
	b.get(href)
	b.want(200, "乙改的", "v2")
	b.get(href + "/versions/2")
	b.want(200, "¥18.80")
	b.get(href + "/edit")
	b.post(href+"/edit", append(form("", "9"), "=price", "19.999", "=max_per_order", "0", "=parts[0].quantity", "-1", "=starts_at", "soon", "op", "save")...)
	sound(t, "refused", b.want(400, `value="19.999"`, `href="#price"`, `href="#max_per_order"`, `href="#parts%5b0%5d.quantity"`, `href="#starts_at"`))
	b.post(href+"/state", "to", "paused")
	b.want(303)
	b.get(href)
	b.post(href+"/state", "to", "paused") // pressed twice
	b.want(303)
	b.get(href)
	b.post(href+"/state", "to", "draft")
	b.want(409)
}

// A form that is sent again does nothing again.
func TestAFormSentTwiceActsOnce(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	ids := r.filled()
	href := "/console/stocks/" + ids["seats"]
	before := r.shop.Units(t, id.Stock(ids["seats"]))
	b.get(href)
	proof := b.proof()
	for range 3 {
		b.post(href, "=csrf", proof, "=idempotency_key", "one-key-for-all", "op", "receive", "units", "10")
		b.want(303)
	}
	if u := r.shop.Units(t, id.Stock(ids["seats"])); u.Received != before.Received+10 {
		t.Errorf("received %d after %d", u.Received, before.Received)
	}
	b.post(href, "=csrf", proof, "=idempotency_key", "one-key-for-all", "op", "receive", "units", "11")
	b.want(409)
	b.get(href)
	b.post(href, "op", "void", "units", "2", "reason", "the hall is smaller")
	b.want(303)
	b.get(href)
	sound(t, "receipts", b.want(200, "&#43;10", "-2", "the hall is smaller"))
	for _, bad := range []string{"0", "-1", "1.5", "1e9", "９", "", "99999999999999999999"} {
		b.post(href, "=csrf", proof, "op", "receive", "units", bad)
		b.want(400)
	}
	b.post(href, "=csrf", proof, "op", "receive", "units", "1", "units", "2")
	b.want(400)
}

func TestAnOrderIsSteered(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	ids := r.filled()
	href := "/console/orders/" + ids["waiting"]
	b.get(href)
	for range 2 {
		b.post(href + "/ask")
		b.want(303)
		b.get(href)
	}
	for range 2 {
		b.post(href + "/cancel")
		b.want(303)
		b.get(href)
	}
	if o := r.shop.Look(t, id.Order(ids["waiting"])); o.State != order.Cancelled {
		t.Errorf("%s", o.State)
	}
	paid := "/console/orders/" + ids["ord"]
	b.get(paid)
	body := b.want(200, "138****0000", "X-Sign: ok")
	if strings.Contains(body, "13800000000") {
		t.Error("the phone number is shown")
	}
	b.post(paid + "/cancel")
	b.want(409)
	b.get(paid)
	b.post(paid+"/contact", "reason", "she asked to be called")
	b.want(200, "13800000000")
	b.get(paid)
	b.post(paid + "/send")
	b.want(303)
	cus := "/console/customers/" + r.customer()
	b.get(cus)
	for i, want := range []int{303, 409} {
		b.post(cus+"/credit", "amount", "20.00", "reference", "R-1", "note", "goodwill", "received", "1")
		if b.last.Code != want {
			t.Errorf("credit %d: %d", i, b.last.Code)
		}
		b.get(cus)
	}
	b.want(200, "¥20.00", "138****4444")
	for _, q := range []string{ids["ord"], ids["rgt"]} {
		b.get("/console/orders")
		b.post("/console/orders", "q", q, "state", "fulfilled")
		b.want(303)
		b.get(b.last.Header().Get("Location"))
		b.want(200, paid)
	}
	// A contact is posted, found, and stands in no address and no log.
	for _, q := range []string{"13800000000", "138 0000 0000", "0000", "00-0000"} {
		b.get("/console/orders?q=" + url.QueryEscape(q))
		if body := b.want(200); strings.Contains(body, paid+`"`) {
			t.Errorf("%s is looked for in an address", q)
		}
		for _, path := range []string{"/console/orders", "/console/search"} {
			b.post(path, "q", q)
			b.want(200, paid)
		}
		b.post("/console/suggest", "q", q)
		b.want(200, paid)
	}
	b.get("/console/orders")
	b.post("/console/orders", "q", "13800000000", "state", "cancelled")
	if body := b.want(200); strings.Contains(body, paid+`"`) {
		t.Error("the state doesn't count in a search")
	}
	for _, q := range []string{"0001", "nobody@example.com", "%", "0%00"} {
		b.get("/console/orders")
		if b.post("/console/orders", "q", q); b.last.Code == 200 && strings.Contains(b.last.Body.String(), paid+`"`) {
			t.Errorf("%s finds the order", q)
		}
	}
	b.get("/console/customers")
	b.post("/console/customers", "q", "4444")
	b.want(200, cus)
	b.get("/console/search")
	b.post("/console/search", "q", ids["ofr"])
	b.want(303)
	if to := b.last.Header().Get("Location"); to != "/console/offers?q="+ids["ofr"] {
		t.Errorf("the search leads to %s", to)
	}
	if strings.Contains(r.log.String(), "13800000000") || strings.Contains(r.log.String(), "example.com") {
		t.Error("a contact is in the log")
	}
}

func TestStaffAreInvitedAndSteered(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	b.get("/console/staff/invite")
	b.post("/console/staff/invite", "email", "nobody", "role", "support")
	sound(t, "refused", b.want(400, `href="#email"`))
	b.post("/console/staff/invite", "email", "kim@example.com", "name", "Kim")
	b.want(400, `href="#role"`)
	b.post("/console/staff/invite", "email", "kim@example.com", "name", "Kim", "lang", "en", "role", "support", "role", "finance")
	link := regexp.MustCompile(`http://shop\.test(/console/join\?token=[\w-]+)`).FindStringSubmatch(b.want(200))
	if link == nil {
		t.Fatal("no link")
	}
	kim := r.browser()
	kim.get(link[1])
	kim.want(200, "kim@example.com")
	token := strings.TrimPrefix(link[1], "/console/join?token=")
	kim.post("/console/join", "token", token, "password", "password1", "password_again", "password1")
	sound(t, "common password", kim.want(400))
	kim.post("/console/join", "token", token, "password", goodPassword, "password_again", goodPassword)
	kim.enrolled()
	kim.get("/console/ledger")
	kim.want(200)
	again := r.browser()
	again.get(link[1])
	again.want(410)
	var who id.Party
	r.do(func(tx *db.Tx) error {
		all, err := r.people.Members(t.Context(), tx)
		who = all[1].ID
		return err
	})
	href := "/console/staff/" + string(who)
	b.get(href)
	b.post(href, "op", "roles", "role", "support")
	b.want(303)
	kim.get("/console/ledger")
	kim.want(403)
	b.get(href)
	b.post(href, "op", "disable")
	b.want(303)
	kim.get("/console")
	kim.want(401)
	self := "/console/staff/" + string(r.memberID(b))
	b.get(self)
	b.post(self, "op", "roles", "role", "auditor")
	sound(t, "last owner", b.want(409))
	b.get("/console/profile")
	b.post("/console/profile/password", "password_old", "wrong", "password", "another quiet heron waits", "password_again", "another quiet heron waits")
	b.want(400, `href="#password_old"`)
	b.post("/console/profile/password", "password_old", goodPassword, "password", "another quiet heron waits", "password_again", "another quiet heron waits")
	b.want(303)
	b.get("/console/profile")
	b.post("/console/profile/recovery")
	sound(t, "recovery", b.want(200, `class="codes"`))
	b.get("/console/settings")
	b.post("/console/settings", "name", "console.reveals_per_hour", "value", "lots")
	sound(t, "setting", b.want(400, `value="lots"`))
	b.post("/console/settings", "name", "console.reveals_per_hour", "value", "5")
	b.want(303)
	b.get("/console/audit")
	b.post("/console/audit/verify")
	sound(t, "audit", b.want(200, `tone-ok`))
	b.get("/console/system")
	b.post("/console/system/verify")
	b.want(303)
	r.console.work.Wait()
	b.get("/console/system")
	sound(t, "system", b.want(200))
	var s verifyState
	err := r.shop.DB.View(t.Context(), func(tx *db.Tx) (err error) { s, err = r.console.lastVerified(t.Context(), tx); return err })
	if err != nil || s.Running || s.Unfinished || len(s.Failed) > 0 || len(s.Results) == 0 || s.LastHeld.IsZero() {
		t.Errorf("%+v %v", s, err)
	}
	// What another process found counts as well.
	if err := verify.Record(t.Context(), r.shop.DB, r.console.now().Add(time.Minute), []verify.Result{{ID: "I7", Rows: []verify.Row{{}}}}); err != nil {
		t.Fatal(err)
	}
	b.get("/console/system")
	sound(t, "broken", b.want(200, `tone-stop`))
	b.get("/console")
	b.want(200, `href="/console/system"`)
}

func TestACatalogueFileIsCheckedThenImported(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	good := `{"format": "hufu-catalogue/1", "stocks": [{"name": "seats", "kind": "counted", "units": 5}]}`
	b.get("/console/catalogue-file")
	b.upload("/console/catalogue-file", "c.json", strings.Replace(good, "counted", "countless", 1), "csrf", b.proof())
	sound(t, "problems", b.want(200, "stocks[0].kind"))
	b.get("/console/catalogue-file")
	b.upload("/console/catalogue-file", "c.json", good, "csrf", b.proof())
	sound(t, "good", b.want(200, `name="data"`))
	data := regexp.MustCompile(`name="data" value="([^"]+)"`).FindStringSubmatch(b.last.Body.String())[1]
	data = strings.ReplaceAll(data, "&#43;", "+")
	b.post("/console/catalogue-file/import", "file", "c.json", "data", data)
	sound(t, "imported", b.want(200, "seats"))
	b.get("/console/stocks")
	b.want(200, "seats")
	b.get("/console/catalogue-file")
	b.upload("/console/catalogue-file", "c.json", good)
	b.want(403)
}
