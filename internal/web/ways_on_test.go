package web_test

import (
	"net/http"
	"strings"
	"testing"

	"hufu/internal/db/dbtest"
)

// A checkout whose offer can't be bought leads to what can, and offers no payment.
func TestAClosedCheckoutLeadsOn(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	b := s.browser("en")
	for _, slug := range []string{"soon", "paused", "out"} {
		for _, r := range []reply{b.get("/checkout/" + slug), b.post("/checkout/"+slug, b.checkout(slug, "1"))} {
			if !strings.Contains(r.body, "See other offers") || !strings.Contains(r.body, `href="/offers/duo"`) || strings.Contains(r.body, `form="checkout"`) {
				t.Errorf("%s: nothing leads on, or it can be paid: %d", slug, r.StatusCode)
			}
		}
	}
	if r := b.get("/checkout/duo"); r.StatusCode != http.StatusOK || strings.Contains(r.body, "See other offers") {
		t.Errorf("what can be bought leads away: %d", r.StatusCode)
	}
}
