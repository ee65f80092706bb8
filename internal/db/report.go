package db

import (
	"context"
	"fmt"
)

// Report is View for what reads whole tables, on up to n connections side by side: the
// transactions see one and the same moment. fn gets at least one, and fewer than n when no
// more are free or nothing can hold writers off for the moment it takes to begin. It is on
// fn to end what it runs beside itself before it returns.
func (d *DB) Report(ctx context.Context, n int, fn func(txs []*Tx) error) error {
	if d.dialect == Postgres {
		return d.reportOnPostgres(ctx, n, fn)
	}
	return d.View(ctx, func(tx *Tx) error {
		txs, end := d.beside(ctx, tx, n-1)
		defer end()
		return fn(txs)
	})
}

// firstRead has a transaction of SQLite see the database as it is now; before, it sees none.
const firstRead = `SELECT COUNT(*) FROM sqlite_schema WHERE name = ''`

// beside begins up to n readers more on SQLite at the moment at which tx begins to read.
// While they do, nobody writes.
func (d *DB) beside(ctx context.Context, tx *Tx, n int) (txs []*Tx, end func()) {
	txs, end = []*Tx{tx}, func() {}
	if n < 1 || d.config.ReadOnly {
		return txs, end
	}
	select {
	case w := <-d.writer:
		defer func() { d.writer <- w }()
		if err := w.exec(context.WithoutCancel(ctx), "BEGIN IMMEDIATE"); err != nil {
			return txs, end // another process writes, at length
		}
		defer func() { _ = w.exec(context.Background(), "ROLLBACK") }()
	case <-ctx.Done():
		return txs, end
	}
	var taken []*conn
	end = func() {
		for _, r := range taken {
			_ = r.exec(context.Background(), "ROLLBACK")
			d.readers <- r
		}
	}
	if tx.lite.exec(ctx, firstRead) != nil {
		return txs, end
	}
	for range n {
		select {
		case r := <-d.readers:
			taken = append(taken, r)
			if r.exec(ctx, "BEGIN") != nil || r.exec(ctx, firstRead) != nil {
				return txs, end
			}
			txs = append(txs, &Tx{db: d, dialect: SQLite, lite: r, readOnly: true})
		default:
			return txs, end
		}
	}
	return txs, end
}

func (d *DB) reportOnPostgres(ctx context.Context, n int, fn func(txs []*Tx) error) error {
	return d.View(ctx, func(first *Tx) error {
		// Whoever has ended its share waits for the others.
		if err := first.tell(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
			return err
		}
		if n < 2 {
			return fn([]*Tx{first})
		}
		var snapshot string
		err := first.query(ctx, "db.export", "SELECT pg_export_snapshot()", func(scan func(...any) error) error { return scan(&snapshot) }, nil)
		if err != nil {
			return err
		}
		return d.join(ctx, snapshot, []*Tx{first}, n-1, fn)
	})
}

// join adds n transactions that see a snapshot, one inside the other.
func (d *DB) join(ctx context.Context, snapshot string, txs []*Tx, n int, fn func(txs []*Tx) error) error {
	if n == 0 {
		return fn(txs)
	}
	return d.onPostgres(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", func(p *pgTx) error {
		defer p.rollback()
		tx := &Tx{db: d, dialect: Postgres, pg: p, readOnly: true}
		for _, text := range []string{"SET TRANSACTION SNAPSHOT '" + snapshot + "'", "SET LOCAL idle_in_transaction_session_timeout = 0"} {
			if err := tx.tell(ctx, text); err != nil {
				return err
			}
		}
		return d.join(ctx, snapshot, append(txs, tx), n-1, fn)
	})
}

// ByKey says how PostgreSQL finds rows from now on in the transaction. With true it goes
// from row to row by keys alone, which is right for a stretch of a large table whatever the
// server believes of its size; with false it may read and join whole tables.
func (tx *Tx) ByKey(ctx context.Context, only bool) error {
	if tx.pg == nil {
		return nil
	}
	to := map[bool]string{true: "off", false: "on"}[only]
	for _, name := range []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin"} {
		if err := tx.tell(ctx, fmt.Sprintf("SET LOCAL %s = %s", name, to)); err != nil {
			return err
		}
	}
	return nil
}

// tell sends PostgreSQL a command without an answer.
func (tx *Tx) tell(ctx context.Context, text string) error {
	_, err := tx.pg.send(ctx, &pgStmt{name: "db.tell", text: text})
	return err
}
