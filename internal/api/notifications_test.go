package api

import (
	"strings"
	"testing"

	"hufu/internal/id"
	"hufu/internal/identity"
)

// Whoever reads a one-time code can be the one it was sent to: no role reads it here, not
// even the owner's, though all that may see messages see that one went out.
func TestNobodyReadsAOneTimeCode(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		owner := r.owner()
		offer, _ := r.coded(1)
		o := r.do(request{method: "POST", path: "/orders", body: r.placeBody(offer.ID, 1, "phone", "13800001234")}).want(201, "")
		r.pay(id.Order(o.str("id")))
		if _, err := r.WorkJobs(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		var codes []string
		for to, path := range map[string]string{"13800009876": "/member/codes", "13800009877": "/lookups/codes"} {
			r.do(request{method: "POST", path: path, body: map[string]any{"to": to}}).want(202, "")
			codes = append(codes, r.sentCode())
		}
		for _, role := range identity.AllRoles {
			who := r.staff(owner, role)
			a := r.do(request{method: "GET", path: "/staff/notifications", token: who.token})
			if !role.May(identity.NoticeView) {
				a.want(403, "forbidden")
				continue
			}
			told, orders := 0, 0
			for i := range a.want(200, "").items() {
				m := a.at("items." + itoa(i)).(map[string]any)
				if m["template"] == "code" {
					told++
				}
				if m["order"] != nil && m["body"] != "" && m["body"] != nil {
					orders++
				}
			}
			if told != 2 || orders == 0 {
				t.Errorf("%s sees %d codes sent, %d messages about orders\n%s", role, told, orders, a.text)
			}
			for _, code := range codes {
				if strings.Contains(a.text, code) {
					t.Errorf("%s reads the code %s\n%s", role, code, a.text)
				}
			}
		}
	})
}
