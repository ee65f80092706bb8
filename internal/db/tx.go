package db

import (
	"context"
	"database/sql"
	"fmt"
)

// Tx is a transaction. It is a parameter of whatever reads or writes, never hidden in a
// context, and is used by one goroutine at a time.
type Tx struct {
	db       *DB
	dialect  Dialect
	lite     *conn // SQLite
	pg       *pgTx // PostgreSQL
	readOnly bool
	after    []func()
	end      []func()
}

// Dialect is the database the transaction runs on.
func (tx *Tx) Dialect() Dialect { return tx.dialect }

// AfterCommit has fn run once the transaction has committed, never when it has not. fn
// must be quick and can't fail: what must not be lost is a row, not a hook.
func (tx *Tx) AfterCommit(fn func()) { tx.after = append(tx.after, fn) }

// OnEnd has fn run when the transaction is over, whether it committed or not.
func (tx *Tx) OnEnd(fn func()) { tx.end = append(tx.end, fn) }

// within is the context a statement runs in. A write on SQLite is local and short, and
// watching a context that can end costs the driver a goroutine a statement.
func (tx *Tx) within(ctx context.Context) context.Context {
	if tx.lite != nil && !tx.readOnly {
		return context.Background()
	}
	return ctx
}

func (tx *Tx) prepareArgs(args []any) []any {
	for i, a := range args {
		if s, ok := a.(Set); ok {
			args[i] = s.arg(tx.dialect)
		}
	}
	return args
}

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(ctx context.Context, s *Stmt, args ...any) (int64, error) {
	if err := tx.db.hooks.stmt(s.name); err != nil {
		return 0, err
	}
	args, ctx = tx.prepareArgs(args), tx.within(ctx)
	if tx.pg != nil {
		return tx.pg.send(ctx, &pgStmt{name: s.name, text: s.text[Postgres], args: args})
	}
	var res sql.Result
	st, err := tx.lite.prepare(ctx, s.text[SQLite])
	if err == nil {
		res, err = st.ExecContext(ctx, args...)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", s.name, err)
	}
	return res.RowsAffected()
}

// ExecOne runs a statement that must change exactly one row; another count is ErrStale.
func (tx *Tx) ExecOne(ctx context.Context, s *Stmt, args ...any) error {
	n, err := tx.Exec(ctx, s, args...)
	if err == nil && n != 1 {
		err = fmt.Errorf("%s changed %d rows: %w", s.name, n, ErrStale)
	}
	return err
}

// Query runs a statement and calls each for every row, which scans it.
func (tx *Tx) Query(ctx context.Context, s *Stmt, each eachRow, args ...any) error {
	if err := tx.db.hooks.stmt(s.name); err != nil {
		return err
	}
	return tx.query(ctx, s.name, s.text[tx.dialect], each, tx.prepareArgs(args))
}

// Ask is Query whose rows may come later: each has been called for all of them once Flush
// has returned, or a later Query, Exec or Write, or the transaction itself. Several questions that don't wait for one
// another's answers so cost PostgreSQL one round trip; they run in the order they were
// asked. An error may come with what is waited for, as with WriteAll.
func (tx *Tx) Ask(ctx context.Context, s *Stmt, each eachRow, args ...any) error {
	if tx.pg == nil {
		return tx.Query(ctx, s, each, args...)
	}
	if err := tx.db.hooks.stmt(s.name); err != nil {
		return err
	}
	tx.pg.queued = append(tx.pg.queued, pgStmt{name: s.name, text: s.text[Postgres], args: tx.prepareArgs(args), each: each})
	return nil
}

// Flush waits for what was asked and what was written so far.
func (tx *Tx) Flush(ctx context.Context) error {
	if tx.pg == nil {
		return nil
	}
	return tx.pg.flush(ctx)
}

func (tx *Tx) query(ctx context.Context, name, text string, each eachRow, args []any) error {
	ctx = tx.within(ctx)
	if tx.pg != nil {
		_, err := tx.pg.send(ctx, &pgStmt{name: name, text: text, args: args, each: each})
		return err
	}
	var rows *sql.Rows
	st, err := tx.lite.prepare(ctx, text)
	if err == nil {
		rows, err = st.QueryContext(ctx, args...)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// One runs a statement that gives at most one row, scans it into dest and reports whether
// there was one.
func (tx *Tx) One(ctx context.Context, s *Stmt, dest []any, args ...any) (bool, error) {
	found := false
	err := tx.Query(ctx, s, func(scan func(...any) error) error {
		if found {
			return fmt.Errorf("more than one row")
		}
		found = true
		return scan(dest...)
	}, args...)
	return found, err
}

// Write runs a statement made by Rows for n rows, which bind fills in, and returns how
// many rows of the database it changed.
func (tx *Tx) Write(ctx context.Context, s *Stmt, n int, bind func(i int, b *Binder)) (int64, error) {
	if n == 0 {
		return 0, nil
	}
	if err := tx.db.hooks.stmt(s.name); err != nil {
		return 0, err
	}
	if tx.pg != nil {
		return tx.pg.send(ctx, &pgStmt{name: s.name, text: s.text[Postgres], args: bound(s, n, bind)})
	}
	return tx.writeRows(s, n, bind)
}

// WriteAll is Write where each of the n rows must change exactly one row of the database;
// another count is ErrStale. PostgreSQL may tell an error of it only with a later
// statement of the transaction, or with its commit.
func (tx *Tx) WriteAll(ctx context.Context, s *Stmt, n int, bind func(i int, b *Binder)) error {
	if n == 0 {
		return nil
	}
	if err := tx.db.hooks.stmt(s.name); err != nil {
		return err
	}
	if tx.pg != nil {
		q := pgStmt{name: s.name, text: s.text[Postgres], args: bound(s, n, bind)}
		if s.exact != "" {
			q.text, q.args, q.sized = s.exact, append(q.args, int64(n)), true
		}
		tx.pg.queued = append(tx.pg.queued, q)
		return nil
	}
	changed, err := tx.writeRows(s, n, bind)
	if err == nil && changed != int64(n) {
		err = fmt.Errorf("%s changed %d rows for %d: %w", s.name, changed, n, ErrStale)
	}
	return err
}

// bound is a set of rows as PostgreSQL takes it: an array for each column.
func bound(s *Stmt, n int, bind func(i int, b *Binder)) []any {
	b := newBinder(s, Postgres, n)
	for i := range n {
		b.col = 0
		bind(i, b)
	}
	return b.columns(s)
}

// writeRows runs a statement on SQLite, once for each row.
func (tx *Tx) writeRows(s *Stmt, n int, bind func(i int, b *Binder)) (int64, error) {
	ctx := context.Background()
	st, err := tx.lite.prepare(ctx, s.text[SQLite])
	if err != nil {
		return 0, fmt.Errorf("%s: %w", s.name, err)
	}
	var changed int64
	b := newBinder(s, SQLite, n)
	for i := range n {
		b.args, b.col = b.args[:0], 0
		bind(i, b)
		res, err := st.ExecContext(ctx, b.args...)
		if err != nil {
			return changed, fmt.Errorf("%s: %w", s.name, err)
		}
		k, err := res.RowsAffected()
		if err != nil {
			return changed, err
		}
		changed += k
	}
	return changed, nil
}

// conn is one SQLite connection with its prepared statements.
type conn struct {
	c     *sql.Conn
	stmts map[string]*sql.Stmt
}

func (c *conn) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if s, ok := c.stmts[text]; ok {
		return s, nil
	}
	s, err := c.c.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	c.stmts[text] = s
	return s, nil
}

func (c *conn) exec(ctx context.Context, text string) error {
	s, err := c.prepare(ctx, text)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(ctx)
	return err
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		s.Close()
	}
	return c.c.Close()
}
