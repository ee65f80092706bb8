package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
)

// pgTx is a transaction on PostgreSQL. A round trip costs more than most statements, so
// writes whose outcome is known beforehand (Tx.WriteAll) and reads that nobody waits for
// yet (Tx.Ask) are queued and travel with the next statement whose answer is waited for,
// or with COMMIT; BEGIN travels with the first.
type pgTx struct {
	conn   *pgx.Conn
	begin  string
	begun  bool
	queued []pgStmt
}

type pgStmt struct {
	name, text string
	args       []any
	sized      bool    // fails by itself when it changes another number of rows than it should: Stmt.exact
	each       eachRow // of a read
}

// eachRow is called for every row that a read gives.
type eachRow = func(scan func(dest ...any) error) error

// take reads the answer to s off results and returns how many rows it changed.
func (s *pgStmt) take(results pgx.BatchResults) (changed int64, err error) {
	defer func() {
		if s.sized && sqlState(err) == divisionByZero {
			err = fmt.Errorf("another number of rows was there to change: %w", ErrStale)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", s.name, err)
		}
	}()
	if s.each == nil {
		tag, err := results.Exec()
		return tag.RowsAffected(), err
	}
	rows, err := results.Query()
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := s.each(rows.Scan); err != nil {
			return 0, err
		}
	}
	return 0, rows.Err()
}

// flush sends what is queued.
func (p *pgTx) flush(ctx context.Context) error {
	if len(p.queued) == 0 {
		return nil
	}
	_, err := p.send(ctx, nil)
	return err
}

// send sends what is queued and then s, if there is one, in one round trip. It returns how
// many rows s changed. PostgreSQL carries out nothing behind a statement that fails.
func (p *pgTx) send(ctx context.Context, s *pgStmt) (changed int64, err error) {
	batch := &pgx.Batch{}
	if !p.begun {
		batch.Queue(p.begin)
	}
	for _, q := range p.queued {
		batch.Queue(q.text, q.args...)
	}
	if s != nil {
		batch.Queue(s.text, s.args...)
	}
	results := p.conn.SendBatch(ctx, batch)
	defer func() {
		if bad := results.Close(); err == nil {
			err = bad
		}
	}()
	if !p.begun {
		if _, err := results.Exec(); err != nil {
			return 0, fmt.Errorf("begin: %w", err)
		}
		p.begun = true
	}
	queued := p.queued
	p.queued = nil
	for _, q := range queued {
		if _, err := q.take(results); err != nil {
			return 0, err
		}
	}
	if s == nil {
		return 0, nil
	}
	return s.take(results)
}

// copyIn sends what is queued and then a COPY with its rows, and returns how many came in.
func (p *pgTx) copyIn(ctx context.Context, name, text string, rows io.Reader) (int64, error) {
	if !p.begun || len(p.queued) > 0 {
		if _, err := p.send(ctx, nil); err != nil {
			return 0, err
		}
	}
	tag, err := p.conn.PgConn().CopyFrom(ctx, rows, text)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return tag.RowsAffected(), nil
}

func (p *pgTx) commit(ctx context.Context) error {
	if !p.begun && len(p.queued) == 0 {
		return nil
	}
	if _, err := p.send(ctx, &pgStmt{name: "commit", text: "COMMIT"}); err != nil {
		p.rollback()
		return err
	}
	if p.conn.PgConn().TxStatus() != 'I' {
		p.rollback()
		return errors.New("the transaction did not end with its commit")
	}
	return nil
}

func (p *pgTx) rollback() {
	p.queued = nil
	if p.begun && !p.conn.IsClosed() {
		_, _ = p.conn.Exec(context.Background(), "ROLLBACK")
	}
}

// onPostgres lends fn a connection of the pool for one transaction.
func (d *DB) onPostgres(ctx context.Context, begin string, fn func(p *pgTx) error) error {
	c, err := d.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	var inner error
	err = c.Raw(func(dc any) error {
		pg, ok := dc.(interface{ Conn() *pgx.Conn })
		if !ok {
			return errors.New("db: the driver of PostgreSQL isn't pgx")
		}
		inner = fn(&pgTx{conn: pg.Conn(), begin: begin})
		if pg.Conn().IsClosed() {
			return driver.ErrBadConn // so that the pool lets it go
		}
		return nil
	})
	if inner != nil {
		return inner
	}
	return err
}
