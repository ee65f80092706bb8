package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/terms"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/ledger"
	"hufu/internal/pricing"
	"hufu/internal/vault"
)

// The islands' own words for what is new: a purchase of the past is inserted by them as it
// stands at its end.
var (
	putOrder       = statement("order.insert")
	putLine        = statement("order.insert_line")
	putReservation = statement("inventory.insert_reservation")
	putIntent      = statement("payment.insert_intent")
	putNotice      = statement("payment.insert_notice")
	putCapture     = statement("payment.insert_capture")
	putRight       = statement("entitlement.insert")
	putStep        = statement("entitlement.insert_step")
	putAccount     = statement("ledger.insert_account")
	putTransfer    = statement("ledger.insert_transfer")
	putSeal        = statement("ledger.insert_seal")
	putCode        = statement("vault.insert_each")
	putJob         = statement("job.insert")
	putMessage     = statement("notify.insert")
)

func statement(name string) *db.Stmt {
	for _, s := range db.Registered() {
		if s.Name() == name {
			return s
		}
	}
	panic("bench: no statement is named " + name)
}

// writersOnPostgres is how many transactions of a filling are under way at once there. They
// write beside one another and commit in order.
const writersOnPostgres = 3

// fill writes what the batch lacks: while one chunk is written the next is made. tell is told
// after each commit how much of the batch is done.
func (p *past) fill(ctx context.Context, tell func(done, total int64)) error {
	if err := p.accounts(ctx); err != nil {
		return err
	}
	m, err := newMaker(p.app.Flows.Keys, p.batch, p.version, p.app.Clock.Now())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	chunks := make(chan *chunk, 1)
	var all sync.WaitGroup
	all.Go(func() {
		defer close(chunks)
		before := make(chan struct{})
		close(before)
		for from := p.batch.Counts.Stored; from < p.batch.Size; from += pastChunk {
			c, err := m.chunk(from, min(pastChunk, p.batch.Size-from))
			if err != nil {
				cancel(err)
				return
			}
			c.before, before = before, c.done
			select {
			case chunks <- c:
			case <-ctx.Done():
				return
			}
		}
	})
	writers := 1
	if p.app.DB.Dialect() == db.Postgres {
		writers = writersOnPostgres
	}
	tell(p.batch.Counts.Stored, p.batch.Size)
	for range writers {
		all.Go(func() {
			for c := range chunks {
				if err := p.write(ctx, c); err != nil {
					cancel(err)
					return
				}
				tell(c.from+int64(len(c.bought)), p.batch.Size) // one after the other: the next waits for done
				close(c.done)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// accounts makes the accounts that are booked on.
func (p *past) accounts(ctx context.Context) error {
	c := p.version.Content.Price.Currency
	accounts := []id.Account{ledger.Gateway(provider, c), ledger.Sales(c)}
	return p.app.DB.Do(ctx, func(tx *db.Tx) error {
		_, err := tx.Write(ctx, putAccount, len(accounts), func(i int, b *db.Binder) {
			b.Text(string(accounts[i])).Text(ledger.Kind(accounts[i])).Text(string(c)).Flag(true).Time(p.batch.CreatedAt)
		})
		return err
	})
}

// write stores a chunk. What only adds rows comes first; what locks, and what refers to what
// is locked, waits for the chunk before.
func (p *past) write(ctx context.Context, c *chunk) error {
	return p.app.DB.Do(ctx, func(tx *db.Tx) error {
		for _, put := range []func(context.Context, *db.Tx, *chunk) error{p.putOrders, p.putPayments, p.putRights, p.putMoney, p.putCodes, p.putWork} {
			if err := put(ctx, tx, c); err != nil {
				return err
			}
		}
		select {
		case <-c.before:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		return p.count(ctx, tx, c)
	})
}

// count takes what a chunk sold from its stock and its batch.
func (p *past) count(ctx context.Context, tx *db.Tx, c *chunk) error {
	f, n := p.app.Flows, int64(len(c.bought))
	book, err := f.Inventory.Open(ctx, tx, []id.Stock{p.batch.Stock}, nil)
	if err != nil {
		return err
	}
	b, err := vault.LockBatch(ctx, tx, p.batch.ID)
	if err != nil {
		return err
	}
	if b.Counts.Stored != c.from || b.State != vault.Filling {
		return fault.New(fault.Conflict, "vault.batch_moved")
	}
	if err := vault.StillActive(ctx, tx, c.data, c.index); err != nil {
		return err
	}
	if err := vault.CountBatches(ctx, tx, map[id.Batch]vault.Counts{b.ID: {Stored: n, Delivered: n}}); err != nil {
		return err
	}
	if c.from+n == b.Size {
		if err := vault.MoveBatch(ctx, tx, b, vault.Ready, b.Size); err != nil {
			return err
		}
	}
	book.Receive(b.Stock, n)
	if !book.Take("", "", map[id.Stock]int64{b.Stock: 1}, n) {
		return errors.New("bench: what was received can't be sold")
	}
	if err := f.Inventory.Save(ctx, tx, book, f.Clock.Now()); err != nil {
		return err
	}
	return c.each(ctx, tx, putReservation, func(o *bought, w *db.Binder) {
		w.Text(string(o.reservation)).Text(string(b.Stock)).Text(string(o.line)).Int(1).Text(string(inventory.Consumed)).Time(o.expires).Time(o.paid).Text("").Text("")
	})
}

// each writes a row for every purchase.
func (c *chunk) each(ctx context.Context, tx *db.Tx, s *db.Stmt, bind func(o *bought, w *db.Binder)) error {
	if err := tx.WriteAll(ctx, s, len(c.bought), func(i int, w *db.Binder) { bind(&c.bought[i], w) }); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

func (p *past) putOrders(ctx context.Context, tx *db.Tx, c *chunk) error {
	v, price := p.version, p.version.Content.Price
	if err := c.each(ctx, tx, putOrder, func(o *bought, w *db.Binder) {
		w.Text(string(o.order)).Text("fulfilled").Text("").Text(o.phone).Text("").Text(string(pastLang)).Text("api").Text(string(price.Currency)).Int(price.Minor).
			Text("guest").Text(o.key).Bytes(o.hash).Time(o.created).Time(o.expires).Time(o.paid).Int(0).Text(o.history)
	}); err != nil {
		return err
	}
	quote, accepted := quoted(v), terms.In(pastLang, v.Content).Hash
	return c.each(ctx, tx, putLine, func(o *bought, w *db.Binder) {
		w.Text(string(o.line)).Text(string(o.order)).Text(string(v.Offer)).Text(string(v.ID)).Int(1).Int(price.Minor).Int(price.Minor).
			Text(quote).Text(accepted).Text("").Int(1).Int(0).Int(0).Text("")
	})
}

func (p *past) putPayments(ctx context.Context, tx *db.Tx, c *chunk) error {
	price := p.version.Content.Price
	if err := c.each(ctx, tx, putIntent, func(o *bought, w *db.Binder) {
		w.Text(string(o.intent)).Text(string(o.order)).Text(provider).Int(price.Minor).Text(string(price.Currency)).Text("captured").Time(o.created).Time(o.expires).Int(0)
	}); err != nil {
		return err
	}
	if err := c.each(ctx, tx, putNotice, func(o *bought, w *db.Binder) {
		w.Text(string(o.notice)).Text(provider).Text("evt-" + o.key).Text(string(o.intent)).Text("applied").Text(o.header).Bytes(o.body).Time(o.paid)
	}); err != nil {
		return err
	}
	return c.each(ctx, tx, putCapture, func(o *bought, w *db.Binder) {
		w.Text(string(o.capture)).Text(provider).Text("txn-" + o.key).Text(string(o.intent)).Text(string(o.order)).Int(price.Minor).Text(string(price.Currency)).
			Text("applied").Text("").Time(o.paid).Time(o.paid)
	})
}

func (p *past) putRights(ctx context.Context, tx *db.Tx, c *chunk) error {
	if err := c.each(ctx, tx, putRight, func(o *bought, w *db.Binder) {
		r := &o.right
		w.Text(string(r.ID)).Text(string(r.Order)).Text(string(r.Line)).Int(r.Part).Text(string(r.Benefit)).Text(string(r.Version)).Text(string(r.Party)).
			Text(r.Kind).Text(string(r.State)).Text(string(r.Code)).Time(r.StartsAt).Time(r.EndsAt).Int(r.Steps).Bytes(r.Head).Time(r.GrantedAt).
			Int(0).Int(0).Int(r.Share).Text("").Int(0).Text("")
	}); err != nil {
		return err
	}
	return tx.WriteAll(ctx, putStep, 2*len(c.bought), func(i int, w *db.Binder) {
		s := c.bought[i/2].steps[i%2]
		w.Text(string(s.Right)).Int(s.N).Text(s.Kind).Text(s.Actor).Text(s.Data).Time(s.At).Bytes(s.Hash)
	})
}

func (p *past) putMoney(ctx context.Context, tx *db.Tx, c *chunk) error {
	if err := c.each(ctx, tx, putTransfer, func(o *bought, w *db.Binder) {
		t := o.transfer
		w.Text(t.Entry).Int(t.Leg).Text(string(t.Debit)).Text(string(t.Credit)).Int(t.Amount.Minor).Text(string(t.Amount.Currency)).
			Text(t.Kind).Text(string(t.Order)).Time(t.At).Text(c.chain).Int(o.seal)
	}); err != nil {
		return err
	}
	return tx.WriteAll(ctx, putSeal, len(c.seals), func(i int, w *db.Binder) {
		s := c.seals[i]
		w.Text(c.chain).Int(s.number).Int(s.transfers).Bytes(s.hash).Time(s.at)
	})
}

func (p *past) putCodes(ctx context.Context, tx *db.Tx, c *chunk) error {
	return c.each(ctx, tx, putCode, func(o *bought, w *db.Binder) {
		w.Text(string(o.code)).Text(string(p.batch.ID)).Text(string(p.batch.Stock)).Bytes(o.blind[:]).Text(string(o.sealed.Key)).Bytes(o.sealed.Body).Text(o.last4).
			Int(0).Text(string(vault.CodeDelivered)).Text(string(o.right.ID)).Time(o.paid)
	})
}

// putWork writes the message to the shopper, and the job that sent it while it is kept.
func (p *past) putWork(ctx context.Context, tx *db.Tx, c *chunk) error {
	const template = "notice.order_fulfilled"
	total := p.version.Content.Price.String()
	subject, body := pastLang.T(template+".subject", "total", total), pastLang.T(template+".body", "total", total)
	if err := c.each(ctx, tx, putMessage, func(o *bought, w *db.Binder) {
		w.Text(string(o.message)).Text("sms").Text(o.phone).Text(template).Text(string(pastLang)).Text(subject).Text(body).Text(string(o.order)).Text("sent").Time(o.told)
	}); err != nil {
		return err
	}
	recent := c.bought
	for len(recent) > 0 && recent[0].job == "" {
		recent = recent[1:]
	}
	return tx.WriteAll(ctx, putJob, len(recent), func(i int, w *db.Binder) {
		o := &recent[i]
		w.Text(string(o.job)).Text(flow.JobOrderPaid).Text(string(o.order)).Text("").Text("done").Time(o.paid).Int(1).Int(0).Int(0).Text("").Time(o.paid).Time(o.told)
	})
}

// quoted explains the price of a version as an order's line does.
func quoted(v *catalogue.Version) string {
	return pricing.For(pricing.Input{List: v.Content.List, Offer: v.Content.Price}).Text()
}
