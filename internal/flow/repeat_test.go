package flow_test

import (
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow/flowtest"
	"hufu/internal/inventory"
)

// I18: a request that was carried out has its own answer again, also once the offer is
// sold out, and also on another node; a new request has "sold out".
func TestRepeatOfThePlacedIsNotSoldOut(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		stock := s.Stock(t, inventory.Counted)
		s.Receive(t, stock, 1)
		offer := s.Sell(t, 1990, stock, flowtest.Part{Quantity: 1})
		command := flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})
		first, err := s.Place(t.Context(), command)
		if err != nil {
			t.Fatal(err)
		}
		other := s.Process(t, d)
		late := flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})
		for range 2 { // the first refusal shuts the gate, the second comes from it
			if _, err := s.Place(t.Context(), late); fault.CodeOf(err) != "order.sold_out" {
				t.Fatalf("a late order: %v", err)
			}
			if _, err := other.Place(t.Context(), late); fault.CodeOf(err) != "order.sold_out" {
				t.Fatalf("a late order on another node: %v", err)
			}
		}
		if err := other.RefreshGate(t.Context()); err != nil {
			t.Fatal(err)
		}
		again, err := s.Place(t.Context(), command)
		if err != nil || again.Order.ID != first.Order.ID || !again.Repeated {
			t.Errorf("the same request again: %+v, %v", again, err)
		}
		again, err = other.Place(t.Context(), command)
		if err != nil || again.Order.ID != first.Order.ID || !again.Repeated {
			t.Errorf("the same request on another node: %+v, %v", again, err)
		}
	})
}
