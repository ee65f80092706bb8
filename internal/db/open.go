package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hufu/internal/fault"
)

// Config says which database to use and how.
type Config struct {
	// Store is "sqlite:PATH" or "postgres://...".
	Store string
	// Connections bounds the PostgreSQL pool and the SQLite readers; 0 chooses.
	Connections int
	// MustExist refuses a SQLite file that is missing, where Open would make one.
	MustExist bool
	// ReadOnly opens a SQLite file that can't be written, such as one on a disk of backups. On
	// PostgreSQL the server says what may be written.
	ReadOnly bool
	// Waiting is for a command that a person waits for: it is called when a transaction has
	// waited two seconds for another process to let go of the database, and Do gives up after
	// ten. It may be nil.
	Waiting func()
}

// busyTimeout is how many milliseconds a connection to SQLite waits for a lock.
const busyTimeout = 5000

// How long a command waits for the database until it says so, and until it gives up.
const (
	sayWaiting  = 2 * time.Second
	maxPatience = 10 * time.Second
)

// DB is an open database.
type DB struct {
	dialect Dialect
	config  Config
	path    string // of the SQLite file

	pool    *sql.DB       // PostgreSQL, or what the SQLite connections come from
	reading *sql.DB       // SQLite: what the readers come from
	writer  chan *conn    // SQLite: holds the one writer while it is free
	readers chan *conn    // SQLite: holds the free readers
	group   *group        // SQLite: commits every lane together
	hooks   Hooks         // tests make the database fail through these
	stop    chan struct{} // closed by Close
	lanes   sync.WaitGroup
}

// Hooks let a test fail a statement, fail a commit, or fail after having committed. All
// are nil in the product.
type Hooks struct {
	Stmt         func(name string) error // before each statement
	BeforeCommit func() error            // the transaction rolls back
	AfterCommit  func() error            // it has persisted, and the caller is told it failed
}

func (h *Hooks) stmt(name string) error {
	if h.Stmt == nil {
		return nil
	}
	return h.Stmt(name)
}

// SetHooks installs hooks. It must be called before the database is used.
func (d *DB) SetHooks(h Hooks) { d.hooks = h }

// Dialect tells which database this is.
func (d *DB) Dialect() Dialect { return d.dialect }

// Path is the file of a SQLite database, "" on PostgreSQL.
func (d *DB) Path() string { return d.path }

// Open opens the database named by c.Store. It creates a SQLite file that is missing
// unless c.MustExist; it does not migrate.
func Open(ctx context.Context, c Config) (*DB, error) {
	d := &DB{config: c, stop: make(chan struct{})}
	var err error
	switch {
	case strings.HasPrefix(c.Store, "sqlite:"):
		err = d.openSQLite(ctx, strings.TrimPrefix(c.Store, "sqlite:"))
	case strings.HasPrefix(c.Store, "postgres://"), strings.HasPrefix(c.Store, "postgresql://"):
		err = d.openPostgres(ctx, c.Store)
	default:
		return nil, fault.New(fault.Invalid, "db.store", "store", redact(c.Store))
	}
	if err != nil {
		if f, ok := errors.AsType[*fault.Error](asFault(err)); ok && f.Code != "db.file_gone" {
			return nil, f
		}
		return nil, fault.Wrap(err, fault.Unavailable, "db.cannot_open", "store", redact(c.Store))
	}
	return d, nil
}

func redact(store string) string {
	if u, err := url.Parse(store); err == nil && u.User != nil {
		u.User = url.User(u.User.Username())
		return u.String()
	}
	return store
}

func (d *DB) openSQLite(ctx context.Context, path string) error {
	if path == "" {
		return fault.New(fault.Invalid, "db.store", "store", "sqlite:")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Dir(abs)); err != nil {
		return fault.Wrap(err, fault.Invalid, "db.no_folder", "folder", filepath.Dir(abs))
	}
	d.dialect, d.path = SQLite, abs
	if _, err := os.Stat(abs); errors.Is(err, fs.ErrNotExist) && (d.config.MustExist || d.config.ReadOnly) {
		return fault.New(fault.Invalid, "db.missing", "path", abs)
	}
	// The file and what SQLite lays beside it are for our eyes only.
	if f, err := os.OpenFile(abs, os.O_CREATE|os.O_EXCL, 0o600); err == nil {
		f.Close()
	}
	options := url.Values{}
	if d.config.ReadOnly {
		options.Set("mode", "ro")
		// Reading a write-ahead log takes a file beside it. Where there is no log nobody writes.
		if _, err := os.Stat(abs + "-wal"); errors.Is(err, fs.ErrNotExist) {
			options.Set("immutable", "1")
		}
	}
	pragmas := func(list ...string) string {
		v := maps.Clone(options)
		for _, p := range list {
			v.Add("_pragma", p)
		}
		return (&url.URL{Scheme: "file", OmitHost: true, Path: abs, RawQuery: v.Encode()}).String()
	}
	// A page cache of 16 MB for the writer: the default of 2 MB makes a hot index spill, and with
	// 64 MB ending a transaction took 5 % of its time (SQLite walks the cache's whole table).
	settings := []string{"busy_timeout(" + strconv.Itoa(busyTimeout) + ")", "journal_mode(WAL)", "synchronous(FULL)",
		"foreign_keys(1)", "cache_size(-16384)", "temp_store(MEMORY)", "journal_size_limit(67108864)", "wal_autocheckpoint(0)", "cell_size_check(1)"}
	if d.config.ReadOnly {
		settings = slices.DeleteFunc(settings, func(s string) bool { return s == "journal_mode(WAL)" })
	}
	writer, err := sql.Open("sqlite", pragmas(settings...))
	if err != nil {
		return err
	}
	d.pool = writer
	w, err := writer.Conn(ctx)
	if err != nil {
		writer.Close()
		return err
	}
	n := d.config.Connections
	if n == 0 {
		n = 4
	}
	reading, err := sql.Open("sqlite", pragmas("busy_timeout("+strconv.Itoa(busyTimeout)+")", "foreign_keys(1)", "cache_size(-16384)", "query_only(1)", "temp_store(MEMORY)"))
	if err != nil {
		return err
	}
	d.reading = reading
	d.writer, d.readers = make(chan *conn, 1), make(chan *conn, n)
	d.writer <- &conn{c: w, stmts: map[string]*sql.Stmt{}}
	for range n {
		c, err := reading.Conn(ctx)
		if err != nil {
			return err
		}
		d.readers <- &conn{c: c, stmts: map[string]*sql.Stmt{}}
	}
	d.group = newGroup(d)
	if !d.config.ReadOnly {
		d.lanes.Go(d.checkpoints)
	}
	return nil
}

func (d *DB) openPostgres(ctx context.Context, dsn string) error {
	d.dialect = Postgres
	u, err := url.Parse(dsn)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "db.store", "store", "postgres://…")
	}
	q := u.Query()
	for k, v := range map[string]string{
		"lock_timeout": "3000", "statement_timeout": "60000", "idle_in_transaction_session_timeout": "60000",
		"application_name": "hufu", "timezone": "UTC", "connect_timeout": "5",
		// Plans are kept, and those made while a table was empty read it whole: 657 purchases a
		// second instead of 1,372, until the first autovacuum. Report allows it. What has no
		// index to go by then counts as dear, and would be compiled for 340 ms.
		"enable_seqscan": "off", "jit": "off",
	} {
		if q.Get(k) == "" {
			q.Set(k, v)
		}
	}
	u.RawQuery = q.Encode()
	pool, err := sql.Open("pgx", u.String())
	if err != nil {
		return err
	}
	n := d.config.Connections
	if n == 0 {
		n = 24
	}
	pool.SetMaxOpenConns(n)
	pool.SetMaxIdleConns(n)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	if err := pool.PingContext(ctx); err != nil {
		pool.Close()
		if sqlState(err) == "3D000" {
			return fault.Wrap(err, fault.Invalid, "db.missing_postgres", "store", redact(dsn))
		}
		return fault.Wrap(err, fault.Unavailable, "db.cannot_open", "store", redact(dsn))
	}
	d.pool = pool
	return nil
}

// Close waits for the transactions under way and closes the connections.
func (d *DB) Close() error {
	close(d.stop)
	d.lanes.Wait()
	var errs []error
	if d.dialect == SQLite {
		w := <-d.writer
		errs = append(errs, w.close())
		for range cap(d.readers) {
			r := <-d.readers
			errs = append(errs, r.close())
		}
		errs = append(errs, d.reading.Close())
	}
	errs = append(errs, d.pool.Close())
	return errors.Join(errs...)
}

const attempts = 10

// Do runs fn in a write transaction and commits. When the database asks for a repeat, fn
// runs again, so it must be repeatable: it may not change what lives outside the
// transaction but by AfterCommit. An error of fn rolls back and is returned.
func (d *DB) Do(ctx context.Context, fn func(tx *Tx) error) error {
	var err error
	began := time.Now()
	for try := range attempts {
		if err = backOff(ctx, try); err != nil {
			break
		}
		if err = d.once(ctx, fn); !retryable(err) || (d.config.Waiting != nil && time.Since(began) >= maxPatience) {
			break
		}
	}
	return asFault(err)
}

// backOff waits before a repeat: up to 2, 4, 8 ... 256 ms, chosen at random.
func backOff(ctx context.Context, try int) error {
	if try == 0 {
		return ctx.Err()
	}
	limit := time.Millisecond << min(try, 8)
	t := time.NewTimer(rand.N(limit))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *DB) once(ctx context.Context, fn func(tx *Tx) error) error {
	if d.dialect == Postgres {
		return d.onPostgres(ctx, "BEGIN", func(p *pgTx) error {
			return (&Tx{db: d, dialect: Postgres, pg: p}).carry(fn)
		})
	}
	select {
	case w := <-d.writer:
		defer func() { d.writer <- w }()
		// Once begun, a transaction is not torn by its caller going away: the driver would
		// interrupt the statement, and watching for it costs a goroutine a statement.
		waiting := func() bool { return true }
		if d.config.Waiting != nil {
			waiting = time.AfterFunc(sayWaiting, d.config.Waiting).Stop
		}
		err := w.exec(context.WithoutCancel(ctx), "BEGIN IMMEDIATE")
		waiting()
		if err != nil {
			return err
		}
		return (&Tx{db: d, dialect: SQLite, lite: w}).carry(fn)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// carry runs fn in a transaction that has begun, and ends it.
func (tx *Tx) carry(fn func(tx *Tx) error) error {
	done := false
	defer func() {
		if !done {
			tx.rollback()
		}
		for _, f := range tx.end {
			f()
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	done = true
	if err := tx.commit(); err != nil {
		return err
	}
	for _, f := range tx.after {
		f()
	}
	return nil
}

func (tx *Tx) commit() error {
	if h := tx.db.hooks.BeforeCommit; h != nil {
		if err := h(); err != nil {
			tx.rollback()
			return err
		}
	}
	var err error
	if tx.lite != nil {
		if err = tx.lite.exec(context.Background(), "COMMIT"); err != nil {
			tx.rollback()
		}
	} else {
		err = tx.pg.commit(context.Background())
	}
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if h := tx.db.hooks.AfterCommit; h != nil {
		return h()
	}
	return nil
}

func (tx *Tx) rollback() {
	if tx.lite != nil {
		// A statement that failed hard may have rolled back already; then there is nothing to undo.
		_ = tx.lite.exec(context.Background(), "ROLLBACK")
		return
	}
	tx.pg.rollback()
}

// View runs fn in a read-only transaction that sees one moment of the database.
func (d *DB) View(ctx context.Context, fn func(tx *Tx) error) error {
	if d.dialect == Postgres {
		view := func() error {
			return d.onPostgres(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", func(p *pgTx) error {
				defer p.rollback()
				if err := fn(&Tx{db: d, dialect: Postgres, pg: p, readOnly: true}); err != nil {
					return err
				}
				return p.flush(ctx)
			})
		}
		err := view()
		if lost(err) { // what only reads may be asked again, on another connection
			err = view()
		}
		return asFault(err)
	}
	select {
	case r := <-d.readers:
		defer func() { d.readers <- r }()
		tx := &Tx{db: d, dialect: SQLite, lite: r, readOnly: true}
		if err := r.exec(context.WithoutCancel(ctx), "BEGIN"); err != nil {
			return asFault(err)
		}
		defer tx.rollback()
		return asFault(fn(tx))
	case <-ctx.Done():
		return asFault(ctx.Err())
	}
}

// PrepareAll has the database parse each statement against its schema and reports the
// first that it refuses.
func (d *DB) PrepareAll(ctx context.Context, statements []*Stmt) error {
	prepare := d.pool.PrepareContext
	if d.dialect == SQLite {
		prepare = d.reading.PrepareContext
	}
	for _, s := range statements {
		texts := []string{s.text[d.dialect]}
		if d.dialect == Postgres && s.exact != "" {
			texts = append(texts, s.exact)
		}
		for _, text := range texts {
			st, err := prepare(ctx, text)
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", s.name, err, text)
			}
			st.Close()
		}
	}
	return nil
}
