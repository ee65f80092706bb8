package flow_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/i18n"
	"hufu/internal/id"
)

// What is picked after the purchase is held against what is held when it is picked: the purchase
// says nothing of a default that nobody has picked, and what isn't picked yet isn't held.
func TestAPickMadeLaterIsChecked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := relatedShop(t, d)
		tier := func(name string) flowtest.Part {
			return flowtest.Part{Stock: s.counted, Quantity: 1, Kind: "membership", Fields: map[string]string{"days": "30", "tier": name}}
		}
		year := choosing(t, s.Shop, catalogue.Choice{Pick: 1, Later: true, Days: 10}, tier("basic"), tier("gold"), tier("silver"))
		s.declare("tiers", catalogue.Supersedes, catalogue.Acknowledge, "gold", "basic", false)
		s.declare("never", catalogue.Excludes, catalogue.Block, "gold", "silver", false)
		s.buys(s.member, s.gold, "")
		if found := s.finds(s.member, year); len(found) != 0 {
			t.Fatalf("the purchase speaks of what nobody has picked: %+v", found)
		}
		o := s.buys(s.member, year, "")
		if found := s.finds(s.member, s.gold); len(found) != 0 {
			t.Errorf("what isn't picked is held: %+v", found)
		}
		right := waitingFor(s.Held(t, o), entitlement.WaitChoice)[0]
		pick := func(said string, part int) error {
			_, err := s.Choose(t.Context(), flow.Choose{Order: o, Right: right.ID, Parts: []int{part}, Actor: "holder", Conflicts: said})
			return err
		}
		var alone map[int][]catalogue.Finding
		var found []catalogue.Finding
		if err := s.DB.View(t.Context(), func(tx *db.Tx) (err error) {
			if alone, err = s.CheckOptions(t.Context(), tx, flow.Choose{Order: o, Right: right.ID}); err != nil {
				return err
			}
			found, err = s.CheckPick(t.Context(), tx, flow.Choose{Order: o, Right: right.ID, Parts: []int{0}})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		hash := flow.FindingsHash(i18n.EN, found) // it was read in English, whatever the holder speaks
		if catalogue.Gravest(alone[0]) != catalogue.Acknowledge || len(alone[1]) != 0 || catalogue.Gravest(alone[2]) != catalogue.Block || hash == "" || flow.FindingsHash(i18n.EN, alone[0]) != hash {
			t.Fatalf("alone %+v, together %+v", alone, found)
		}
		for _, c := range []struct {
			part       int
			said, want string
		}{{2, "", "right.conflict"}, {2, hash, "right.conflict"}, {0, "", "right.conflict_unread"}, {0, "another", "right.conflict_changed"}} {
			err := pick(c.said, c.part)
			if fault.CodeOf(err) != c.want {
				t.Errorf("part %d with %q: %v, want %s", c.part, c.said, err, c.want)
			}
			for _, lang := range []i18n.Lang{i18n.ZH, i18n.EN} {
				if text := lang.Fault(fault.From(err)); strings.ContainsAny(text, "{}⟦") {
					t.Errorf("says %q", text)
				}
			}
		}
		if got := waitingFor(s.Held(t, o), entitlement.WaitChoice); len(got) != 1 || got[0].Part != 0 {
			t.Fatalf("what was refused changed the right: %s", stands(s.Held(t, o)))
		}
		if err := pick(hash, 0); err != nil {
			t.Fatal(err)
		}
		var path map[id.Right][]entitlement.Step
		if err := s.DB.View(t.Context(), func(tx *db.Tx) (err error) {
			path, err = s.Rights.Path(t.Context(), tx, []id.Right{right.ID})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		var kept struct {
			Acknowledged struct{ Hash, Lang, Text string }
		}
		for _, step := range path[right.ID] {
			if step.Kind == entitlement.StepChosen {
				if err := json.Unmarshal([]byte(step.Data), &kept); err != nil {
					t.Fatal(err)
				}
			}
		}
		if kept.Acknowledged.Hash != hash || kept.Acknowledged.Lang != "en" || kept.Acknowledged.Text != flow.ExplainFinding(i18n.EN, found[0]) {
			t.Errorf("kept %+v", kept)
		}
		if err := pick("", 0); err != nil { // the same again asks nothing anew
			t.Error(err)
		}
		// What was picked and waits for who delivers it is held.
		points := flowtest.Part{Stock: s.counted, Quantity: 1, Kind: "points", Fields: map[string]string{"points": "100", "scheme": "air"}}
		other := choosing(t, s.Shop, catalogue.Choice{Pick: 1, Later: true, Days: 10}, tier("basic"), points)
		third := s.buys(s.member, other, "")
		if _, err := s.Choose(t.Context(), flow.Choose{Order: third, Right: s.Held(t, third)[0].ID, Parts: []int{1}, Actor: "holder"}); err != nil {
			t.Fatal(err)
		}
		if got := s.Held(t, third); got[0].State != entitlement.Waiting {
			t.Fatalf("it waits for nobody: %s", stands(got))
		}
		if err := s.DB.Do(t.Context(), func(tx *db.Tx) error {
			_, err := s.Catalogue.PutRelation(t.Context(), tx, catalogue.Relation{Key: "points", Kind: catalogue.Excludes, Severity: catalogue.Block, Name: catalogue.Text{ZH: "积分", EN: "Points"}, From: catalogue.Side{Provider: "p", Kind: "points"}}, "system", s.Clock.Now())
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if found := s.finds(s.member, s.Sell(t, 100, "", points)); catalogue.Gravest(found) != catalogue.Block {
			t.Errorf("what waits for its deliverer isn't held: %+v", found)
		}
		// Nobody is asked when the time is over: what was bought is given.
		s.declare("line", catalogue.Excludes, catalogue.Block, "basic", "", false)
		late := s.buys(s.other, year, "")
		s.buys(s.other, s.basic, "")
		s.Time.Advance(11 * 24 * time.Hour)
		release(t, s.Shop)
		if got := s.Held(t, late); len(got) != 1 || got[0].State != entitlement.Held || got[0].Part != 0 {
			t.Errorf("after the time: %s", stands(got))
		}
	})
}
