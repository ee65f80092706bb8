package console

import (
	"slices"
	"strings"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow/flowtest"
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
