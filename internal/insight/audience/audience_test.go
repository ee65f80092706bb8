package audience

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/rule"
)

var noon = time.Date(2026, 6, 15, 4, 0, 0, 0, time.UTC)

func someCustomers(t *testing.T, d *db.DB, n int) map[id.Party]customer {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	var all []customer
	for range n {
		var tags []string
		for _, tag := range []string{"vip", "vi", "p", "老客", "it's"} {
			if r.IntN(3) == 0 {
				tags = append(tags, tag)
			}
		}
		c := customer{party: id.New[id.Party](), createdDay: identity.Day(noon) - int64(r.IntN(400)) + 2, orders: int64(r.IntN(4))}
		c.Traits = identity.Traits{Level: pick("", "gold", "Gold", "金卡", "a%_b"), Tags: identity.NewTags(tags), Region: pick("", "CN-31", "CN-11"),
			ActiveDay: identity.Day(noon) - int64(r.IntN(40)) + 1, ActiveBits: r.Int64N(1<<30) | 1}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b customer) int { return strings.Compare(string(a.party), string(b.party)) })
	if err := d.Do(t.Context(), func(tx *db.Tx) error {
		after := ""
		for part := range slices.Chunk(all, 70) {
			to := string(part[len(part)-1].party)
			if _, err := tx.Exec(t.Context(), putStretch, after, to, pack(part)); err != nil {
				return err
			}
			after = to
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	out := map[id.Party]customer{}
	for _, c := range all {
		out[c.party] = c
	}
	return out
}

// conditions draws a rule's text.
func conditions(depth int) *rapid.Generator[string] {
	n := rapid.SampledFrom([]string{"0", "1", "2", "7", "30", "100", "1.5", "-1"})
	op := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">="})
	text := rapid.SampledFrom([]string{`"gold"`, `"Gold"`, `"g"`, `"old"`, `"金卡"`, `"卡"`, `"a%"`, `"%"`, `""`, `"it's"`})
	leaf := rapid.Custom(func(t *rapid.T) string {
		switch rapid.IntRange(0, 9).Draw(t, "leaf") {
		case 0, 1:
			return rapid.SampledFrom([]string{"customer.age_days", "customer.orders", "customer.active_days_30"}).Draw(t, "fact") + " " + op.Draw(t, "op") + " " + n.Draw(t, "n")
		case 2:
			return "customer.orders " + rapid.SampledFrom([]string{"in", "not in"}).Draw(t, "in") + " [" + n.Draw(t, "n") + ", " + n.Draw(t, "m") + "]"
		case 3, 4:
			return "customer.level " + rapid.SampledFrom([]string{"==", "!=", "contains", "startsWith", "endsWith", "not contains", "not startsWith", "not endsWith"}).Draw(t, "op") + " " + text.Draw(t, "text")
		case 5:
			return "region " + rapid.SampledFrom([]string{"==", "!="}).Draw(t, "op") + " " + rapid.SampledFrom([]string{`"CN-31"`, `"CN-11"`}).Draw(t, "region")
		case 6:
			return rapid.SampledFrom([]string{`"vip" in customer.tags`, `"vi" not in customer.tags`, `hasAny(customer.tags, ["vip", "老客"])`, `hasAll(customer.tags, ["p", "it's"])`,
				`not hasAll(customer.tags, ["p", "vip"])`, `hasNone(customer.tags, ["vi"])`}).Draw(t, "tags")
		case 7:
			return rapid.SampledFrom([]string{`channel == "web"`, `channel != "web"`, `device == "mobile"`, `device != "mobile"`, `hour >= 12`, `now < "2026-06-15 12:00:01"`, `stock.available > 3`, `customer.signed_in`}).Draw(t, "visit")
		case 8:
			return "customer.orders * 10 " + op.Draw(t, "op") + " customer.age_days"
		}
		return "customer.active_days_30 " + op.Draw(t, "op") + " " + rapid.SampledFrom([]string{"10", "14", "15", "16"}).Draw(t, "days")
	})
	if depth == 0 {
		return leaf
	}
	return rapid.Custom(func(t *rapid.T) string {
		switch rapid.IntRange(0, 3).Draw(t, "shape") {
		case 0:
			return leaf.Draw(t, "one")
		case 1:
			return "not (" + conditions(depth-1).Draw(t, "not") + ")"
		}
		word := rapid.SampledFrom([]string{" and ", " or "}).Draw(t, "word")
		parts := rapid.SliceOfN(conditions(depth-1), 2, 3).Draw(t, "parts")
		return "(" + strings.Join(parts, ")"+word+"(") + ")"
	})
}

// about is everything a rule may ask of a customer.
func about(visit *rule.Facts, c customer, now time.Time) error {
	region := rule.Value{}
	if c.Region != "" {
		region = rule.Text(c.Region)
	}
	for _, one := range []struct {
		name string
		v    rule.Value
	}{
		{"customer.signed_in", rule.Bool(true)}, {"customer.age_days", rule.Int(max(identity.Day(now)-c.createdDay, 0))}, {"customer.orders", rule.Int(c.orders)},
		{"customer.active_days_30", rule.Int(c.ActiveDays(now))}, {"customer.level", rule.Text(c.Level)}, {"customer.tags", rule.Set(c.Tags.List()...)}, {"region", region},
	} {
		if err := visit.Set(one.name, one.v); err != nil {
			return err
		}
	}
	return nil
}

// The preview agrees with Eval on every customer, on each clause alone, and on who is newest,
// whatever the rules.
func TestThePreviewAnswersAsEval(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		all := someCustomers(t, d, 300)
		words := catalogue.RuleWords()
		rapid.Check(t, func(rt *rapid.T) {
			var rules []*rule.Rule
			var texts []string
			for range rapid.IntRange(1, 3).Draw(rt, "rules") {
				text := conditions(2).Draw(rt, "text")
				r, err := words.Compile(rule.Source{Text: text})
				if err != nil {
					rt.Skip(err) // no condition about a fact
				}
				rules, texts = append(rules, r), append(texts, text)
			}
			visit := words.Facts()
			set := func(err error) {
				if err != nil {
					rt.Fatal(err)
				}
			}
			set(visit.Set("channel", rule.Text("web")))
			set(visit.SetMoment(noon))
			var asked Answer
			if err := d.View(t.Context(), func(tx *db.Tx) (err error) {
				asked, err = Preview(t.Context(), tx, rules, visit, noon, 5)
				return err
			}); err != nil {
				rt.Fatal(err, texts)
			}
			var qualify []id.Party
			left, only := make([]int64, len(asked.Reasons)), make([]int64, len(asked.Reasons))
			for k, c := range all {
				told := words.Facts()
				set(told.Set("channel", rule.Text("web")))
				set(told.SetMoment(noon))
				set(about(told, c, noon))
				yes := true
				for _, r := range rules {
					truth, err := r.Eval(told)
					set(err)
					yes = yes && truth == rule.Yes
				}
				if yes {
					qualify = append(qualify, k)
				}
				last, n, before := 0, 0, 0
				for _, r := range rules {
					for _, i := range r.Unmet(told, nil) {
						left[before+i]++
						last, n = before+i, n+1
					}
					before += len(r.Clauses())
				}
				if n == 1 {
					only[last]++
				}
			}
			slices.Sort(qualify)
			slices.Reverse(qualify)
			if asked.All != 300 || asked.Qualify != int64(len(qualify)) || !slices.Equal(asked.Samples, qualify[:min(5, len(qualify))]) {
				rt.Fatalf("%q: asked %d of %d %v, Eval %d %v", texts, asked.Qualify, asked.All, asked.Samples, len(qualify), qualify)
			}
			for i, r := range asked.Reasons {
				if r.LeftOut != left[i] || r.Alone != only[i] {
					rt.Fatalf("%q, clause %d: asked %d, %d alone; Eval %d, %d", texts, i, r.LeftOut, r.Alone, left[i], only[i])
				}
			}
		})
	})
}

// What was packed comes back; what was damaged is told and never read past its end.
func TestAStretchComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []customer
		text := rapid.SampledFrom([]string{"", "gold", "金卡", "\n老客\n"})
		for i := range rapid.IntRange(0, 20).Draw(t, "n") {
			n := rapid.Int64().Draw(t, "x")
			all = append(all, customer{party: id.Party(fmt.Sprintf("%04d", i)), createdDay: n, orders: n / 2,
				Traits: identity.Traits{Level: text.Draw(t, "level"), Tags: identity.Tags(text.Draw(t, "tags")), Region: text.Draw(t, "region"), ActiveDay: n / 3, ActiveBits: n / 5}})
		}
		b := pack(all)
		if back, err := customers(b); err != nil || !slices.Equal(back, all) {
			t.Fatalf("%v, %v", back, err)
		}
		cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut")
		if back, err := customers(b[:cut]); err == nil && len(back) == len(all) && len(all) > 0 {
			t.Fatalf("%d bytes of %d are all", cut, len(b))
		}
		b[cut] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		_, _ = customers(b)
	})
}

var (
	putParty = db.SQL("audience_test.put_party", `INSERT INTO parties (id, kind, name, phone, email, lang, state, created_at, level, tags, region, active_day, active_bits) VALUES ($1, $2, '', $3, '', 'en', $4, $5, $6, '', '', 0, 0)`)
	setParty = db.SQL("audience_test.set_party", `UPDATE parties SET state = $1, level = $2 WHERE id = $3`)
	putOrder = db.SQL("audience_test.put_order", `INSERT INTO orders (id, state, party_id, phone, email, lang, channel, currency, total, idem_scope, idem_key, request_hash, created_at, expires_at, paid_at, closed_at, history)
VALUES ($1, $2, $3, $4, '', 'en', 'web', 'CNY', 1, 's', $5, $6, 1, 1, $7, 0, '')`)
	setOrder = db.SQL("audience_test.set_order", `UPDATE orders SET state = 'expired' WHERE state = 'pending'`)
)

// After a walk every row is the truth: orders by account and phone, the greater of them, and
// who is disabled, or is staff, isn't there.
func TestAWalkBringsTheTruth(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		parties := make([]string, 25)
		do := func(fn func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Do(t.Context(), fn); err != nil {
				t.Fatal(err)
			}
		}
		order := func(tx *db.Tx, state, party, phone string, paid int64) error {
			k := string(id.New[id.Order]())
			_, err := tx.Exec(t.Context(), putOrder, k, state, party, phone, k, []byte(k), paid)
			return err
		}
		do(func(tx *db.Tx) error {
			for i := range parties {
				parties[i] = string(id.New[id.Party]())
				kind, phone := "shopper", fmt.Sprint("+86139", i)
				if i == 24 {
					kind, phone = "staff", ""
				}
				if _, err := tx.Exec(t.Context(), putParty, parties[i], kind, phone, "active", db.Micros(noon), "gold"); err != nil {
					return err
				}
			}
			for _, o := range []struct {
				state, party, phone string
				paid                int64
			}{{"fulfilled", parties[0], "", 1}, {"refunded", parties[0], "", 1}, {"pending", "", "+861390", 0}, {"expired", parties[1], "", 0}, {"pending", parties[2], "+861392", 0}, {"pending", "", "+861392", 0}} {
				if err := order(tx, o.state, o.party, o.phone, o.paid); err != nil {
					return err
				}
			}
			return nil
		})
		walked := func(at time.Time) map[id.Party]customer {
			t.Helper()
			for range 100 {
				ended, err := Walk(t.Context(), d, 7, at)
				if err != nil {
					t.Fatal(err)
				}
				if ended {
					break
				}
			}
			out := map[id.Party]customer{}
			do(func(tx *db.Tx) error {
				return tx.Query(t.Context(), stretches, func(scan func(...any) error) error {
					var b []byte
					if err := scan(&b); err != nil {
						return err
					}
					part, err := customers(b)
					for _, c := range part {
						out[c.party] = c
					}
					return err
				})
			})
			return out
		}
		all := walked(noon)
		if len(all) != 24 {
			t.Fatalf("%d rows", len(all))
		}
		for i, want := range []int64{2, 0, 1, 0} {
			if got := all[id.Party(parties[i])].orders; got != want {
				t.Errorf("customer %d has %d orders, want %d", i, got, want)
			}
		}
		do(func(tx *db.Tx) error {
			if _, err := tx.Exec(t.Context(), setOrder); err != nil {
				return err
			}
			if _, err := tx.Exec(t.Context(), setParty, "disabled", "gold", parties[5]); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), setParty, "active", "silver", parties[23])
			return err
		})
		all = walked(noon.Add(time.Hour))
		if len(all) != 23 || all[id.Party(parties[2])].orders != 0 || all[id.Party(parties[0])].orders != 2 || all[id.Party(parties[23])].Level != "silver" {
			t.Errorf("%d rows, %+v", len(all), all[id.Party(parties[23])])
		}
		r, err := catalogue.RuleWords().Compile(rule.Source{Text: `customer.orders == 0`})
		if err != nil {
			t.Fatal(err)
		}
		do(func(tx *db.Tx) error {
			a, err := Preview(t.Context(), tx, []*rule.Rule{r}, catalogue.RuleWords().Facts(), noon, 3)
			if a.All != 23 || a.Qualify != 22 || len(a.Samples) != 3 || !a.AsOf.Equal(noon.Add(time.Hour)) {
				t.Errorf("%+v", a)
			}
			return err
		})
	})
}
