package flow

import (
	"context"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/flow/terms"
	"hufu/internal/id"
	"hufu/internal/order"
	"hufu/internal/payment"
	"hufu/internal/waiting"
)

// placing is one command on its way through a batch.
type placing struct {
	Place
	order  *order.Order
	intent *payment.Intent
	need   []map[id.Stock]int64 // of each line
	wanted []Wanted             // of each line

	accepted []terms.Sheet // by its buyer
	twin     int           // an earlier command of the batch with the same request, or -1

	parts   []catalogue.Part
	touched bool // a relation speaks of a part
	ack     *order.Acknowledgement
	uses    []waiting.Use // the tickets it came with

	issued issued
	guards []string // tallies that are locked and count nothing
	held   bool     // its units are reserved: it will be an order
}

// check is one thing that orders of a batch are held against before their units are
// reserved. What it needs of the database it asks for the whole batch at once.
type check interface {
	// add takes an order into account. It refuses what can be seen from the command alone.
	add(w *placing) error
	// ask asks without waiting, before anything is locked.
	ask(ctx context.Context, tx *db.Tx) error
	// load waits for what was asked, once the stocks are locked.
	load(ctx context.Context, tx *db.Tx) error
	// judge refuses an order, or puts what is to be kept of it into w. It is called in the
	// order of the batch, and only for orders that no check before refused.
	judge(w *placing, now time.Time) error
}

// checks are those of a batch, in the order in which they refuse.
type checks []check

func (all checks) add(w *placing) error {
	for _, c := range all {
		if err := c.add(w); err != nil {
			return err
		}
	}
	return nil
}

func (all checks) ask(ctx context.Context, tx *db.Tx) error {
	for _, c := range all {
		if err := c.ask(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

func (all checks) load(ctx context.Context, tx *db.Tx) error {
	for _, c := range all {
		if err := c.load(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

func (all checks) judge(w *placing, now time.Time) error {
	for _, c := range all {
		if err := c.judge(w, now); err != nil {
			return err
		}
	}
	return nil
}
