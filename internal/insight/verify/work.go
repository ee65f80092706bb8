package verify

import (
	"context"
	"strconv"
	"sync"
	"time"

	"hufu/internal/db"
)

// task is work that one hand does; it belongs to some invariants.
type task struct {
	of []string
	do func(context.Context, *hand) error
}

// work looks at what came with every order first, a stretch after the other, and then at the
// rest. The hands share both.
func (r *run) work(ctx context.Context, hands []*hand) error {
	tasks := []task{
		{of: []string{"I1", "I2", "I4"}, do: transfers},
		{of: []string{"I5", "I8", "I27", "I29"}, do: codes},
	}
	for _, inv := range invariants {
		tasks = append(tasks, task{of: []string{inv.id}, do: func(ctx context.Context, h *hand) error { return inv.ask(ctx, h) }})
	}
	for _, t := range tasks {
		for _, name := range t.of {
			r.pending[name]++
		}
	}
	if err := r.progress.begin(ctx, hands[0]); err != nil {
		return err
	}
	cut := &stretches{}
	if err := together(ctx, hands, func(ctx context.Context, h *hand) (bool, error) {
		at, more, err := cut.next(ctx, h)
		if err != nil || !more {
			return false, err
		}
		return true, h.look(ctx, at)
	}); err != nil {
		return err
	}
	var mu sync.Mutex
	return together(ctx, hands, func(ctx context.Context, h *hand) (bool, error) {
		mu.Lock()
		if len(tasks) == 0 {
			mu.Unlock()
			return false, nil
		}
		t := tasks[0]
		tasks = tasks[1:]
		mu.Unlock()
		if err := t.do(ctx, h); err != nil {
			return false, err
		}
		r.ended(t.of)
		return true, nil
	})
}

// together has every hand take steps until there are none. The first error ends all.
func together(ctx context.Context, hands []*hand, step func(context.Context, *hand) (more bool, err error)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	steps := func(h *hand) {
		for {
			more, err := step(ctx, h)
			if err != nil {
				cancel(err)
			}
			if err != nil || !more || ctx.Err() != nil {
				return
			}
		}
	}
	var beside sync.WaitGroup
	for _, h := range hands[1:] {
		beside.Go(func() { steps(h) })
	}
	steps(hands[0])
	beside.Wait()
	return context.Cause(ctx)
}

// look judges a stretch.
func (h *hand) look(ctx context.Context, at stretch) error {
	if err := h.tx.ByKey(ctx, true); err != nil {
		return err
	}
	for _, s := range sweeps {
		low, high := at.of(s.prefix)
		if err := s.judge(ctx, h, low, high); err != nil {
			return err
		}
	}
	for _, w := range []struct {
		of   []string
		walk func(context.Context, *hand, stretch) error
	}{
		{[]string{"I6", "I9", "I16", "I17", "I27", "I29", "I31"}, orders},
		{[]string{"I4", "I29"}, paths},
		{[]string{"I8"}, reservations},
	} {
		began := time.Now()
		if err := w.walk(ctx, h, at); err != nil {
			return err
		}
		for _, name := range w.of {
			h.spent(name, time.Since(began)/time.Duration(len(w.of)))
		}
	}
	return nil
}

// ask runs an invariant's own rules and walks.
func (inv invariant) ask(ctx context.Context, h *hand) error {
	began := time.Now()
	if inv.id == "I29" && h.has != h.needs {
		h.bad("I29", "schema", strconv.FormatInt(h.has, 10), "needs="+strconv.FormatInt(h.needs, 10))
	}
	if err := h.tx.ByKey(ctx, false); err != nil {
		return err
	}
	for _, q := range inv.rules {
		if err := q.ask(ctx, h, inv.id); err != nil {
			return err
		}
	}
	for _, w := range inv.walks {
		if err := w(ctx, h); err != nil {
			return err
		}
	}
	h.spent(inv.id, time.Since(began))
	return nil
}

// ended notes that a task of some invariants is done, and tells of those that are over.
func (r *run) ended(of []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range of {
		r.pending[name]--
	}
	for n := len(r.out); n < len(invariants) && r.pending[invariants[n].id] == 0; n++ {
		name := invariants[n].id
		r.out = append(r.out, Result{ID: name, Rows: r.rows[name], More: r.more[name], Took: r.took[name]})
		if r.Each != nil {
			r.Each(r.out[n])
		}
	}
}

var (
	countTransfers = db.SQL("verify.count_transfers", `SELECT COALESCE(SUM(transfers), 0) FROM ledger_seals`)
	countStored    = db.SQL("verify.count_codes", `SELECT COALESCE(SUM(stored), 0) FROM code_batches`)
)

// rowsOfOrder is about how many rows are looked at with an order.
const rowsOfOrder = 9

// progress counts the rows that take long.
type progress struct{ done, total int64 }

func (p *progress) begin(ctx context.Context, h *hand) error {
	if h.Progress == nil {
		return nil
	}
	for _, count := range []struct {
		stmt *db.Stmt
		rows int64
	}{{countOrders, rowsOfOrder}, {countTransfers, 1}, {countStored, 1}} {
		var n int64
		if _, err := h.tx.One(ctx, count.stmt, []any{&n}); err != nil {
			return err
		}
		p.total += n * count.rows
	}
	return nil
}

// looked tells of n rows more.
func (r *run) looked(n int64) {
	if r.Progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.done += n
	r.Progress(min(r.progress.done, r.progress.total), r.progress.total)
}
