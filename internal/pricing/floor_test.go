package pricing

import (
	"testing"

	"pgregory.net/rapid"

	"hufu/internal/money"
)

// A price is never below its floor, follows from its kept steps, and isn't changed by what it
// is shown against.
func TestNoPriceIsBelowItsFloor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := func(name string) money.Amount {
			return money.Of(rapid.Int64Range(0, 1e11).Draw(t, name), money.CNY)
		}
		in := Input{List: amount("list"), Worth: amount("worth"), Offer: amount("offer"), Floor: amount("floor")}
		q := For(in)
		if q.Unit.Minor < in.Floor.Minor || q.Unit.Minor != max(in.Offer.Minor, in.Floor.Minor) {
			t.Fatalf("%+v costs %v", in, q.Unit)
		}
		if n, err := Recompute(q.Text()); err != nil || n != q.Unit.Minor {
			t.Fatalf("%q recomputes to %d, %v", q.Text(), n, err)
		}
	})
	for text, want := range map[string]int64{"offer=1990": 1990, "list=3000;offer=1990": 1990, "list=3000;worth=2500;offer=1990": 1990, "worth=2500;offer=1990;floor=2000": 2000} {
		if n, err := Recompute(text); err != nil || n != want {
			t.Errorf("%q: %d, %v", text, n, err)
		}
	}
}
