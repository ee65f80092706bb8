package vault

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/naming"
)

// Batch is codes that came together (批次).
type Batch struct {
	ID       id.Batch
	Stock    id.Stock
	Source   string // Generated or Imported
	Name     string
	Issuer   string // whose codes they are; a code is there once an issuer
	Supplier string // who sold them to the shop; "" of generated ones
	Format   Format // of generated ones
	Size     int64  // how many it is to have
	First    id.Code
	// Key and Counter are the generator key and the counter of the first generated code.
	Key       id.Key
	Counter   uint64
	State     BatchState
	Counts    Counts
	Cost      money.Amount // of each code; no currency if not told
	ExpiresAt time.Time    // of the codes that have no end of their own; zero for never
	CreatedAt time.Time
	CreatedBy string
}

// The sources of a batch.
const (
	Generated = "generated"
	Imported  = "imported"
)

// BatchState is where a batch stands.
type BatchState string

// The states of a batch: Filling until all its codes are stored, then Ready; Undone when
// they were taken back.
const (
	Filling BatchState = "filling"
	Ready   BatchState = "ready"
	Undone  BatchState = "undone"
)

// CodeState is where a code stands.
type CodeState string

// The states of a code. One that is void, delivered or expired never becomes available
// again: no statement leads there.
const (
	CodeFilling   CodeState = "filling" // stored, not for sale yet
	CodeAvailable CodeState = "available"
	CodeDelivered CodeState = "delivered"
	CodeVoid      CodeState = "void"
	CodeExpired   CodeState = "expired"
)

// Counts are the codes of a batch by state. They change in the transaction that changes
// the codes, and the database refuses them when they don't add up.
type Counts struct{ Stored, Filling, Available, Delivered, Voided, Expired int64 }

func (c *Counts) of(s CodeState) *int64 {
	switch s {
	case CodeFilling:
		return &c.Filling
	case CodeAvailable:
		return &c.Available
	case CodeDelivered:
		return &c.Delivered
	case CodeVoid:
		return &c.Voided
	}
	return &c.Expired
}

const batchColumns = `id, stock_id, source, name, issuer, supplier, format, size, first_code, generator_key, first_counter, state,
stored, filling, available, delivered, voided, expired, cost_minor, currency, expires_at, created_at, created_by`

var (
	insertBatch = db.Rows("vault.insert_batch", `INSERT INTO code_batches {{values id text, stock_id text, source text, name text, issuer text, supplier text, format text, size bigint, first_code text, generator_key text, first_counter bigint, state text, stored bigint, filling bigint, available bigint, delivered bigint, voided bigint, expired bigint, cost_minor bigint, currency text, expires_at bigint, created_at bigint, created_by text}}`)
	batchByID   = db.SQL("vault.batch", `SELECT `+batchColumns+` FROM code_batches WHERE id = $1`)
	lockBatch   = db.SQL("vault.lock_batch", `SELECT `+batchColumns+` FROM code_batches WHERE id = $1 {{for update}}`)
	listBatches = db.SQL("vault.batches", `SELECT `+batchColumns+` FROM code_batches WHERE (id < $1 OR $1 = '') ORDER BY id DESC LIMIT $2`)
	ofStock     = db.SQL("vault.batches_of_stock", `SELECT `+batchColumns+` FROM code_batches WHERE stock_id = $1 AND (id < $2 OR $2 = '') ORDER BY id DESC LIMIT $3`)
	countBatch  = db.Rows("vault.count_batch", `UPDATE code_batches SET stored = code_batches.stored + r.stored, filling = code_batches.filling + r.filling, available = code_batches.available + r.available,
delivered = code_batches.delivered + r.delivered, voided = code_batches.voided + r.voided, expired = code_batches.expired + r.expired
FROM {{rows id text, stored bigint, filling bigint, available bigint, delivered bigint, voided bigint, expired bigint}} WHERE code_batches.id = r.id`)
	moveBatch   = db.SQL("vault.move_batch", `UPDATE code_batches SET state = $1, size = $2 WHERE id = $3 AND state = $4`)
	takeCounter = db.SQL("vault.take_counters", `INSERT INTO code_counters (key_id, next) VALUES ($1, $2) ON CONFLICT (key_id) DO UPDATE SET next = code_counters.next + $2`)
	lastCounter = db.SQL("vault.last_counter", `SELECT next FROM code_counters WHERE key_id = $1`)
	byCounter   = db.SQL("vault.batch_by_counter", `SELECT `+batchColumns+` FROM code_batches WHERE source = 'generated' AND generator_key = $1 AND first_counter <= $2 ORDER BY first_counter DESC LIMIT 1`)
	issuers     = db.SQL("vault.issuers", `SELECT source, issuer, format FROM code_batches GROUP BY source, issuer, format`)
	recount     = db.SQL("vault.recount", `SELECT state, COUNT(*) FROM codes WHERE id >= $1 AND id <= $2 GROUP BY state`)
)

func loadBatches(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]*Batch, error) {
	var out []*Batch
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		b := new(Batch)
		out = append(out, b)
		var format string
		c := &b.Counts
		if err := scan(&b.ID, &b.Stock, &b.Source, &b.Name, &b.Issuer, &b.Supplier, &format, &b.Size, &b.First, &b.Key, &b.Counter, &b.State,
			&c.Stored, &c.Filling, &c.Available, &c.Delivered, &c.Voided, &c.Expired, &b.Cost.Minor, &b.Cost.Currency,
			db.Time(&b.ExpiresAt), db.Time(&b.CreatedAt), &b.CreatedBy); err != nil {
			return err
		}
		return json.Unmarshal([]byte(format), &b.Format)
	}, args...)
	return out, err
}

func one(found []*Batch, err error) (*Batch, error) {
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "vault.batch_unknown")
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// CheckCost refuses what a code can't have cost: less than nothing.
func CheckCost(cost money.Amount) error {
	if cost.Minor < 0 {
		return fault.New(fault.Invalid, "vault.cost_negative")
	}
	return nil
}

// tidy brings what people call a batch, its issuer and its supplier to the form in which
// they are kept. Its faults are naming.hidden, vault.batch_name and vault.batch_issuer.
func tidy(name, issuer, supplier *string) error {
	for _, text := range []*string{name, issuer, supplier} {
		var ok bool
		if *text, ok = naming.Name(*text); !ok {
			return fault.New(fault.Invalid, "naming.hidden")
		}
	}
	switch {
	case *issuer == "":
		return fault.New(fault.Invalid, "vault.batch_issuer")
	case len(*name) > 200 || len(*issuer) > 60 || len(*supplier) > 200:
		return fault.New(fault.Invalid, "vault.batch_name")
	}
	return nil
}

// AddBatch writes a new batch, which has no codes yet. It mints the batch's id and sets
// the ids of its codes aside.
func AddBatch(ctx context.Context, tx *db.Tx, b *Batch) error {
	if err := tidy(&b.Name, &b.Issuer, &b.Supplier); err != nil {
		return err
	}
	if b.Name == "" {
		return fault.New(fault.Invalid, "vault.batch_name")
	}
	if err := CheckCost(b.Cost); err != nil {
		return err
	}
	b.ID, b.First, b.State, b.Counts = id.New[id.Batch](), id.NewSeries[id.Code]().At(0), Filling, Counts{}
	format, err := json.Marshal(b.Format)
	if err != nil {
		return err
	}
	return tx.WriteAll(ctx, insertBatch, 1, func(_ int, w *db.Binder) {
		w.Text(string(b.ID)).Text(string(b.Stock)).Text(b.Source).Text(b.Name).Text(b.Issuer).Text(b.Supplier).Text(string(format)).Int(b.Size).Text(string(b.First)).
			Text(string(b.Key)).Int(int64(b.Counter)).Text(string(b.State)).Int(0).Int(0).Int(0).Int(0).Int(0).Int(0).
			Int(b.Cost.Minor).Text(string(b.Cost.Currency)).Time(b.ExpiresAt).Time(b.CreatedAt).Text(b.CreatedBy)
	})
}

// TakeCounters hands out n counters of a generator key, each once for ever. Its fault is
// vault.counter_spent.
func TakeCounters(ctx context.Context, tx *db.Tx, key id.Key, n int64) (Range, error) {
	if _, err := tx.Exec(ctx, takeCounter, key, n); err != nil {
		return Range{}, err
	}
	var end int64
	if _, err := tx.One(ctx, lastCounter, []any{&end}, key); err != nil {
		return Range{}, err
	}
	if end > 1<<CounterBits {
		return Range{}, fault.New(fault.Conflict, "vault.counter_spent")
	}
	return Range{uint64(end - n), uint64(end)}, nil
}

// BatchByID loads a batch, or fails with vault.batch_unknown.
func BatchByID(ctx context.Context, tx *db.Tx, batch id.Batch) (*Batch, error) {
	return one(loadBatches(ctx, tx, batchByID, batch))
}

// LockBatch is BatchByID for who will change it. The batch's stock is locked before it.
func LockBatch(ctx context.Context, tx *db.Tx, batch id.Batch) (*Batch, error) {
	return one(loadBatches(ctx, tx, lockBatch, batch))
}

// Batches lists batches, the newest first, of one stock or of all (""), from before the
// one named ("" for the newest), at most n.
func Batches(ctx context.Context, tx *db.Tx, stock id.Stock, before id.Batch, n int) ([]*Batch, error) {
	if stock == "" {
		return loadBatches(ctx, tx, listBatches, before, n)
	}
	return loadBatches(ctx, tx, ofStock, stock, before, n)
}

// CountBatches adds to the counts of batches what a transaction does to their codes.
func CountBatches(ctx context.Context, tx *db.Tx, delta map[id.Batch]Counts) error {
	ids := slices.Sorted(maps.Keys(delta))
	return tx.WriteAll(ctx, countBatch, len(ids), func(i int, b *db.Binder) {
		c := delta[ids[i]]
		b.Text(string(ids[i])).Int(c.Stored).Int(c.Filling).Int(c.Available).Int(c.Delivered).Int(c.Voided).Int(c.Expired)
	})
}

// MoveBatch changes a batch's state and size; the batch must still be in the state b has.
func MoveBatch(ctx context.Context, tx *db.Tx, b *Batch, to BatchState, size int64) error {
	if err := tx.ExecOne(ctx, moveBatch, string(to), size, b.ID, string(b.State)); err != nil {
		return err
	}
	b.State, b.Size = to, size
	return nil
}

// Recount counts a batch's codes themselves, for a check of its Counts. It reads them all.
func Recount(ctx context.Context, tx *db.Tx, b *Batch) (Counts, error) {
	var c Counts
	first, last := b.span()
	err := tx.Query(ctx, recount, func(scan func(...any) error) error {
		var s CodeState
		var n int64
		err := scan(&s, &n)
		*c.of(s) += n
		c.Stored += n
		return err
	}, first, last)
	return c, err
}

// series are the ids of the batch's codes.
func (b *Batch) series() id.Series[id.Code] {
	s, err := id.SeriesFrom(b.First)
	if err != nil {
		panic(fmt.Sprintf("vault: batch %s: %v", b.ID, err)) // AddBatch wrote it
	}
	return s
}

func (b *Batch) span() (first, last id.Code) {
	return b.First, b.series().At(id.SeriesSize - 1)
}

// Holds reports whether a code is of this batch.
func (b *Batch) Holds(code id.Code) bool {
	first, last := b.span()
	return code >= first && code <= last
}
