package console

import (
	"strings"
	"testing"
	"time"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/setting"
)

// colleague is a member of the staff with a name, and their browser.
func (r *rig) colleague(name string, roles ...identity.Role) (*browser, id.Party) {
	r.Helper()
	b := r.member(name, roles...)
	var who id.Party
	r.do(func(tx *db.Tx) error {
		all, err := r.people.Members(r.Context(), tx)
		who = all[len(all)-1].ID
		return err
	})
	b.post("/console/profile", "name", strings.ToUpper(name[:1])+strings.Split(name[1:], "@")[0], "lang", "en")
	b.want(303)
	b.lang = i18n.EN
	return b, who
}

func (r *rig) allowed() (n int) {
	r.do(func(tx *db.Tx) error {
		rows, err := audit.List(r.Context(), tx, 0, 2000)
		n = 0
		for _, row := range rows {
			if row.Action == "code.allow_reveals" && row.Data["reason"] != "" {
				n++
			}
		}
		return err
	})
	return n
}

// S10: who has seen as many codes as the hour allows goes on when another who may see codes
// allows it on the console, with a reason and a proof of identity, on record once.
func TestASecondPersonAllowsMoreReveals(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		owner := r.owner()
		owner.lang = i18n.EN
		code := "/console/codes/" + r.filled()["cod"]
		r.do(func(tx *db.Tx) error {
			return flow.RevealsPerHour.Set(t.Context(), tx, setting.By{Actor: "owner"}, 2, r.shop.Clock.Now())
		})
		kim, kimID := r.colleague("kim@example.com", identity.Support)
		wei, weiID := r.colleague("wei@example.com", identity.Support)
		ops, opsID := r.colleague("ops@example.com", identity.Operator)
		for _, want := range []int{200, 200, 429} {
			kim.get(code)
			kim.post(code+"/reveal", "reason", "a customer asks")
			kim.want(want)
		}
		sound(t, "stopped", kim.want(429, "in the console under Staff", `value="a customer asks"`))

		page := "/console/staff/" + string(kimID)
		kim.get("/console/staff")
		sound(t, "the list", kim.want(200, "Stopped from seeing codes", "2 of 2", "0 of 2", "Wei", "You"))
		kim.get(page)
		if body := kim.want(200, "another person who may see codes has to"); strings.Contains(body, page+"/reveals") {
			t.Error("one is offered to allow oneself more")
		}
		kim.post(page+"/reveals", "reason", "I am in a hurry")
		kim.want(403, "allow yourself more reveals")
		ops.get("/console/profile")
		if strings.Contains(ops.last.Body.String(), `href="/console/staff"`) {
			t.Error("the navigation leads an operator to the staff")
		}
		ops.post(page+"/reveals", "reason", "asked by Kim")
		ops.want(403)

		owner.get("/console/staff/" + string(weiID))
		sound(t, "the owner's page", owner.want(200, "wei@example.com", "Has seen 0 of at most 2 codes", "/reveals"))
		owner.get("/console/staff/" + string(opsID))
		if body := owner.want(200); strings.Contains(body, "/reveals") {
			t.Error("one who may see no codes can be allowed more")
		}

		// The narrow view.
		r.shop.Time.Advance(identity.FreshFor + time.Minute)
		wei.get("/console/staff")
		body := wei.want(200, `href="/console/staff" data-go="s"`, page)
		sound(t, "the narrow list", body)
		wei.get(page)
		body += wei.want(200, "Kim", "Support", page+"/reveals", "Has seen 2 of at most 2 codes")
		sound(t, "the narrow page", wei.last.Body.String())
		for _, hidden := range []string{"example.com", "Sessions", "Last seen", "/console/staff/invite", "/console/staff/roles", `action="` + page + `"`, string(opsID)} {
			if strings.Contains(body, hidden) {
				t.Errorf("the narrow view has %q", hidden)
			}
		}
		for _, other := range []string{"/console/staff/" + string(opsID), "/console/staff/" + string(id.New[id.Party]())} {
			wei.get(other)
			wei.want(404)
			wei.get("/console/staff")
			wei.post(other+"/reveals", "reason", "x", "confirm_code", wei.code())
			wei.want(404)
			r.shop.Time.Advance(identity.FreshFor + time.Minute)
		}
		for _, managed := range []string{"/console/staff/roles", "/console/staff/invite"} {
			wei.get(managed)
			wei.want(403)
		}

		wei.get(page)
		for _, bad := range []string{"", "  ", strings.Repeat("x", 201)} {
			wei.post(page+"/reveals", "reason", bad)
			if body := wei.want(400, page+"/reveals", `href="#reason"`, `value="`+strings.TrimSpace(bad)); strings.Contains(body, "confirm_code") {
				t.Error("a proof is asked for before there is a reason")
			}
			sound(t, "no reason", wei.last.Body.String())
		}
		wei.post(page+"/reveals", "reason", "a recall")
		wei.want(403, `name="confirm_code"`, `name="reason" value="a recall"`)
		if n := r.allowed(); n != 0 {
			t.Errorf("%d rows before a proof", n)
		}
		key := wei.key()
		for range 2 { // pressed twice
			wei.get(page)
			wei.post(page+"/reveals", "reason", "a recall", "=idempotency_key", key, "confirm_code", wei.code())
			wei.want(303)
		}
		if n := r.allowed(); n != 1 {
			t.Errorf("%d rows on record, want 1", n)
		}
		wei.get(wei.last.Header().Get("Location"))
		wei.want(200, "Allowed", "Has seen 0 of at most 2 codes")
	})
}

// S10: the limit itself is raised by two persons, and the page says how that goes.
func TestTheLimitIsRaisedByTwo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		owner := r.owner()
		owner.lang = i18n.EN
		limit := func() (n int64) {
			t.Helper()
			r.do(func(tx *db.Tx) (err error) { n, err = flow.RevealsPerHour.Get(t.Context(), tx); return })
			return n
		}
		set := func(b *browser, value, waits string, counts int64) string {
			t.Helper()
			b.get("/console/settings")
			b.post("/console/settings", "name", "console.reveals_per_hour", "value", value)
			b.want(303)
			b.get(b.last.Header().Get("Location"))
			body := b.want(200)
			sound(t, "settings", body)
			if limit() != counts || strings.Contains(body, "Waits for a second person") != (waits != "") || waits != "" && !strings.Contains(body, "wants "+waits) {
				t.Errorf("after %s: %d counts, want %d and %q waiting", value, limit(), counts, waits)
			}
			return body
		}
		if body := set(owner, "100", "100", 20); !strings.Contains(body, "Invite a second person") {
			t.Error("one who is alone isn't told what to do")
		}
		kim, _ := r.colleague("kim@example.com", identity.Owner)
		if body := set(owner, "100", "100", 20); !strings.Contains(body, "as soon as a colleague") || !strings.Contains(body, "Withdraw") || strings.Contains(body, "Agree to") {
			t.Error("who asked isn't told that another has to")
		}
		kim.get("/console/settings")
		if body := kim.want(200, "wants 100", "Agree to 100", "You are the second person"); strings.Contains(body, "Withdraw") {
			t.Error("the second person is offered to withdraw")
		}
		set(kim, "100", "", 100)
		set(kim, "30", "", 30)
		set(owner, "31", "31", 30)
		set(owner, "30", "", 30)
	})
}
