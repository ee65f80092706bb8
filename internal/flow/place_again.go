package flow

import (
	"bytes"
	"context"
	"errors"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/order"
)

// repeated answers a request that was carried out before.
func (f *Flows) repeated(ctx context.Context, tx *db.Tx, old *order.Order, c Place) db.Answer[Placed] {
	if !bytes.Equal(old.RequestHash, c.RequestHash) {
		return db.Answer[Placed]{Err: fault.New(fault.Conflict, "idempotency.reused")}
	}
	intents, err := f.Payments.IntentsOf(ctx, tx, []id.Order{old.ID})
	if err != nil {
		return db.Answer[Placed]{Err: err}
	}
	p := Placed{Order: old, Repeated: true}
	if all := intents[old.ID]; len(all) > 0 {
		p.Intent = all[0] // the one the first answer named
	}
	return db.Answer[Placed]{Result: p}
}

// placedMeanwhile answers again the commands that were refused as sold out. Their stocks are
// locked now; a twin on another node that had them locked before, and may have taken the
// last unit, has committed since the keys were looked up.
func (f *Flows) placedMeanwhile(ctx context.Context, tx *db.Tx, commands []Place, refused []int, answers []db.Answer[Placed]) error {
	if len(refused) == 0 {
		return nil
	}
	keys := make([]order.KeyOf, len(refused))
	for i, at := range refused {
		keys[i] = commands[at].Request
	}
	found, err := f.Orders.ByKeys(ctx, tx, keys)
	if err := errors.Join(err, tx.Flush(ctx)); err != nil {
		return err
	}
	for _, at := range refused {
		if old := found[commands[at].Request]; old != nil {
			answers[at] = f.repeated(ctx, tx, old, commands[at])
		}
	}
	return nil
}

// twin answers a command whose request stands in the same batch before it.
func twin(a db.Answer[Placed], was, is Place) db.Answer[Placed] {
	if !bytes.Equal(was.RequestHash, is.RequestHash) {
		return db.Answer[Placed]{Err: fault.New(fault.Conflict, "idempotency.reused")}
	}
	a.Result.Repeated = a.Err == nil
	return a
}
