package console

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/identity"
)

// S34-S37, S41, S43: each route as nobody, as each role, and without a proof.
func TestEveryRouteAsksWhoAndMay(t *testing.T) {
	r := sqliteRig(t)
	owner := r.owner()
	ids := r.filled()
	people := map[identity.Role]*browser{identity.Owner: owner}
	for _, role := range identity.AllRoles[1:] {
		people[role] = r.member(string(role)+"@example.com", role)
	}
	for _, rt := range routes {
		if rt.open || rt.pattern == "/console/" {
			continue
		}
		method, _, _ := strings.Cut(rt.pattern, " ")
		path := at(rt.pattern, ids)
		call := func(b *browser, proven bool) int {
			if method == http.MethodGet {
				return b.get(path).Code
			}
			if rt.upload {
				if proven {
					b.get("/console/profile")
					return b.upload(path, "x.csv", "a\n", "csrf", b.proof()).Code
				}
				return b.upload(path, "x.csv", "a\n").Code
			}
			if !proven {
				return b.submit(path, nil).Code
			}
			b.get("/console/profile")
			return b.post(path).Code
		}
		nobody := r.browser()
		if got := call(nobody, true); got != http.StatusUnauthorized {
			t.Errorf("%s as nobody: %d", rt.pattern, got)
		}
		if method == http.MethodPost && rt.pattern != "POST /console/sign-out" {
			if got := call(owner, false); got != http.StatusForbidden {
				t.Errorf("%s without a proof: %d", rt.pattern, got)
			}
		}
		if rt.may == "" {
			continue
		}
		for role, b := range people {
			if rt.fresh && role.May(rt.may) {
				continue // asks for a proof of identity, which another test is about
			}
			allowed := role.May(rt.may) || rt.or != "" && role.May(rt.or)
			got := call(b, true)
			if allowed == (got == http.StatusForbidden) || got == http.StatusUnauthorized || got >= 500 {
				t.Errorf("%s as %s: %d, allowed %v %.300s", rt.pattern, role, got, allowed, text(b.last.Body.String()))
			}
		}
	}
	var denied int
	r.do(func(tx *db.Tx) error {
		rows, err := audit.List(t.Context(), tx, 0, 2000)
		for _, row := range rows {
			if row.Action == "auth.denied" && row.Result == "forbidden" {
				denied++
			}
		}
		return err
	})
	if denied < 50 {
		t.Errorf("only %d refusals are on record", denied)
	}
}

// S37: what is taken away is gone on the next request.
func TestARoleTakenAwayIsGoneAtOnce(t *testing.T) {
	r := sqliteRig(t)
	r.owner()
	b := r.member("ops@example.com", identity.Operator)
	b.get("/console/offers")
	b.want(200)
	var who id.Party
	r.do(func(tx *db.Tx) error {
		all, err := r.people.Members(t.Context(), tx)
		if err != nil {
			return err
		}
		who = all[1].ID
		return r.people.SetRoles(t.Context(), tx, identity.System, who, identity.Roles{identity.Finance}, r.shop.Clock.Now())
	})
	b.get("/console/offers/new")
	b.want(403)
	r.do(func(tx *db.Tx) error {
		return r.people.Disable(t.Context(), tx, identity.System, who, r.shop.Clock.Now())
	})
	b.get("/console/offers")
	b.want(401)
}

// S43: a page of another site can't act in an operator's name.
func TestAnotherSiteIsRefused(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	proof := b.proof()
	b.headers["Sec-Fetch-Site"] = "cross-site"
	b.post("/console/stocks", "=csrf", proof, "name", "x", "kind", "counted")
	b.want(403)
	delete(b.headers, "Sec-Fetch-Site")
	b.headers["Origin"] = "https://evil.example"
	b.post("/console/stocks", "=csrf", proof, "name", "x", "kind", "counted")
	b.want(403)
}

// S42: the set-up opens once.
func TestTheSetUpOpensOnce(t *testing.T) {
	r := sqliteRig(t)
	var token string
	r.do(func(tx *db.Tx) (err error) {
		token, err = r.people.SetUpToken(t.Context(), tx)
		return err
	})
	b := r.browser()
	b.get("/console/setup?token=wrong")
	b.want(410)
	b.get("/console/setup?token=" + token)
	b.want(200)
	b.post("/console/setup", "token", token, "name", "A", "email", "no address", "password", "short", "password_again", "short")
	b.want(400, "no address")
	b.post("/console/setup", "token", token, "name", "A", "email", "a@example.com", "password", goodPassword, "password_again", goodPassword)
	b.want(200)
	other := r.browser()
	other.get("/console/sign-in")
	for range 2 {
		other.post("/console/setup", "token", token, "name", "B", "email", "b@example.com", "password", goodPassword, "password_again", goodPassword)
		other.want(410)
		other.get("/console/setup?token=" + token)
		other.want(410)
		other.get("/console/sign-in")
	}
	r.do(func(tx *db.Tx) error {
		if again, err := r.people.SetUpToken(t.Context(), tx); err != nil || again != "" {
			t.Errorf("another token: %q %v", again, err)
		}
		return nil
	})
}

func TestSignInSignOut(t *testing.T) {
	r := sqliteRig(t)
	owner := r.owner()
	b := r.browser()
	b.secret = owner.secret
	b.get("/console/ledger")
	b.want(401, `name="then" value="/console/ledger"`)
	b.post("/console/sign-in", "email", "owner@example.com", "password", "wrong", "then", "/console/ledger")
	b.want(401, `name="then" value="/console/ledger"`, "owner@example.com")
	b.post("/console/sign-in", "email", "owner@example.com", "password", goodPassword, "then", "/console/ledger")
	b.want(200, "one-time-code")
	b.post("/console/sign-in/second", "totp", "000000", "then", "/console/ledger")
	b.want(401)
	b.post("/console/sign-in/second", "totp", b.code(), "then", "/console/ledger")
	b.want(303)
	if to := b.last.Header().Get("Location"); to != "/console/ledger" {
		t.Error(to)
	}
	b.get("/console/ledger")
	b.want(200)
	session := b.cookies[sessionCookie]
	b.post("/console/sign-out")
	b.want(303)
	b.cookies[sessionCookie] = session
	b.get("/console/ledger")
	b.want(401)
	if c := b.last.Header().Get("Cache-Control"); c != "no-store" {
		t.Errorf("Cache-Control %q", c)
	}
	for _, away := range []string{"https://evil.example/", "//evil.example/console", "/\\evil", "/orders", "/console/../x"} {
		b := r.browser()
		b.get("/console/sign-in")
		b.post("/console/sign-in", "email", "owner@example.com", "password", goodPassword, "then", away)
		if body := b.last.Body.String(); strings.Contains(body, "evil") {
			t.Errorf("%s is led to", away)
		}
	}
}

// A session that ended while a form was being filled keeps the form.
func TestAFormOutlivesItsSession(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	b.get("/console/stocks")
	r.shop.Time.Advance(2 * time.Hour)
	b.post("/console/stocks", "name", "月卡 <b>", "kind", "counted", "low_mark", "7")
	b.want(401, `name="keep" value="/console/stocks"`, `name="keep.name" value="月卡 &lt;b&gt;"`, `name="keep.low_mark" value="7"`)
	kept := []string{"keep", "/console/stocks", "keep.name", "月卡 <b>", "keep.kind", "counted", "keep.low_mark", "7"}
	b.post("/console/sign-in", append(kept, "email", "owner@example.com", "password", goodPassword)...)
	b.want(200, `name="keep.name"`)
	b.post("/console/sign-in/second", append(kept, "totp", b.code())...)
	b.want(200, `action="/console/stocks"`, `name="name" value="月卡 &lt;b&gt;"`)
	b.post("/console/stocks", "name", "月卡 <b>", "kind", "counted", "low_mark", "7")
	b.want(303)
	b.get("/console/stocks")
	b.want(200, "月卡 &lt;b&gt;")

	// The same page in two tabs: one of them signed in again, so the other's proof is old.
	old := b.proof()
	b.post("/console/sign-out")
	b.get("/console/sign-in")
	b.post("/console/sign-in", "email", "owner@example.com", "password", goodPassword)
	b.post("/console/sign-in/second", "totp", b.code())
	b.want(303)
	b.headers["Sec-Fetch-Site"] = "same-origin"
	b.post("/console/stocks", "=csrf", old, "name", "again", "kind", "counted")
	b.want(403, `name="name" value="again"`)
	b.post("/console/stocks", "name", "again", "kind", "counted")
	b.want(303)
}
