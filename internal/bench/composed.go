package bench

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/bits"
	"strconv"
	"sync/atomic"
	"time"

	"hufu/internal/app"
	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/flow"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/rule"
	"hufu/internal/vault"
)

// ComposedRun compares the purchases of one bundle of six parts by the same members, who hold
// fifty rights each and buy each of the two once: as it is, and with four issuing rules, two
// limits and two relations that speak of what it gives and of what they hold.
type ComposedRun struct {
	Store      string  `json:"store"`
	Clients    int     `json:"clients"`
	BareS      float64 `json:"bare_per_s"`
	ComposedS  float64 `json:"composed_per_s"`
	BareCPU    float64 `json:"bare_cpu_s"` // of the server and its sessions at a database on the same machine, for each purchase
	CPU        float64 `json:"composed_cpu_s"`
	Ratio      float64 `json:"cpu_ratio"` // of CPU to BareCPU; the limit is ComposedLimit
	Errors     int64   `json:"errors"`
	FirstError string  `json:"first_error,omitempty"`
	Violations int     `json:"violations"`
	// FirstProblem is the first invariant that didn't hold, and a row that breaks it.
	FirstProblem string `json:"first_problem,omitempty"`
}

// ComposedLimit is the most that rules, limits and relations may make of a purchase's cost.
const ComposedLimit = 1.25

const (
	// membersPerS is how many members there are for each second of the run: nobody buys the same
	// twice, so that what they hold stays what it is said to be.
	membersPerS = 600
	heldBefore  = 50
	// composedTurns is how often the two offers take turns, each before the other as often and in
	// the order of Thue and Morse, which keeps step with nothing: what else the machine and the
	// server do, some of it every few seconds, and what members bought meanwhile, falls on both alike.
	composedTurns = 24
)

var putSessions = db.Rows("bench.sessions", `INSERT INTO sessions {{values token_hash bytes, id text, party_id text, face text, stage text, created_at bigint, seen_at bigint, confirmed_at bigint, expires_at bigint, origin text, agent text}}`)

// RunComposed measures at each number of clients.
func RunComposed(ctx context.Context, p Purchase) ([]ComposedRun, error) {
	var out []ComposedRun
	for _, n := range p.Clients {
		p.Progress(fmt.Sprintf("bundles: %d clients", n))
		r, err := p.composed(ctx, n)
		if err != nil {
			return out, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (p *Purchase) composed(ctx context.Context, clients int) (ComposedRun, error) {
	out := ComposedRun{Store: kind(p.Store), Clients: clients}
	bare, with, past, tokens, err := seedComposed(ctx, p)
	if err != nil {
		return out, err
	}
	server, err := serve(ctx, p.Store, p.KeyFile)
	if err != nil {
		return out, err
	}
	defer server.stop()
	shoppers := make([]*shopper, clients)
	for i := range shoppers {
		c, err := dial(server.addr)
		if err != nil {
			return out, err
		}
		defer c.close()
		shoppers[i] = &shopper{client: c, n: i}
	}
	offered, err := read(shoppers[0].client, bare, with, past)
	if err != nil {
		return out, err
	}
	p.Progress(fmt.Sprintf("bundles: %d members buy what they hold", len(tokens)))
	if _, failed, _, first := each(ctx, clients, tokens, time.Hour, func(i int, token string) error {
		shoppers[i].offers, shoppers[i].member = offered[2:], token
		_, _, _, err := shoppers[i].paid()
		return err
	}); failed > 0 {
		return out, first
	}
	var sums [2]struct {
		done int64
		took time.Duration
		cpu  float64
	}
	for turn := range composedTurns + 1 {
		share := len(tokens) / (composedTurns + 1)
		members := tokens[turn*share : (turn+1)*share]
		for k := range 2 {
			which := (bits.OnesCount(uint(turn)) + k) % 2
			before := cost(server, p.Store)
			done, failed, took, first := each(ctx, clients, members, p.Duration/composedTurns/2, func(i int, token string) error {
				shoppers[i].offers, shoppers[i].member = offered[which:which+1], token
				return shoppers[i].buy()
			})
			after := restOf(ctx, server, p.Store)
			out.Errors += failed
			if first != nil && out.FirstError == "" {
				out.FirstError = first.Error()
			}
			if turn > 0 { // what is measured is a warm server
				s := &sums[which]
				s.done, s.took, s.cpu = s.done+done, s.took+took, s.cpu+spent(before, after)
			}
		}
	}
	if sums[0].done == 0 || sums[1].done == 0 {
		return out, fmt.Errorf("bench: nothing was bought: %s", out.FirstError)
	}
	out.BareS, out.ComposedS = float64(sums[0].done)/sums[0].took.Seconds(), float64(sums[1].done)/sums[1].took.Seconds()
	out.BareCPU, out.CPU = sums[0].cpu/float64(sums[0].done), sums[1].cpu/float64(sums[1].done)
	out.Ratio = out.CPU / out.BareCPU
	server.stop()
	p.Progress("verify")
	out.Violations, out.FirstProblem, err = violations(ctx, p.Store, p.KeyFile)
	return out, err
}

// each has clients side by side call once for every member, until the time is over.
func each(ctx context.Context, clients int, members []string, d time.Duration, once func(client int, member string) error) (done, failed int64, took time.Duration, first error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var next, late atomic.Int64
	done, failed, took, first = load(ctx, clients, d, func(_ context.Context, i int) error {
		n := int(next.Add(1)) - 1
		if n >= len(members) {
			late.Add(1)
			cancel()
			return nil
		}
		return once(i, members[n])
	})
	return done - late.Load(), failed, took, first
}

// seedComposed puts the two offers on sale, and one that gives members what they hold, and signs
// the members in.
func seedComposed(ctx context.Context, p *Purchase) (bare, with, past id.Offer, tokens []string, err error) {
	a, err := open(ctx, p.Store, p.KeyFile)
	if err != nil {
		return "", "", "", nil, err
	}
	defer a.Close()
	now, run := a.Clock.Now(), strconv.FormatInt(time.Now().UnixNano(), 36)
	members := int(p.Duration.Seconds()*membersPerS) + 200
	text := func(s string) catalogue.Text { return catalogue.Text{ZH: s, EN: s} }
	var c catalogue.Content
	for i, text := range []string{`customer.age_days >= 30`, `customer.orders >= 1`, `customer.level in ["silver", "gold"] or hasNone(customer.tags, ["staff", "blocked"])`, `channel == "api" and hour >= 0`} {
		c.Rules = append(c.Rules, catalogue.Issuing{Name: catalogue.Text{ZH: fmt.Sprint("规则", i+1), EN: fmt.Sprint("Rule ", i+1)}, Source: rule.Source{Text: text}})
	}
	c.Limits = []catalogue.Limit{{Max: 1_000_000, Window: catalogue.Month, Of: catalogue.Person}, {Max: 10_000_000, Window: catalogue.Day, Of: catalogue.Everybody}}
	if bare, err = sellBundle(ctx, a, "plain-"+run, int64(members), 1, 6, catalogue.Content{}); err != nil {
		return "", "", "", nil, err
	}
	if with, err = sellBundle(ctx, a, "line-"+run, int64(members), 1, 6, c); err != nil {
		return "", "", "", nil, err
	}
	if err = a.DB.Do(ctx, func(tx *db.Tx) error {
		for _, r := range []catalogue.Relation{
			{Key: "extends-" + run, Kind: catalogue.Extends, Severity: catalogue.Inform, Name: text("VIP"), From: catalogue.Side{Provider: "line-" + run}},
			{Key: "overlaps-" + run, Kind: catalogue.Overlaps, Severity: catalogue.Inform, Name: text("VIP"), From: catalogue.Side{Provider: "line-" + run}},
		} {
			if _, err := a.Flows.Catalogue.PutRelation(ctx, tx, r, "system", now); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return "", "", "", nil, err
	}
	// What they hold is of the same provider, so that every right has to be looked at.
	if past, err = sellBundle(ctx, a, "line-"+run, 0, heldBefore, 1, catalogue.Content{}); err != nil {
		return "", "", "", nil, err
	}
	err = a.DB.Do(ctx, func(tx *db.Tx) error {
		parties := make([]string, members)
		if err := tx.WriteAll(ctx, putCustomers, members, func(i int, b *db.Binder) {
			parties[i] = string(id.New[id.Party]())
			b.Text(parties[i]).Text(string(identity.Shopper)).Text("").Text("+861" + strconv.FormatInt(now.UnixMicro()%1e7*1000+int64(i), 10)).Text("").Text(string(i18n.ZH)).Text("active").
				Time(now.Add(-100 * 24 * time.Hour)).Text("gold").Text(string(identity.NewTags([]string{"vip"}))).Text("CN-31").Int(identity.Day(now)).Int(1)
		}); err != nil {
			return err
		}
		return tx.WriteAll(ctx, putSessions, members, func(i int, b *db.Binder) {
			var secret [32]byte
			_, _ = rand.Read(secret[:]) // never fails
			hash := sha256.Sum256(secret[:])
			tokens = append(tokens, base64.RawURLEncoding.EncodeToString(secret[:]))
			b.Bytes(hash[:]).Text(string(id.New[id.Session]())).Text(parties[i]).Text(string(identity.Shop)).Text(string(identity.StageFull)).
				Time(now).Time(now).Time(now).Time(now.Add(24 * time.Hour)).Text("bench").Text("bench")
		})
	})
	return bare, with, past, tokens, err
}

// sellBundle puts an offer of parts of one provider on sale, the first of them with so many
// codes unless there are none.
func sellBundle(ctx context.Context, a *app.App, provider string, codes, quantity int64, parts int, c catalogue.Content) (offer id.Offer, err error) {
	now := a.Clock.Now()
	slug := fmt.Sprintf("%s-%d", provider, parts)
	var stock id.Stock
	err = a.DB.Do(ctx, func(tx *db.Tx) error {
		if codes > 0 {
			s, err := a.Flows.Inventory.Create(ctx, tx, slug, inventory.Codes, 0, now)
			if err != nil {
				return err
			}
			stock = s.ID
		}
		text := func(s string) catalogue.Text { return catalogue.Text{ZH: s, EN: s} }
		for i := range parts {
			b := catalogue.Benefit{Slug: fmt.Sprintf("%s-%d", slug, i), Kind: "membership", Provider: catalogue.Provider{Key: provider, Name: text("Bench")},
				Name: text("VIP 30"), Attributes: map[string]string{"days": "30"}, ValidDays: 30,
				Disclosure: catalogue.Disclosure{AccountType: text("a"), Scope: text("s"), Devices: text("d"), Validity: text("v"), HowToUse: text("h"), Refund: text("r")}}
			if i == 0 && codes > 0 {
				b.Stock, b.Coded = stock, true
			}
			b, err := a.Flows.Catalogue.PutBenefit(ctx, tx, b, "system", now)
			if err != nil {
				return err
			}
			c.Parts = append(c.Parts, catalogue.Part{Benefit: b, Quantity: quantity})
		}
		c.Title, c.Summary, c.Price, c.List, c.MaxPerOrder = text("VIP"), text("s"), money.Of(1990, money.CNY), money.Of(3000, money.CNY), 10
		o, err := a.Flows.Catalogue.Create(ctx, tx, catalogue.Offer{Slug: slug, Category: "video", Draft: c}, now)
		if err != nil {
			return err
		}
		if o, _, err = a.Flows.Catalogue.Publish(ctx, tx, o, "system", now); err != nil {
			return err
		}
		o, err = a.Flows.Catalogue.SetState(ctx, tx, o, catalogue.Live, now)
		offer = o.ID
		return err
	})
	if err == nil && codes > 0 {
		_, err = a.Flows.GenerateCodes(ctx, flow.Generate{Stock: stock, Format: vault.DefaultFormat, Count: codes, Issuer: "bench", Name: slug, By: "system"}, nil)
	}
	return offer, err
}
