package flow

import (
	"context"
	"errors"
	"strconv"
	"time"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/vault"
)

// Generate is the command to make codes of our own for a stock.
type Generate struct {
	Stock   id.Stock
	Name    string
	Issuer  string // whose codes they are
	Format  vault.Format
	Count   int64
	Cost    money.Amount
	Expires time.Time // zero: never
	By      string    // who asked for it
	Origin  string
	// Also is done in the transaction that makes the batch, at its end, such as keeping the
	// answer under the caller's key. It may be nil, and must be repeatable.
	Also func(tx *db.Tx, batch *vault.Batch) error
}

// MaxGenerate is how many codes one command makes.
const MaxGenerate = 100_000_000

// fillChunk is how many codes one transaction stores: on SQLite it holds the one writer
// for some 40 ms, so that a shop goes on selling meanwhile.
const fillChunk = 5000

// GenerateCodes makes a batch. Its codes come on sale chunk by chunk, each in the
// transaction that counts it into the stock, so the books balance at every commit. When
// it ends early the batch stays Filling: ResumeGenerate goes on where it stopped, and
// UndoBatch takes it back. progress may be nil.
func (f *Flows) GenerateCodes(ctx context.Context, c Generate, progress func(done, total int64)) (*vault.Batch, error) {
	batch, err := f.BeginGenerate(ctx, c)
	if err != nil {
		return nil, err
	}
	return batch, f.fill(ctx, batch, progress)
}

// BeginGenerate makes a batch without codes, for ResumeGenerate to fill.
func (f *Flows) BeginGenerate(ctx context.Context, c Generate) (*vault.Batch, error) {
	if c.Count < 1 || c.Count > MaxGenerate {
		return nil, fault.New(fault.Invalid, "vault.count", "max", strconv.Itoa(MaxGenerate))
	}
	if err := c.Format.Validate(); err != nil {
		return nil, err
	}
	now := f.Clock.Now()
	if !c.Expires.IsZero() && !c.Expires.After(now) {
		return nil, fault.New(fault.Invalid, "vault.expires_past")
	}
	var batch *vault.Batch
	err := f.withKeys(ctx, func() error {
		return f.DB.Do(ctx, func(tx *db.Tx) error {
			if err := f.codeStock(ctx, tx, c.Stock); err != nil {
				return err
			}
			key := f.Keys.GeneratorKey()
			if err := vault.StillActive(ctx, tx, key); err != nil {
				return err
			}
			counters, err := vault.TakeCounters(ctx, tx, key, c.Count)
			if err != nil {
				return err
			}
			batch = &vault.Batch{Stock: c.Stock, Source: vault.Generated, Name: c.Name, Issuer: c.Issuer, Format: c.Format, Size: c.Count,
				Key: key, Counter: counters.From, Cost: c.Cost, ExpiresAt: c.Expires, CreatedAt: now, CreatedBy: c.By}
			if err := vault.AddBatch(ctx, tx, batch); err != nil {
				return err
			}
			if c.Also != nil {
				if err := c.Also(tx, batch); err != nil {
					return err
				}
			}
			return audit.Write(ctx, tx, audit.Row{At: now, Actor: c.By, Action: "code.generate", Subject: string(batch.ID), Origin: c.Origin,
				Data: map[string]string{"stock": string(c.Stock), "count": strconv.FormatInt(c.Count, 10)}})
		})
	})
	if err != nil {
		return nil, err
	}
	return batch, nil
}

// ResumeGenerate goes on with a batch whose making ended early.
func (f *Flows) ResumeGenerate(ctx context.Context, id id.Batch, progress func(done, total int64)) (*vault.Batch, error) {
	var batch *vault.Batch
	err := f.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		batch, err = vault.BatchByID(ctx, tx, id)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case batch.Source != vault.Generated || batch.State != vault.Filling:
		return nil, fault.New(fault.Conflict, "vault.batch_not_filling")
	}
	if batch.Counts.Filling > 0 { // it was being taken back
		if err := f.restoreBatch(ctx, batch); err != nil {
			return nil, err
		}
	}
	return batch, f.fill(ctx, batch, progress)
}

// codeStock makes sure that a stock is there and is one of codes.
func (f *Flows) codeStock(ctx context.Context, tx *db.Tx, stock id.Stock) error {
	found, err := f.Inventory.Stocks(ctx, tx, []id.Stock{stock})
	if err != nil {
		return err
	}
	if s := found[stock]; s == nil || s.Kind != inventory.Codes {
		return fault.New(fault.Invalid, "vault.stock")
	}
	return nil
}

// withKeys runs work, and once more under fresh keys when those it used were rotated.
func (f *Flows) withKeys(ctx context.Context, work func() error) error {
	err := work()
	for range 3 {
		if !errors.Is(err, vault.ErrKeysChanged) {
			break
		}
		if _, err := f.Keys.Refresh(ctx); err != nil {
			return err
		}
		err = work()
	}
	return err
}

// fill makes the codes that a batch lacks: while one chunk is stored the next is made.
func (f *Flows) fill(ctx context.Context, batch *vault.Batch, progress func(done, total int64)) error {
	type made struct {
		piece *vault.Filled
		err   error
	}
	start, total := batch.Counts.Stored, batch.Size
	pieces, stop := make(chan made, 1), make(chan struct{})
	defer close(stop)
	maker := *batch // the storing side changes its own
	go func() {
		defer close(pieces)
		for from := start; from < total; from += fillChunk {
			piece, err := vault.Generate(f.Keys, &maker, from, min(from+fillChunk, total))
			select {
			case pieces <- made{piece, err}:
			case <-stop:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	for m := range pieces {
		if m.err != nil {
			return m.err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		piece := m.piece
		err := f.withKeys(ctx, func() error {
			if piece.Data != f.Keys.ActiveData() || piece.Index != f.Keys.ActiveIndex() {
				var err error
				if piece, err = vault.Generate(f.Keys, &maker, piece.From, piece.From+piece.N); err != nil {
					return err
				}
			}
			return f.storeGenerated(ctx, batch, piece)
		})
		if err != nil {
			return err
		}
		if progress != nil {
			progress(batch.Counts.Stored, total)
		}
	}
	return nil
}

func (f *Flows) storeGenerated(ctx context.Context, batch *vault.Batch, piece *vault.Filled) error {
	return f.onBatch(ctx, batch, func(tx *db.Tx, book *inventory.Book, b *vault.Batch) error {
		if err := vault.Store(ctx, tx, b, piece, vault.CodeAvailable); err != nil {
			return err
		}
		book.Receive(b.Stock, piece.N)
		if b.Counts.Stored < b.Size {
			return nil
		}
		return vault.MoveBatch(ctx, tx, b, vault.Ready, b.Size)
	})
}
