package api

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/exception"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/inventory"
	"hufu/internal/ledger"
	"hufu/internal/money"
	"hufu/internal/vault"
)

// world is a shop with something of every kind, and what each operation needs to work.
type world struct {
	*rig
	owner, wei, lin person
	mine            bought // Wei's
	guest           bought
	ids             map[string]string // by the name of a path parameter
	bodies          map[string]any    // by operation
	queries         map[string]string
}

func newWorld(t testing.TB, r *rig) *world {
	t.Helper()
	w := &world{rig: r, ids: map[string]string{}, queries: map[string]string{}}
	w.owner = r.owner()
	w.wei, w.lin = r.member("13800000001"), r.member("13800000002")
	offer, stock := r.coded(20)
	w.mine, w.guest = r.buy(offer.ID, w.wei.token), r.buy(offer.ID, "")
	counted := r.Stock(t, inventory.Counted)
	lost := r.mismatch(w.guest.id)
	r.in(func(ctx context.Context, tx *db.Tx) error {
		if err := exception.Open(ctx, tx, r.Clock.Now(), exception.Case{Kind: exception.Mismatch, Subject: "x", Order: w.mine.id, Amount: money.Of(1, money.CNY)}); err != nil {
			return err
		}
		cases, err := exception.Of(ctx, tx, w.mine.id)
		if err != nil {
			return err
		}
		w.ids["case"] = string(cases[0].ID)
		w.ids["capture"], w.ids["refund"] = string(lost.ID), string(id.New[id.Refund]())
		batches, err := vault.Batches(ctx, tx, stock, "", 1)
		if err != nil {
			return err
		}
		w.ids["batch"] = string(batches[0].ID)
		codes, err := vault.CodesOf(ctx, tx, batches[0], "", 20)
		if err != nil {
			return err
		}
		w.ids["code"] = string(codes[len(codes)-1].ID)
		benefits, err := r.Catalogue.AllBenefits(ctx, tx)
		w.ids["benefit"], w.ids["relation"] = string(benefits[0].ID), "walk"
		if err != nil {
			return err
		}
		_, err = r.Catalogue.PutRelation(ctx, tx, catalogue.Relation{Key: "walk", Kind: catalogue.Extends, Name: catalogue.Text{ZH: "线", EN: "line"}, From: catalogue.Side{Provider: "q"}, Severity: catalogue.Inform}, "system", r.Clock.Now())
		return err
	})
	w.ids["id"], w.ids["offer"], w.ids["stock"], w.ids["party"] = string(w.mine.id), string(offer.ID), string(counted), w.lin.id
	w.ids["right"] = string(r.Held(t, w.mine.id)[0].ID)
	w.ids["account"], w.ids["name"] = string(ledger.Sales(money.CNY)), "identity.sms_per_day"
	up := r.do(request{method: "POST", path: "/staff/imports?stock=" + string(stock) + "&issuer=acme&name=n", token: w.owner.token, kind: "text/csv", body: "code\nAAAA-BBBB-1\nAAAA-BBBB-2\n"}).want(201, "")
	w.ids["import"] = up.str("id")
	text := map[string]any{"zh": "字", "en": "t"}
	benefit := map[string]any{"slug": "walk", "kind": "membership", "provider": map[string]any{"key": "p", "name": text}, "name": text, "attributes": map[string]any{"days": "30"},
		"disclosure": map[string]any{"account_type": text, "scope": text, "devices": text, "validity": text, "how_to_use": text, "refund": text}}
	draft := map[string]any{"title": text, "summary": text, "description": text, "badge": text, "price": map[string]any{"minor": 100, "currency": "CNY"}, "max_per_order": 5, "limits": []any{map[string]any{"max": 2, "window": "day", "of": "person"}},
		"parts": []any{map[string]any{"benefit": w.ids["benefit"], "quantity": 1}}}
	saved := map[string]any{"version": 1}
	for k, v := range benefit {
		saved[k] = v
	}
	saved["slug"] = "walk-on"
	w.bodies = map[string]any{
		"place-order": r.placeBody(offer.ID, 1), "join-room": map[string]any{"device": "a secret of the application"}, "quote-order": map[string]any{"lines": []any{map[string]any{"offer": offer.ID, "quantity": 1}}},
		"create-relation": map[string]any{"key": "new", "kind": "extends", "name": text, "from": map[string]any{"provider": "q"}, "severity": "inform"},
		"save-relation":   map[string]any{"version": 1, "kind": "extends", "name": text, "from": map[string]any{"provider": "q"}, "severity": "block"}, "remove-relation": map[string]any{"version": 2},
		"reveal-codes": map[string]any{"confirm": true}, "check-option": map[string]any{"parts": []int{0}}, "choose-option": map[string]any{"parts": []int{0}}, "create-benefit": benefit, "save-benefit": saved,
		"create-offer": map[string]any{"slug": "walk", "draft": draft}, "save-offer": map[string]any{"revision": 3, "draft": draft}, "publish-offer": map[string]any{"revision": 3},
		"schedule-offer": map[string]any{"revision": 3, "at": w.Shop.Clock.Now().AddDate(0, 0, 30).Format(time.RFC3339)}, "unschedule-offer": map[string]any{"revision": 3}, "duplicate-offer": map[string]any{"slug": "walk-copy"},
		"check-rule": map[string]any{"text": "customer.orders == 0"}, "preview-rules": map[string]any{"rules": []any{map[string]any{"text": "customer.orders == 0"}}},
		"set-customer-traits": map[string]any{"level": "gold", "tags": []any{"vip"}, "region": "CN-31"},
		"set-offer-state":     map[string]any{"revision": 3, "state": "paused"}, "import-catalogue": map[string]any{"format": catalogue.FileFormat},
		"create-stock": map[string]any{"name": "s", "kind": "counted"}, "receive-stock": map[string]any{"units": 1}, "set-low-mark": map[string]any{"low_mark": 3},
		"change-allotment": map[string]any{"act": "move", "to": "web", "units": 0, "reason": "r"}, "begin-edition": map[string]any{"size": 100, "by_lot": true},
		"generate-codes": map[string]any{"stock": stock, "name": "b", "issuer": "hufu", "count": 2}, "void-codes": map[string]any{"codes": []any{w.ids["code"]}, "reason": "r"},
		"find-code": map[string]any{"text": "x"}, "staff-reveal-code": map[string]any{"reason": "r"}, "allow-reveals": map[string]any{"reason": "r"}, "check-import": map[string]any{},
		"unmask-order": map[string]any{"reason": "r"}, "unmask-customer": map[string]any{"reason": "r"}, "close-exception": map[string]any{"note": "n"}, "refund-capture": map[string]any{"reason": "r"},
		"refund-again": map[string]any{"reason": "r"}, "refund-by-hand": map[string]any{"way": "bank", "reference": "B1", "reason": "r"},
		"credit-balance":  map[string]any{"amount": map[string]any{"minor": 5, "currency": "CNY"}, "received": true, "reference": "ref", "reason": "r"},
		"invite-staff":    map[string]any{"email": "walk@shop.example", "name": "W", "roles": []string{"auditor"}},
		"set-staff-roles": map[string]any{"roles": []string{"support"}}, "change-setting": map[string]any{"value": "4000"},
		"send-lookup-code": map[string]any{"to": "13800000003"}, "send-sign-in-code": map[string]any{"to": "13800000003"},
		"look-up-orders": map[string]any{"ticket": "x", "code": "1"}, "sign-in-member": map[string]any{"ticket": "x", "code": "1"}, "sign-in-staff": map[string]any{"email": "x@example.com", "password": "x"},
		"second-factor": map[string]any{"code": "1"}, "finish-enrolment": map[string]any{"code": "1"}, "confirm-session": map[string]any{"code": "1"},
	}
	w.queries["create-import"] = "?stock=" + string(stock) + "&issuer=acme"
	return w
}

var parameter = regexp.MustCompile(`\{(\w+)\}`)

// call is a request of an operation that would work for who may make it.
func (w *world) call(s *spec, token string) request {
	q := request{method: s.Method, token: token, body: w.bodies[s.Name]}
	q.path = parameter.ReplaceAllStringFunc(s.Path, func(p string) string {
		v, ok := w.ids[strings.Trim(p, "{}")]
		if !ok {
			w.t.Fatalf("%s: nothing for %s", s.Name, p)
		}
		return v
	}) + w.queries[s.Name]
	if s.Name == "create-import" {
		q.kind, q.body = "text/csv", "code\nAAAA-BBBB-3\n"
	}
	return q
}

// TestNobodyReachesWhatIsAnothers walks every operation of the table with everybody's
// tokens but those that may: 401, 403 or 404, and nothing changes (S34, S35, I24).
func TestNobodyReachesWhatIsAnothers(t *testing.T) {
	w := newWorld(t, one(t))
	for i := range table {
		s := &table[i]
		if s.For == Everyone || s.For == Shopper {
			continue
		}
		strangers := map[string]string{"nobody": "", "nonsense": "abc", "another order": w.guest.token, "another's session": w.lin.token, "a forged session": strings.Repeat("A", 43)}
		switch s.For {
		case Holder:
			strangers["the staff's session"] = w.owner.token
		case Member:
			strangers["the staff's session"] = w.owner.token
			if !strings.Contains(s.Path, "{") {
				delete(strangers, "another's session") // it is their own
			}
		}
		for who, token := range strangers {
			t.Run(s.Name+" by "+who, func(t *testing.T) {
				w.t = t
				var a answer
				changed := w.changes(func() { a = w.do(w.call(s, token)) })
				if a.status != 401 && a.status != 403 && a.status != 404 {
					t.Errorf("%d %s", a.status, a.text)
				}
				if s.For == Holder && a.status != 404 {
					t.Errorf("%d tells whether the order exists", a.status)
				}
				if changed != "" {
					t.Errorf("changed %s", changed)
				}
			})
		}
	}
	w.t = t
	if !strings.Contains(w.log.String(), "somebody else's order") {
		t.Error("the log has nothing of it")
	}
}

// TestEachRoleMayWhatItsRightsSay walks every operation of the staff with every role: who
// lacks the right gets 403, a row on the trail, and no effect.
func TestEachRoleMayWhatItsRightsSay(t *testing.T) {
	w := newWorld(t, one(t))
	for _, role := range identity.AllRoles {
		if role == identity.Owner {
			continue
		}
		p := w.staff(w.owner, role)
		for i := range table {
			s := &table[i]
			if s.For != Staff || s.Right == "" || role.May(s.Right) {
				continue
			}
			t.Run(string(role)+" "+s.Name, func(t *testing.T) {
				w.t = t
				if changed := w.changes(func() { w.do(w.call(s, p.token)).want(403, "forbidden") }); changed != "audit_rows+1" {
					t.Errorf("changed %q", changed)
				}
			})
		}
		w.t = t
	}
}

// A role that is taken away is gone with the next request (S37), and so is a session that
// was begun and not completed.
func TestRolesActAtOnce(t *testing.T) {
	r := one(t)
	owner := r.owner()
	p := r.staff(owner, identity.Operator)
	r.do(request{method: "GET", path: "/staff/stocks", token: p.token}).want(200, "")
	r.do(request{method: "PUT", path: "/staff/members/" + p.id + "/roles", token: owner.token, body: `{"roles":["finance"]}`}).want(204, "")
	r.do(request{method: "POST", path: "/staff/stocks", token: p.token, body: `{"name":"x","kind":"codes"}`}).want(403, "forbidden")
	r.do(request{method: "POST", path: "/staff/members/" + p.id + "/disable", token: owner.token}).want(204, "")
	r.do(request{method: "GET", path: "/staff/stocks", token: p.token}).want(401, "identity.session_ended")

	half := r.do(request{method: "POST", path: "/staff/sessions", body: map[string]any{"email": "owner@shop.example", "password": password}}).want(201, "")
	if half.str("stage") != "second" || half.at("rights") != nil {
		t.Error(half.text)
	}
	r.do(request{method: "GET", path: "/staff/stocks", token: half.str("token")}).want(401, "request.second_factor")
	r.Time.Advance(60e9)
	whole := r.do(request{method: "POST", path: "/staff/session/second", token: half.str("token"), body: map[string]any{"code": r.code(owner.secret)}}).want(200, "")
	r.do(request{method: "GET", path: "/staff/stocks", token: whole.str("token")}).want(200, "")
	r.Time.Advance(identity.FreshFor + 1)
	invite := request{method: "POST", path: "/staff/members", token: whole.str("token"), body: map[string]any{"email": "q@shop.example", "name": "Q", "roles": []string{"auditor"}}}
	if c := r.changes(func() { r.do(invite).want(403, "identity.confirm") }); c != "" {
		t.Errorf("changed %s", c)
	}
	r.do(request{method: "POST", path: "/staff/session/confirm", token: whole.str("token"), body: map[string]any{"code": r.code(owner.secret)}}).want(200, "")
	r.do(invite).want(201, "")
	r.do(request{method: "DELETE", path: "/staff/session", token: whole.str("token")}).want(204, "")
	r.do(request{method: "GET", path: "/staff/session", token: whole.str("token")}).want(401, "identity.session_ended")
}

// effects is what each operation of the staff adds to the database when the owner calls it,
// and nothing else.
var effects = map[string]string{
	"confirm-session": "?", "create-benefit": "benefits+1 benefit_versions+1 audit_rows+1 idempotency+1", "save-benefit": "benefit_versions+1 audit_rows+1 idempotency+1",
	"create-relation": "relations+1 relation_versions+1 audit_rows+1 idempotency+1", "save-relation": "relation_versions+1 audit_rows+1 idempotency+1", "remove-relation": "relation_versions+1 audit_rows+1 idempotency+1",
	"create-offer": "offers+1 audit_rows+1 idempotency+1", "save-offer": "audit_rows+1 idempotency+1", "publish-offer": "offer_versions+1 audit_rows+1 idempotency+1",
	"schedule-offer": "offer_versions+1 audit_rows+1 idempotency+1", "unschedule-offer": "audit_rows+1 idempotency+1", "duplicate-offer": "offers+1 audit_rows+1 idempotency+1", "set-customer-traits": "audit_rows+1 idempotency+1", "set-offer-state": "audit_rows+1 idempotency+1",
	"create-stock": "stocks+1 audit_rows+1 idempotency+1", "receive-stock": "stock_receipts+1 audit_rows+1 idempotency+1", "set-low-mark": "audit_rows+1 idempotency+1",
	"change-allotment": "allotments+1 allotment_moves+1 audit_rows+1 idempotency+1", "begin-edition": "editions+1 audit_rows+1 idempotency+1", "close-edition": "audit_rows+1 idempotency+1",
	"generate-codes": "code_batches+1 codes+2 audit_rows+1 idempotency+1", "void-codes": "audit_rows+1", "staff-reveal-code": "audit_rows+1", "allow-reveals": "audit_rows+1 idempotency+1",
	"resume-batch": "?", "undo-batch": "?", "create-import": "imports+1 audit_rows+1 idempotency+1", "check-import": "audit_rows+1", "run-import": "?", "pause-import": "?", "resume-import": "?", "cancel-import": "?", "undo-import": "?",
	"import-error-file": "audit_rows+1", "staff-cancel-order": "?", "unmask-order": "audit_rows+1", "close-exception": "audit_rows+1 idempotency+1", "credit-balance": "ledger_transfers+1 audit_rows+1", "refund-capture": "refunds+1 audit_rows+1",
	"refund-again": "refunds+1 audit_rows+1", "refund-by-hand": "ledger_transfers+1 audit_rows+1",
	"unmask-customer": "audit_rows+1", "disable-customer": "audit_rows+1 idempotency+1 sessions-1", "enable-customer": "audit_rows+1 idempotency+1", "invite-staff": "parties+1 staff+1 invitations+1 audit_rows+1 idempotency+1",
	"set-staff-roles": "audit_rows+1 idempotency+1", "reset-staff": "invitations+1 audit_rows+1 idempotency+1", "disable-staff": "audit_rows+1 idempotency+1 sessions-1", "enable-staff": "idempotency+1", "change-setting": "settings+1 audit_rows+1 idempotency+1",
}

// TestWhatEachOperationOfTheStaffDoes calls each once, with exactly its effect, and the keyed
// ones once more: the same answer, no effect; with another body: refused, no effect (I18).
func TestWhatEachOperationOfTheStaffDoes(t *testing.T) {
	for _, kind := range dbtest.Stores {
		w := newWorld(t, newRig(t, dbtest.Open(t, kind)))
		for i := range table {
			s := &table[i]
			if s.For != Staff || effects[s.Name] == "?" {
				continue
			}
			if kind != "sqlite" && s.Repeat != Keyed {
				continue
			}
			w.t = t
			t.Run(kind+" "+s.Name, func(t *testing.T) {
				w.t = t
				if strings.Contains(s.Path, "/members/") {
					w.ids["party"] = w.staff(w.owner, identity.Auditor).id
				}
				if strings.Contains(s.Path, "/refunds/") {
					w.ids["refund"] = string(w.refused(w.guest.id).ID)
				}
				if s.Name == "save-offer" || strings.HasSuffix(s.Name, "publish-offer") || strings.HasSuffix(s.Name, "schedule-offer") || s.Name == "set-offer-state" {
					w.bodies[s.Name].(map[string]any)["revision"] = w.do(request{method: "GET", path: "/staff/offers/" + w.ids["offer"], token: w.owner.token}).at("revision")
				}
				q := w.call(s, w.owner.token)
				q.key = w.key()
				var first answer
				changed := w.changes(func() {
					first = w.do(q)
					w.settle()
				})
				if first.status >= 300 {
					t.Fatalf("%d %s", first.status, first.text)
				}
				if !sameWords(changed, effects[s.Name]) {
					t.Errorf("changed %q, want %q", changed, effects[s.Name])
				}
				if s.Repeat != Keyed {
					return
				}
				if changed := w.changes(func() {
					if again := w.do(q); again.status != first.status || again.text != first.text || again.header.Get("Idempotent-Replayed") != "true" {
						t.Errorf("%d %s\nand then\n%d %s", first.status, first.text, again.status, again.text)
					}
				}); changed != "" {
					t.Errorf("the second time changed %s", changed)
				}
				if other, ok := q.body.(map[string]any); ok && s.Name != "create-import" {
					q.body = another(other)
					if changed := w.changes(func() { w.do(q).want(409, "idempotency.reused") }); changed != "" {
						t.Errorf("another body changed %s", changed)
					}
				}
			})
		}
	}
}

// another is a body that differs, and is right as well.
func another(body map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range body {
		switch v := v.(type) {
		case string:
			switch {
			case k == "slug" || k == "key":
				out[k] = v + "x"
				continue
			case slices.Contains([]string{"name", "note", "reason", "level"}, k):
				out[k] = v + "x"
				continue
			case k == "value":
				out[k] = "3999"
				continue
			case k == "state":
				out[k] = "archived"
				continue
			}
		case int:
			out[k] = v + 1
			continue
		case float64:
			out[k] = v + 1
			continue
		case []string:
			out[k] = []string{"auditor", "finance"}
			continue
		}
		out[k] = v
	}
	return out
}

func sameWords(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// settle waits until generation under way has ended: the batches say so.
func (r *rig) settle() {
	r.t.Helper()
	for range 1_000_000 {
		filling := false
		r.in(func(ctx context.Context, tx *db.Tx) error {
			all, err := vault.Batches(ctx, tx, "", "", 100)
			for _, b := range all {
				filling = filling || (b.State == vault.Filling && b.Source == vault.Generated)
			}
			return err
		})
		if !filling {
			return
		}
	}
	r.t.Fatal("a batch stays unfinished")
}
