package flow_test

import (
	"strings"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/entitlement"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
)

// fields are attributes that benefits of a kind may be promised with.
func fields(k catalogue.Kind) map[string]string {
	out := map[string]string{}
	for _, a := range k.Fields {
		out[a.Name] = map[catalogue.Form]string{catalogue.FormWords: "words", catalogue.FormWhole: "31", catalogue.FormMinor: "1990", catalogue.FormDate: "2027-02-28",
			catalogue.FormLink: "https://example.com/r"}[a.Form]
		if a.Form == catalogue.FormChoice {
			out[a.Name] = a.Choices[0]
		}
	}
	return out
}

// Every kind of benefit can be sold now. One whose deliverer comes later waits under the
// name of what it waits for, and its path says so (A1).
func TestEveryKindIsSold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		var parts []flowtest.Part
		for _, name := range catalogue.Kinds() {
			k, _ := catalogue.KindOf(name)
			p := flowtest.Part{Quantity: 2, Kind: name, Fields: fields(k)}
			if k.NeedsCode {
				p.Stock, p.Coded = s.Stock(t, "codes"), true
				s.Codes(t, p.Stock, 10)
			}
			parts = append(parts, p)
		}
		bought := s.Buy(t, flowtest.Want{Offer: s.Sell(t, 9900, "", parts...), Quantity: 1})
		held := s.Held(t, bought.Order.ID)
		if len(held) != 2*len(parts) {
			t.Fatalf("%d rights of %d parts", len(held), len(parts))
		}
		for _, r := range held {
			k, _ := catalogue.KindOf(r.Kind)
			want, steps := entitlement.Held, "granted"
			if k.Waits != catalogue.WaitNothing {
				want, steps = entitlement.Waiting, `granted waiting{"for":"`+string(k.Waits)+`"}`
			}
			var path []entitlement.Step
			if err := d.View(t.Context(), func(tx *db.Tx) error {
				all, err := s.Rights.Path(t.Context(), tx, []id.Right{r.ID})
				path = all[r.ID]
				return err
			}); err != nil {
				t.Fatal(err)
			}
			var told []string
			for _, st := range path {
				word := st.Kind
				if st.Kind == entitlement.StepWaiting {
					word += st.Data
				}
				told = append(told, word)
			}
			if r.State != want || strings.Join(told, " ") != steps || entitlement.Check(*r, path) != 0 {
				t.Errorf("a right of kind %s is %s by %v, want %s by %s", r.Kind, r.State, told, want, steps)
			}
		}
	})
}
