package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/insight/audience"
	"hufu/internal/rule"
)

// Audience is the measurement of who would qualify.
type Audience struct {
	Store, KeyFile string
	Customers      int
	Progress       func(text string)
}

// AudienceRun is what was measured.
type AudienceRun struct {
	Store     string    `json:"store"`
	Customers int64     `json:"customers"`
	WalkS     float64   `json:"walk_s"`     // to bring the read model from nothing to the truth
	FloorMs   float64   `json:"floor_ms"`   // to count the accounts by one condition: what a look at each costs the database
	Rules     []string  `json:"rules"`      // of the measured answer
	Ms        []float64 `json:"answers_ms"` // each time it was asked
	Ratio     float64   `json:"ratio"`      // of the slowest answer to the limit of 3 s
	Qualify   int64     `json:"qualify"`
	StreamMs  float64   `json:"stream_ms"` // of one rule that calculates
}

// AudienceLimit is how long an answer over a million customers may take.
const AudienceLimit = 3 * time.Second

var (
	putCustomers = db.Rows("bench.customers", `INSERT INTO parties {{values id text, kind text, name text, phone text, email text, lang text, state text, created_at bigint, level text, tags text, region text, active_day bigint, active_bits bigint}}`)
	countFloor   = db.SQL("bench.audience_floor", `SELECT COUNT(*) FILTER (WHERE kind = 'shopper' AND level = '') FROM parties`)
	countParties = db.SQL("bench.parties", `SELECT COUNT(*) FROM parties WHERE kind = 'shopper'`)
)

// audienceRules are four rules of two conditions and more, of every fact a customer has.
var audienceRules = []string{
	`customer.orders == 0 or customer.age_days < 30`,
	`customer.active_days_30 >= 5 and customer.age_days >= 1`,
	`customer.level in ["", "silver", "gold"] and hasNone(customer.tags, ["staff", "blocked"])`,
	`region in ["CN-31", "CN-11", "CN-44"] and channel == "web" and hour >= 0`,
}

// RunAudience fills a store with customers, walks along them, and asks who qualifies.
func RunAudience(ctx context.Context, m Audience) (AudienceRun, error) {
	a, err := open(ctx, m.Store, m.KeyFile)
	if err != nil {
		return AudienceRun{}, err
	}
	defer a.Close()
	out := AudienceRun{Store: a.DB.Dialect().String(), Rules: audienceRules}
	now := a.Clock.Now()
	if err := fillCustomers(ctx, a.DB, m, now); err != nil {
		return out, err
	}
	began := time.Now()
	for ended := false; !ended; {
		if ended, err = audience.Walk(ctx, a.DB, 2000, now); err != nil {
			return out, err
		}
	}
	out.WalkS = time.Since(began).Seconds()
	ask := func(texts ...string) (answer audience.Answer, took time.Duration, err error) {
		var rules []*rule.Rule
		for _, text := range texts {
			r, err := catalogue.RuleWords().Compile(rule.Source{Text: text})
			if err != nil {
				return answer, 0, err
			}
			rules = append(rules, r)
		}
		visit := catalogue.RuleWords().Facts()
		if err := visit.Set("channel", rule.Text("web")); err != nil {
			return answer, 0, err
		}
		if err := visit.SetMoment(now); err != nil {
			return answer, 0, err
		}
		began := time.Now()
		err = a.DB.View(ctx, func(tx *db.Tx) (err error) {
			answer, err = audience.Preview(ctx, tx, rules, visit, now, 5)
			return err
		})
		return answer, time.Since(began), err
	}
	began = time.Now()
	if err := a.DB.View(ctx, func(tx *db.Tx) error {
		var n int64
		_, err := tx.One(ctx, countFloor, []any{&n})
		return err
	}); err != nil {
		return out, err
	}
	out.FloorMs = ms(time.Since(began))
	for range 3 {
		answer, took, err := ask(audienceRules...)
		if err != nil {
			return out, err
		}
		out.Customers, out.Qualify = answer.All, answer.Qualify
		out.Ms = append(out.Ms, ms(took))
		out.Ratio = max(out.Ratio, took.Seconds()/AudienceLimit.Seconds())
	}
	_, took, err := ask(`customer.orders * 10 > customer.age_days`)
	out.StreamMs = ms(took)
	return out, err
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// fillCustomers adds the customers that the store lacks.
func fillCustomers(ctx context.Context, d *db.DB, m Audience, now time.Time) error {
	var there int64
	if err := d.View(ctx, func(tx *db.Tx) error { _, err := tx.One(ctx, countParties, []any{&there}); return err }); err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(7, uint64(there)))
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	const chunk = 5000
	for at := int(there); at < m.Customers; at += chunk {
		n := min(chunk, m.Customers-at)
		if err := d.Do(ctx, func(tx *db.Tx) error {
			return tx.WriteAll(ctx, putCustomers, n, func(i int, b *db.Binder) {
				day, bits := int64(0), int64(0)
				if r.IntN(2) == 0 {
					day, bits = identity.Day(now)-int64(r.IntN(40)), r.Int64N(1<<30)|1
				}
				var tags []string
				for _, t := range []string{"vip", "staff", "blocked", "wechat"} {
					if r.IntN(6) == 0 {
						tags = append(tags, t)
					}
				}
				b.Text(string(id.New[id.Party]())).Text(string(identity.Shopper)).Text("").Text(fmt.Sprintf("+8614%09d", at+i)).Text("").Text(string(i18n.ZH)).Text("active").
					Time(now.Add(-time.Duration(r.IntN(1000)) * 24 * time.Hour)).Text(pick("", "", "silver", "gold", "platinum")).Text(string(identity.NewTags(tags))).
					Text(pick("", "CN-31", "CN-11", "CN-44", "CN-51")).Int(day).Int(bits)
			})
		}); err != nil {
			return err
		}
		if m.Progress != nil && (at/chunk)%40 == 39 {
			m.Progress(fmt.Sprintf("%d of %d customers", at+n, m.Customers))
		}
	}
	return nil
}
