package vault

import (
	"context"
	"encoding/json"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/tabular"
)

// Import is one run of taking a supplier's file in.
type Import struct {
	ID       id.Import
	Batch    id.Batch // "" until it runs
	Stock    id.Stock
	FileName string
	FileHash string // SHA-256, hexadecimal
	FileSize int64
	Options  ImportOptions
	Layout   tabular.Layout
	State    ImportState
	// Next is where a paused import goes on, or where one that is undone or restored ends.
	Next  ImportState
	Total int64 // rows of the file; 0 until it was checked
	Done  int64 // rows handled in this state
	AtRow int64 // number of the last row handled
	Rate  int64 // rows a second

	Added    int64
	Repeated int64 // in the file
	Known    int64 // in the store already
	Invalid  int64

	Why       *fault.Error // what ended it, nil if nothing did
	CreatedAt time.Time
	CreatedBy string
	UpdatedAt time.Time
	Fence     int64
}

// ImportState is where an import stands.
type ImportState string

// The states of an import. Those in Working are a worker's to carry on.
const (
	ImportReceiving ImportState = "receiving" // the file is coming in
	ImportReceived  ImportState = "received"  // it is there, and waits for its columns to be named
	ImportChecking  ImportState = "checking"  // the dry run
	ImportChecked   ImportState = "checked"
	ImportRunning   ImportState = "running"
	ImportReleasing ImportState = "releasing" // all are stored and come on sale
	ImportPaused    ImportState = "paused"
	ImportUndoing   ImportState = "undoing"
	ImportRestoring ImportState = "restoring" // something was sold meanwhile: what was withdrawn comes back
	ImportDone      ImportState = "done"
	ImportFailed    ImportState = "failed"
	ImportCancelled ImportState = "cancelled"
	ImportUndone    ImportState = "undone"
)

// Working reports whether a worker carries the import on.
func (s ImportState) Working() bool {
	switch s {
	case ImportChecking, ImportRunning, ImportReleasing, ImportUndoing, ImportRestoring:
		return true
	}
	return false
}

// Ended reports whether nothing more happens by itself.
func (s ImportState) Ended() bool {
	switch s {
	case ImportDone, ImportFailed, ImportCancelled, ImportUndone:
		return true
	}
	return false
}

// ImportOptions say how a file is to be read and taken in. What is left out is guessed.
type ImportOptions struct {
	Name     string // of the batch; the file's if empty
	Issuer   string
	Supplier string
	// WholeOnly takes the file in only if no row has a problem; else good rows are taken in
	// and the others left out.
	WholeOnly bool
	Charset   tabular.Charset
	Delimiter tabular.Delimiter
	Heading   tabular.Heading
	Sheet     string
	Mapping   *Mapping // nil guesses
	Currency  money.Currency
	Zone      string       // IANA name of where dates end; UTC if empty
	Cost      money.Amount // of each code, if no column tells
	Expires   time.Time    // of codes, if no column tells
}

// Tidy brings names to the form in which they are kept. Its faults are naming.hidden,
// vault.batch_name and vault.batch_issuer.
func (o *ImportOptions) Tidy() error { return tidy(&o.Name, &o.Issuer, &o.Supplier) }

// Reading is how a file is opened.
func (o ImportOptions) Reading() tabular.Options {
	return tabular.Options{Charset: o.Charset, Delimiter: o.Delimiter, Heading: o.Heading, Sheet: o.Sheet, IsHeading: IsHeading}
}

// Rules are what rows of a file with a layout are judged by.
func (o ImportOptions) Rules(l tabular.Layout, now time.Time) (Rules, error) {
	if err := CheckCost(o.Cost); err != nil {
		return Rules{}, err
	}
	m := GuessMapping(l.Heading, l.Columns)
	if o.Mapping != nil {
		m = *o.Mapping
	}
	zone, err := time.LoadLocation(o.Zone)
	if err != nil {
		return Rules{}, fault.New(fault.Invalid, "vault.import_zone")
	}
	if o.Currency == "" {
		o.Currency = money.CNY
	}
	return Rules{Mapping: m, Columns: l.Columns, Currency: o.Currency, Zone: zone, Now: now}, m.Validate(l.Columns)
}

// Left is how long the rest of the present state will take, and whether that is known.
func (i *Import) Left() (time.Duration, bool) {
	if i.Rate <= 0 || i.Total <= 0 || !i.State.Working() {
		return 0, false
	}
	return time.Duration(max(i.Total-i.Done, 0)) * time.Second / time.Duration(i.Rate), true
}

// MaxImportFile is how large a file may be, in bytes.
const MaxImportFile = 1 << 30

const importColumns = `id, batch_id, stock_id, file_name, file_hash, file_size, options, layout, state, next_state, total_rows, done_rows, at_row, rate,
added, repeated, known, invalid, message, created_at, created_by, updated_at, fence`

var (
	insertImport = db.Rows("vault.insert_import", `INSERT INTO imports {{values id text, batch_id text, stock_id text, file_name text, file_hash text, file_size bigint, options text, layout text, state text, next_state text, total_rows bigint, done_rows bigint, at_row bigint, rate bigint, added bigint, repeated bigint, known bigint, invalid bigint, message text, created_at bigint, created_by text, updated_at bigint, lease_until bigint, fence bigint}}`)
	importByID   = db.SQL("vault.import", `SELECT `+importColumns+` FROM imports WHERE id = $1`)
	lockImport   = db.SQL("vault.lock_import", `SELECT `+importColumns+` FROM imports WHERE id = $1 {{for update}}`)
	importList   = db.SQL("vault.imports", `SELECT `+importColumns+` FROM imports WHERE (id < $1 OR $1 = '') AND state <> 'receiving' ORDER BY id DESC LIMIT $2`)
	sameFile     = db.SQL("vault.imports_of_file", `SELECT `+importColumns+` FROM imports WHERE file_hash = $1 AND state = 'done' ORDER BY id`)
	dueImport    = db.SQL("vault.due_import", `SELECT `+importColumns+` FROM imports WHERE state IN ('checking','running','releasing','undoing','restoring') AND lease_until <= $1 ORDER BY lease_until LIMIT 1 {{skip locked}}`)
	staleImports = db.SQL("vault.stale_imports", `SELECT id FROM imports WHERE (state = 'receiving' AND updated_at < $1) OR (state IN ('done','failed') AND updated_at < $2 AND EXISTS (SELECT 1 FROM import_files WHERE import_id = imports.id AND piece = 0)) ORDER BY id LIMIT 100`)
	saveImport   = db.Rows("vault.save_import", `UPDATE imports SET batch_id = r.batch_id, file_hash = r.file_hash, file_size = r.file_size, options = r.options, layout = r.layout, state = r.state, next_state = r.next_state,
total_rows = r.total_rows, done_rows = r.done_rows, at_row = r.at_row, rate = r.rate, added = r.added, repeated = r.repeated, known = r.known, invalid = r.invalid, message = r.message,
updated_at = r.updated_at, lease_until = r.lease_until, fence = imports.fence + r.step
FROM {{rows id text, old text, fence bigint, step bigint, batch_id text, file_hash text, file_size bigint, options text, layout text, state text, next_state text, total_rows bigint, done_rows bigint, at_row bigint, rate bigint, added bigint, repeated bigint, known bigint, invalid bigint, message text, updated_at bigint, lease_until bigint}}
WHERE imports.id = r.id AND imports.state = r.old AND imports.fence = r.fence`)
	dropImport       = db.SQL("vault.drop_import", `DELETE FROM imports WHERE id = $1 AND state = 'receiving'`)
	insertProblem    = db.Rows("vault.insert_problem", `INSERT INTO import_problems {{values import_id text, row_number bigint, column_number bigint, code text, detail text}} ON CONFLICT DO NOTHING`)
	dropProblems     = db.SQL("vault.drop_problems", `DELETE FROM import_problems WHERE import_id = $1`)
	problemsOf       = db.SQL("vault.problems", `SELECT row_number, column_number, code, detail FROM import_problems WHERE import_id = $1 ORDER BY row_number, column_number`)
	errImportUnknown = fault.New(fault.NotFound, "vault.import_unknown")
)

// reason is a fault as the database keeps it.
type reason struct {
	Kind   fault.Kind
	Code   string
	Params map[string]string
}

func loadImports(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]*Import, error) {
	var out []*Import
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		i := new(Import)
		out = append(out, i)
		var options, layout, message string
		if err := scan(&i.ID, &i.Batch, &i.Stock, &i.FileName, &i.FileHash, &i.FileSize, &options, &layout, &i.State, &i.Next, &i.Total, &i.Done, &i.AtRow, &i.Rate,
			&i.Added, &i.Repeated, &i.Known, &i.Invalid, &message, db.Time(&i.CreatedAt), &i.CreatedBy, db.Time(&i.UpdatedAt), &i.Fence); err != nil {
			return err
		}
		if message != "" {
			var r reason
			if err := json.Unmarshal([]byte(message), &r); err != nil {
				return err
			}
			i.Why = &fault.Error{Kind: r.Kind, Code: r.Code, Params: r.Params}
		}
		if err := json.Unmarshal([]byte(options), &i.Options); err != nil {
			return err
		}
		return json.Unmarshal([]byte(layout), &i.Layout)
	}, args...)
	return out, err
}

func oneImport(found []*Import, err error) (*Import, error) {
	if err == nil && len(found) == 0 {
		err = errImportUnknown
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

func (i *Import) texts() (options, layout, message string) {
	marshal := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err) // strings, numbers and times always marshal
		}
		return string(b)
	}
	if i.Why != nil {
		message = marshal(reason{i.Why.Kind, i.Why.Code, i.Why.Params})
	}
	return marshal(i.Options), marshal(i.Layout), message
}

// AddImport writes a new import, whose file is coming in. Its faults are those of
// ImportOptions.Tidy.
func AddImport(ctx context.Context, tx *db.Tx, i *Import) error {
	if err := i.Options.Tidy(); err != nil {
		return err
	}
	i.ID, i.State = id.New[id.Import](), ImportReceiving
	options, layout, _ := i.texts()
	return tx.WriteAll(ctx, insertImport, 1, func(_ int, b *db.Binder) {
		b.Text(string(i.ID)).Text("").Text(string(i.Stock)).Text(i.FileName).Text("").Int(0).Text(options).Text(layout).Text(string(i.State)).Text("").
			Int(0).Int(0).Int(0).Int(0).Int(0).Int(0).Int(0).Int(0).Text("").Time(i.CreatedAt).Text(i.CreatedBy).Time(i.CreatedAt).Int(0).Int(0)
	})
}

// ImportByID loads an import, or fails with vault.import_unknown.
func ImportByID(ctx context.Context, tx *db.Tx, i id.Import) (*Import, error) {
	return oneImport(loadImports(ctx, tx, importByID, i))
}

// LockImport is ImportByID for who will change it.
func LockImport(ctx context.Context, tx *db.Tx, i id.Import) (*Import, error) {
	return oneImport(loadImports(ctx, tx, lockImport, i))
}

// Imports lists imports, the newest first, from before the one named, at most n.
func Imports(ctx context.Context, tx *db.Tx, before id.Import, n int) ([]*Import, error) {
	return loadImports(ctx, tx, importList, before, n)
}

// ImportsOf lists the imports of a file of the same content that were done.
func ImportsOf(ctx context.Context, tx *db.Tx, hash string) ([]*Import, error) {
	return loadImports(ctx, tx, sameFile, hash)
}

// importLease is how long an import is its worker's without a sign of life.
const importLease = 30 * time.Second

// ClaimImport takes an import that nobody carries on, nil when there is none. Whoever had
// it before can't write to it any more.
func ClaimImport(ctx context.Context, tx *db.Tx, now time.Time) (*Import, error) {
	found, err := loadImports(ctx, tx, dueImport, db.Micros(now))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	i := found[0]
	if err := save(ctx, tx, i, i.State, 1, now, now.Add(importLease)); err != nil {
		return nil, err
	}
	i.Fence++
	return i, nil
}

// SaveImport writes an import that was in a state, and whose fence is still the one it was
// loaded with: if not, somebody paused it or another worker has it, and the transaction
// fails with ErrImportLost. A worker keeps its lease.
func SaveImport(ctx context.Context, tx *db.Tx, i *Import, was ImportState, now time.Time) error {
	lease := time.Time{}
	if i.State.Working() && i.State == was {
		lease = now.Add(importLease)
	}
	return save(ctx, tx, i, was, 0, now, lease)
}

// HandOver is SaveImport by somebody who isn't its worker, who then loses it.
func HandOver(ctx context.Context, tx *db.Tx, i *Import, was ImportState, now time.Time) error {
	return save(ctx, tx, i, was, 1, now, time.Time{})
}

// ErrImportLost is the fault of a worker whose import was taken from it.
var ErrImportLost = fault.New(fault.Conflict, "vault.import_lost")

func save(ctx context.Context, tx *db.Tx, i *Import, was ImportState, step int64, now, lease time.Time) error {
	options, layout, message := i.texts()
	i.UpdatedAt = now
	n, err := tx.Write(ctx, saveImport, 1, func(_ int, b *db.Binder) {
		b.Text(string(i.ID)).Text(string(was)).Int(i.Fence).Int(step).Text(string(i.Batch)).Text(i.FileHash).Int(i.FileSize).Text(options).Text(layout).
			Text(string(i.State)).Text(string(i.Next)).Int(i.Total).Int(i.Done).Int(i.AtRow).Int(i.Rate).Int(i.Added).Int(i.Repeated).Int(i.Known).Int(i.Invalid).
			Text(message).Time(now).Time(lease)
	})
	if err == nil && n != 1 {
		err = ErrImportLost
	}
	return err
}

// MaxProblems is how many problems of a file are kept to be shown; the error file has all.
const MaxProblems = 100

type problemDetail struct {
	Value  string
	Params map[string]string
}

// AddProblems keeps problems of an import's rows.
func AddProblems(ctx context.Context, tx *db.Tx, i id.Import, problems []Problem) error {
	_, err := tx.Write(ctx, insertProblem, len(problems), func(n int, b *db.Binder) {
		p := problems[n]
		detail, err := json.Marshal(problemDetail{p.Value, p.Params})
		if err != nil {
			panic(err) // strings always marshal
		}
		b.Text(string(i)).Int(p.Row).Int(int64(p.Column)).Text(p.Code).Text(string(detail))
	})
	return err
}

// DropProblems forgets the problems of an import, as a new check does.
func DropProblems(ctx context.Context, tx *db.Tx, i id.Import) error {
	_, err := tx.Exec(ctx, dropProblems, i)
	return err
}

// ProblemsOf lists the problems that were kept, by row.
func ProblemsOf(ctx context.Context, tx *db.Tx, i id.Import) ([]Problem, error) {
	var out []Problem
	err := tx.Query(ctx, problemsOf, func(scan func(...any) error) error {
		var p Problem
		var detail string
		if err := scan(&p.Row, &p.Column, &p.Code, &detail); err != nil {
			return err
		}
		var d problemDetail
		err := json.Unmarshal([]byte(detail), &d)
		p.Value, p.Params = d.Value, d.Params
		out = append(out, p)
		return err
	}, i)
	return out, err
}

// KnownProblem is a row whose code the store holds already.
func KnownProblem(c Candidate, m Mapping) Problem {
	return Problem{Row: c.Row, Column: m.identity(), Code: "vault.row_known", Value: Mask(c.Record.Identity())}
}
