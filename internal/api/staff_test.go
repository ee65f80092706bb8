package api

import (
	"bytes"
	"context"
	"encoding/json"
	"mime/multipart"
	"strings"
	"testing"

	"hufu/internal/db"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/inventory"
	"hufu/internal/order"
	"hufu/internal/vault"
)

// An offer comes into being, is published, sold, and changed while somebody looks at it.
func TestTheLifeOfAnOffer(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		w := newWorld(t, r)
		to := func(method, path string, body any) request {
			return request{method: method, path: path, token: w.owner.token, body: body}
		}
		b := r.do(to("POST", "/staff/benefits", w.bodies["create-benefit"])).want(201, "")
		draft := w.bodies["create-offer"].(map[string]any)["draft"].(map[string]any)
		draft["parts"] = []any{map[string]any{"benefit": b.str("id"), "quantity": 2}}
		o := r.do(to("POST", "/staff/offers", map[string]any{"slug": "life", "category": "video", "draft": draft})).want(201, "")
		at := "/staff/offers/" + o.str("id")
		r.do(request{method: "GET", path: "/offers/life"}).want(404, "order.no_offer")
		r.do(to("POST", at+"/state", map[string]any{"revision": 1, "state": "live"})).want(409, "catalogue.unpublished")
		p := r.do(to("POST", at+"/publish", map[string]any{"revision": 1})).want(200, "")
		r.do(to("POST", at+"/state", map[string]any{"revision": 1, "state": "live"})).want(409, "catalogue.edited")
		r.do(to("POST", at+"/state", map[string]any{"revision": p.at("revision"), "state": "live"})).want(200, "")
		seen := r.do(request{method: "GET", path: "/offers/life"}).want(200, "")
		if seen.at("parts.0.quantity") != 2.0 || seen.str("stock.state") != "unlimited" {
			t.Error(seen.text)
		}
		draft["price"] = map[string]any{"minor": 300, "currency": "CNY"}
		s := r.do(to("PUT", at, map[string]any{"revision": 3, "category": "video", "draft": draft})).want(200, "")
		r.do(to("POST", at+"/publish", map[string]any{"revision": s.at("revision")})).want(200, "")
		body := map[string]any{"gateway": flowtest.Channel, "lines": []any{map[string]any{"offer": o.str("id"), "quantity": 1, "version": seen.str("version"), "unit_price": 100, "terms": seen.str("terms")}}}
		if c := r.changes(func() { r.do(request{method: "POST", path: "/orders", body: body}).want(409, "order.price_changed") }); c != "" {
			t.Errorf("an old price changed %s", c)
		}
		if got := len(r.do(to("GET", at+"/versions", nil)).want(200, "").items()); got != 2 {
			t.Errorf("%d versions", got)
		}
		wrong := r.do(to("POST", "/staff/catalogue?dry_run=true", `{"format":"hufu-catalogue/1","offers":[{"slug":"X Y"}]}`)).want(200, "")
		if len(wrong.at("problems").([]any)) == 0 || wrong.str("problems.0.remedy") == "" {
			t.Error(wrong.text)
		}
		if c := r.changes(func() {
			r.do(to("POST", "/staff/catalogue", `{"format":"hufu-catalogue/1","offers":[{"slug":"X Y"}]}`)).want(400, "catalogue.file")
		}); c != "" {
			t.Errorf("a wrong file changed %s", c)
		}
	})
}

// A file of codes is uploaded, as a form too, counted, taken in, and its problems told.
func TestAnImportOverTheAPI(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		owner := r.owner()
		stock := r.Stock(t, inventory.Codes)
		var form bytes.Buffer
		m := multipart.NewWriter(&form)
		part, err := m.CreateFormFile("file", `..\codes.csv`)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte("code\nAAAA-1\nAAAA-2\nAAAA-1\n=1+1\n")); err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		up := request{method: "POST", path: "/staff/imports?stock=" + string(stock) + "&issuer=acme", token: owner.token, kind: m.FormDataContentType(), body: form.String(), key: r.key()}
		made := r.do(up).want(201, "")
		if made.str("file_name") != "codes.csv" || made.str("state") != "received" {
			t.Error(made.text)
		}
		if c := r.changes(func() {
			if again := r.do(up).want(201, ""); again.text != made.text {
				t.Error(again.text)
			}
		}); c != "" {
			t.Errorf("the same file again changed %s", c)
		}
		up.body = strings.Replace(form.String(), "AAAA-2", "AAAA-3", 1)
		if c := r.changes(func() { r.do(up).want(409, "idempotency.reused") }); c != "" {
			t.Errorf("another file changed %s", c)
		}
		at := "/staff/imports/" + made.str("id")
		to := func(method, path string, body any) answer {
			return r.do(request{method: method, path: at + path, token: owner.token, body: body})
		}
		sample := to("GET", "/sample", nil).want(200, "")
		if sample.at("guess.code") != 0.0 || strings.Contains(sample.text, "AAAA-2") {
			t.Error(sample.text)
		}
		to("POST", "/run", nil).want(409, "vault.import_state")
		to("POST", "/check", map[string]any{}).want(200, "")
		if err := r.RunImports(t.Context()); err != nil {
			t.Fatal(err)
		}
		checked := to("GET", "", nil).want(200, "")
		if checked.str("state") != "checked" || checked.at("rows") != 4.0 || checked.at("repeated") != 1.0 || checked.at("invalid") != 1.0 {
			t.Error(checked.text)
		}
		problems := to("GET", "/problems", nil).want(200, "")
		if len(problems.items()) != 2 || problems.str("items.0.remedy") == "" {
			t.Error(problems.text)
		}
		file := to("GET", "/errors.csv", nil)
		if file.status != 200 || !strings.HasPrefix(file.header.Get("Content-Type"), "text/csv") || !strings.Contains(file.text, "'=1+1") {
			t.Errorf("%d %s", file.status, file.text)
		}
		to("POST", "/run", nil).want(200, "")
		if err := r.RunImports(t.Context()); err != nil {
			t.Fatal(err)
		}
		if done := to("GET", "", nil).want(200, ""); done.str("state") != "done" || done.at("added") != 2.0 {
			t.Error(done.text)
		}
		found := r.do(request{method: "POST", path: "/staff/codes/find", token: owner.token, body: map[string]any{"text": " AAAA-2 "}}).want(200, "")
		open := r.do(request{method: "POST", path: "/staff/codes/" + found.str("items.0.id") + "/reveal", token: owner.token, body: map[string]any{"reason": "asked by phone"}}).want(200, "")
		if open.str("code") != "AAAA-2" {
			t.Error(open.text)
		}
		r.do(request{method: "POST", path: "/staff/codes/" + found.str("items.0.id") + "/reveal", token: owner.token, body: map[string]any{"reason": " "}}).want(400, "vault.reason")
		to("POST", "/undo", nil).want(200, "")
		r.do(request{method: "POST", path: "/staff/imports?stock=" + string(stock), token: owner.token, kind: "text/csv", body: "x"}).want(400, "request.invalid")
		r.do(request{method: "POST", path: "/staff/imports?stock=" + string(stock) + "&issuer=a", token: owner.token, kind: "image/png", body: "x"}).want(415, "request.media_type")
		r.do(request{method: "POST", path: "/staff/imports?stock=" + string(stock) + "&issuer=a", token: owner.token, kind: "text/csv", body: ""}).want(400, "tabular.empty")
	})
}

// Every page of a list comes once, whatever the size of the pages.
func TestPages(t *testing.T) {
	r := one(t)
	w := newWorld(t, r)
	for range 5 {
		r.buy(id.Offer(w.ids["offer"]), w.wei.token)
	}
	for _, list := range []struct{ path, token, name string }{
		{"/offers?", "", "id"}, {"/member/orders?", w.wei.token, "id"}, {"/member/rights?", w.wei.token, "id"}, {"/staff/orders?", w.owner.token, "id"}, {"/staff/orders?state=fulfilled&", w.owner.token, "id"},
		{"/staff/orders?party=" + w.wei.id + "&", w.owner.token, "id"}, {"/staff/audit?", w.owner.token, "id"}, {"/staff/batches?", w.owner.token, "id"},
		{"/staff/batches/" + w.ids["batch"] + "/codes?", w.owner.token, "id"}, {"/staff/imports?", w.owner.token, "id"}, {"/staff/notifications?", w.owner.token, "id"},
		{"/staff/ledger/accounts?", w.owner.token, "id"}, {"/staff/ledger/accounts/" + w.ids["account"] + "?", w.owner.token, "entry"}, {"/staff/customers/" + w.wei.id + "/orders?", w.owner.token, "id"},
	} {
		read := func(limit string) []string {
			var all []string
			cursor := ""
			for range 100 {
				a := r.do(request{method: "GET", path: list.path + "limit=" + limit + cursor, token: list.token}).want(200, "")
				for _, it := range a.items() {
					all = append(all, it.(map[string]any)[list.name].(string))
				}
				next, _ := a.json["next"].(string)
				if next == "" {
					return all
				}
				cursor = "&cursor=" + next
			}
			t.Fatalf("%s has no end", list.path)
			return nil
		}
		whole, parts := read("200"), read("2")
		if len(whole) == 0 || strings.Join(whole, " ") != strings.Join(parts, " ") {
			t.Errorf("%s\n%q\n%q", list.path, whole, parts)
		}
	}
	stolen := r.do(request{method: "GET", path: "/staff/orders?limit=1", token: w.owner.token}).str("next")
	r.do(request{method: "GET", path: "/staff/audit?cursor=" + stolen, token: w.owner.token}).want(400, "request.invalid")
}

// A batch whose making ended early is gone on with, whole or taken back.
func TestBatches(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		owner := r.owner()
		stock := r.Stock(t, inventory.Codes)
		b, err := r.BeginGenerate(t.Context(), flow.Generate{Stock: stock, Name: "n", Issuer: "hufu", Format: vault.DefaultFormat, Count: 40, By: "ops"})
		if err != nil {
			t.Fatal(err)
		}
		at := "/staff/batches/" + string(b.ID)
		to := func(method, path string) answer {
			return r.do(request{method: method, path: at + path, token: owner.token})
		}
		if got := to("GET", "").want(200, ""); got.str("state") != "filling" || got.at("stored") != 0.0 {
			t.Error(got.text)
		}
		to("POST", "/resume").want(202, "")
		r.settle()
		if got := to("GET", "").want(200, ""); got.str("state") != "ready" || got.at("available") != 40.0 {
			t.Error(got.text)
		}
		if c := r.changes(func() { to("POST", "/resume").want(202, "") }); c != "" {
			t.Errorf("resumed when all were made: %s", c)
		}
		if got := to("POST", "/undo").want(200, "").str("state"); got != "undone" {
			t.Error(got)
		}
		if c := r.changes(func() { to("POST", "/undo").want(200, "") }); c != "" {
			t.Errorf("undone twice: %s", c)
		}
		if r.Units(t, stock).Received != 0 {
			t.Error("the stock still counts it")
		}
	})
}

// What staff see of an order is whole, in order, and masked; the contact in full leaves a row.
func TestAnOrderForTheStaff(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		w := newWorld(t, r)
		o := r.do(request{method: "POST", path: "/orders", body: r.placeBody(id.Offer(w.ids["offer"]), 2, "phone", "13800004321", "email", "wei@example.com")}).want(201, "").str("id")
		get := func(path string) answer { return r.do(request{method: "GET", path: path, token: w.owner.token}) }
		r.pay(id.Order(o))
		detail := get("/staff/orders/"+o).want(200, "")
		if strings.Contains(detail.text, "00004321") || strings.Contains(detail.text, "wei@") || detail.at("captures.0.amount.minor") != 3980.0 || detail.str("intents.0.state") != "captured" {
			t.Error(detail.text)
		}
		line := get("/staff/orders/"+o+"/timeline").want(200, "")
		var kinds []string
		for _, e := range line.items() {
			m := e.(map[string]any)
			kinds = append(kinds, m["kind"].(string)+":"+m["what"].(string))
		}
		for _, want := range []string{"order:pending", "intent:created", "notice:applied", "capture:applied", "order:fulfilled", "right:granted"} {
			if !strings.Contains(strings.Join(kinds, " "), want) {
				t.Errorf("%v lacks %s", kinds, want)
			}
		}
		if got := get("/staff/orders?phone=13800004321").items(); len(got) != 1 {
			t.Errorf("%v", got)
		}
		var full answer
		if c := r.changes(func() {
			full = r.do(request{method: "POST", path: "/staff/orders/" + o + "/contact", token: w.owner.token, body: `{"reason":"to call back"}`}).want(200, "")
		}); c != "audit_rows+1" || !strings.HasSuffix(full.str("phone"), "13800004321") {
			t.Errorf("%s %s", c, full.text)
		}
		closed := request{method: "POST", path: "/staff/exceptions/" + w.ids["case"] + "/close", token: w.owner.token, body: `{"note":"asked the gateway"}`}
		r.do(closed).want(200, "")
		closed.key = r.key()
		r.do(closed).want(409, "exception.closed")
		if got := get("/staff/exceptions").items(); len(got) != 1 || got[0].(map[string]any)["id"] == w.ids["case"] { // the other is about money in suspense
			t.Errorf("%v", got)
		}
		all := get("/staff/verification").want(200, "")
		if all.at("ok") != true {
			t.Error(all.text)
		}
		if a := get("/staff/audit/verification").want(200, ""); a.at("intact") != true || len(a.str("head")) != 64 {
			t.Error(a.text)
		}
		if s := get("/staff/system").want(200, ""); s.at("schema") != s.at("schema_needed") || s.at("lanes.0.commands") == 0.0 {
			t.Error(s.text)
		}
		pending := r.do(request{method: "POST", path: "/orders", body: r.placeBody(id.Offer(w.ids["offer"]), 1)}).want(201, "").str("id")
		cancel := request{method: "POST", path: "/staff/orders/" + pending + "/cancel", token: w.owner.token}
		if got := r.do(cancel).want(200, "").str("state"); got != string(order.Cancelled) {
			t.Error(got)
		}
		if c := r.changes(func() { r.do(cancel).want(200, "") }); c != "" {
			t.Errorf("cancelled again: %s", c)
		}
	})
}

// An answer that is kept can't be read in the database (S32): a link, a contact.
func TestKeptAnswersAreSealed(t *testing.T) {
	r := one(t)
	owner := r.owner()
	a := r.do(request{method: "POST", path: "/staff/members", token: owner.token, body: map[string]any{"email": "canary@shop.example", "name": "C", "roles": []string{"auditor"}}}).want(201, "")
	_, token, _ := strings.Cut(a.str("url"), "?token=")
	r.in(func(ctx context.Context, tx *db.Tx) error {
		return tx.Query(ctx, keptAnswers, func(scan func(...any) error) error {
			var body []byte
			err := scan(&body)
			if bytes.Contains(body, []byte(token)) || json.Valid(body) {
				t.Errorf("%q is in clear", body)
			}
			return err
		})
	})
}

var keptAnswers = db.SQL("test.api_kept", "SELECT response FROM idempotency")

// S10: past the codes that one person may see in an hour, another person has to allow more.
func TestMoreRevealsNeedASecondPerson(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		owner := r.owner()
		_, stock := r.coded(3)
		support, auditor := r.staff(owner, identity.Support), r.staff(owner, identity.Auditor)
		r.do(request{method: "PUT", path: "/staff/settings/console.reveals_per_hour", token: owner.token, body: `{"value":"2"}`}).want(200, "")
		var code string
		r.in(func(ctx context.Context, tx *db.Tx) error {
			batches, err := vault.Batches(ctx, tx, stock, "", 1)
			if err != nil {
				return err
			}
			codes, err := vault.CodesOf(ctx, tx, batches[0], "", 1)
			code = string(codes[0].ID)
			return err
		})
		reveal := func() answer {
			return r.do(request{method: "POST", path: "/staff/codes/" + code + "/reveal", token: owner.token, body: `{"reason":"asked by phone"}`})
		}
		allow := func(p person) answer {
			return r.do(request{method: "POST", path: "/staff/members/" + owner.id + "/reveals", token: p.token, body: `{"reason":"a recall"}`})
		}
		for range 2 {
			reveal().want(200, "")
		}
		reveal().want(429, "vault.reveals")
		allow(owner).want(403, "vault.reveals_own")
		allow(auditor).want(403, "forbidden")
		reveal().want(429, "vault.reveals")
		allow(support).want(204, "")
		reveal().want(200, "")
	})
}

// S10: who is stopped by a limit on the staff can't raise it alone.
func TestALimitOnTheStaffIsRaisedByTwo(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		owner := r.owner()
		support := r.staff(owner, identity.Support)
		set := func(p person, value string) answer {
			return r.do(request{method: "PUT", path: "/staff/settings/console.reveals_per_hour", token: p.token, body: map[string]string{"value": value}})
		}
		expect := func(a answer, value, waits, next string) {
			t.Helper()
			a.want(200, "")
			p, _ := a.json["proposal"].(map[string]any)
			if a.str("value") != value || a.json["limit"] != true || (p == nil) != (waits == "") || p != nil && (p["value"] != waits || !strings.Contains(p["next"].(string), next)) {
				t.Errorf("want %s and %q waiting, %q: %s", value, waits, next, a.text)
			}
		}
		expect(set(owner, "100"), "20", "100", "Invite a second person")
		expect(set(owner, "100"), "20", "100", "Invite a second person")
		second := r.staff(owner, identity.Owner)
		expect(set(owner, "100"), "20", "100", "colleague")
		set(support, "100").want(403, "forbidden")
		for _, act := range []string{"disable", "enable"} {
			r.do(request{method: "POST", path: "/staff/members/" + second.id + "/" + act, token: owner.token}).want(204, "")
			expect(set(owner, "100"), "20", "100", "")
		}
		second = r.staff(owner, identity.Owner) // the other's sessions have ended
		list := r.do(request{method: "GET", path: "/staff/settings", token: second.token}).want(200, "")
		if !strings.Contains(list.text, "You are the second person") {
			t.Error(list.text)
		}
		expect(set(second, "100"), "100", "", "")
		expect(set(second, "20"), "20", "", "")
		expect(set(second, "100"), "20", "100", "colleague")
		expect(set(second, "20"), "20", "", "")
	})
}
