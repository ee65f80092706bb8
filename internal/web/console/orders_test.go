package console

import (
	"slices"
	"strings"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
)

// Support finds an order by what a caller can say: the phone number or its end, the e-mail
// address however it is written.
func TestOrdersAreFoundByContact(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		b := r.owner()
		seats := r.shop.Stock(r, "counted")
		r.shop.Receive(r, seats, 5)
		sold := r.shop.Sell(r, 1990, seats, flowtest.Part{Quantity: 1})
		place := func(phone, email string) string {
			c := flowtest.Order(flowtest.Want{Offer: sold, Quantity: 1})
			c.Phone, c.Email = phone, email
			p, err := r.shop.Place(r.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			return "/console/orders/" + string(p.Order.ID) + `"`
		}
		ann, bob := place("+8613811112222", "ann@example.com"), place("+8613933332222", "")
		for q, want := range map[string][]string{"2222": {ann, bob}, "33332222": {bob}, "13811112222": {ann}, "+86 138 1111 2222": {ann}, "Ann@Example.COM": {ann}, "1111": nil, "bob@example.com": nil, "22 22": {ann, bob}} {
			b.get("/console/orders")
			b.post("/console/orders", "q", q)
			body := b.want(200)
			for _, href := range []string{ann, bob} {
				if has := strings.Contains(body, href); has != slices.Contains(want, href) {
					t.Errorf("%q: %s is found: %v", q, href, has)
				}
			}
		}
	})
}

// A code that is pasted into a search leads to itself, masked, and stands in no address,
// whether it is ours or not.
func TestAPastedCodeStandsInNoAddress(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		b := r.owner()
		ids := r.filled()
		_, secret, err := r.shop.RevealCode(t.Context(), flow.RevealCode{Code: id.Code(ids["cod"]), Reason: "test", By: "test"})
		if err != nil {
			t.Fatal(err)
		}
		code, page := string(secret.Code), "/console/codes/"+ids["cod"]
		b.get("/console/search")
		b.post("/console/suggest", "q", code)
		if body := b.want(200, page, "•••• "+code[len(code)-4:]); strings.Contains(body, code) {
			t.Error("the suggestion shows the code")
		}
		for _, q := range []string{code, strings.ToLower(code)} {
			b.get("/console/search")
			b.post("/console/search", "q", q)
			b.want(303)
			if to := b.last.Header().Get("Location"); to != page {
				t.Errorf("%q leads to %s", q, to)
			}
		}
		for _, form := range []string{"/console/search", "/console/orders", "/console/batches"} {
			for _, q := range []string{code, code[:len(code)-1], "ABCD-EFGH-2345-6789", "card no 88", "/etc/passwd?q=x"} {
				b.get("/console/search")
				b.post(form, "q", q)
				if to := b.last.Header().Get("Location"); to != "" && to != page {
					t.Errorf("%s: %q leads to %s", form, q, to)
				}
			}
		}
		b.get("/console/search")
		b.post("/console/orders", "q", ids["ord"])
		b.want(303)
		if to := b.last.Header().Get("Location"); !strings.Contains(to, ids["ord"]) {
			t.Errorf("an order's id leads to %s", to)
		}
	})
}
