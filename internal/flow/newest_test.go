package flow_test

import (
	"slices"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/order"
)

// Orders of one state come as they do among all, page by page, whichever index they are
// found by.
func TestNewestOfOneState(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, ctx := flowtest.New(t, d), t.Context()
		stock := s.Stock(t, "counted")
		s.Receive(t, stock, 100)
		want := flowtest.Want{Offer: s.Sell(t, 100, stock, flowtest.Part{Quantity: 1}), Quantity: 1}
		place := func() flow.Placed {
			p, err := s.Place(ctx, flowtest.Order(want))
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		for range 3 {
			s.Buy(t, want)
			if err := s.Cancel(ctx, place().Order.ID); err != nil {
				t.Fatal(err)
			}
			place()
		}
		s.Time.Advance(flow.HoldFor)
		if _, err := s.ExpireDue(ctx, 2); err != nil {
			t.Fatal(err)
		}
		place()
		list := func(state order.State, n int) (ids []id.Order, of map[order.State][]id.Order) {
			of = map[order.State][]id.Order{}
			for before := id.Order(""); ; before = ids[len(ids)-1] {
				var page []*order.Order
				if err := d.View(ctx, func(tx *db.Tx) (err error) {
					page, err = s.Orders.Newest(ctx, tx, state, before, n)
					return err
				}); err != nil {
					t.Fatal(err)
				}
				for _, o := range page {
					ids, of[o.State] = append(ids, o.ID), append(of[o.State], o.ID)
				}
				if len(page) < n {
					return ids, of
				}
			}
		}
		all, of := list("", 100)
		if len(all) != 10 || len(of) != 4 {
			t.Fatalf("%d orders: %v", len(all), of)
		}
		for state := range order.Transitions {
			if got, _ := list(state, 2); !slices.Equal(got, of[state]) {
				t.Errorf("%s: %v, want %v", state, got, of[state])
			}
		}
	})
}
