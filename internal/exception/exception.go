// Package exception is the queue of what needs a person: money that can't be placed,
// shortages, differences. An exception is opened in the transaction that finds it, once
// for each kind and subject, and closed by a person or by what resolves it.
package exception

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/money"
)

// The kinds of exception. The letters name the payment case.
const (
	Mismatch      = "mismatch"       // P4: amount, currency or account differ
	SecondCapture = "second_capture" // P17: paid twice
	LateRefund    = "late_refund"    // P3: paid late, and nothing left
	Shortage      = "shortage"       // P15: paid, and too little to deliver
	OverLimit     = "over_limit"     // who paid has bought as much as a person may
	UnknownIntent = "unknown_intent" // P8: a payment for something we don't know
	RefundFailed  = "refund_failed"  // a refund the gateway refuses
	ForeignRefund = "foreign_refund" // the gateway tells of a refund that we didn't make
	Dispute       = "dispute"        // F20: the payer's bank takes money back, or may
	DeadJob       = "dead_job"       // work that was given up
	Unreleased    = "unreleased"     // P15: promised for today, and its unit or code isn't there
)

// Case is one entry of the queue.
type Case struct {
	ID       id.Case
	Kind     string
	Subject  string
	Order    id.Order
	Detail   string
	Amount   money.Amount
	Open     bool
	Owner    string
	Note     string
	OpenedAt time.Time
	ClosedAt time.Time
	ClosedBy string
}

const columns = `id, kind, subject, order_id, detail, amount, currency, state, owner, note, opened_at, closed_at, closed_by`

var (
	insertCase = db.Rows("exception.insert", `INSERT INTO exceptions {{values id text, kind text, subject text, order_id text, detail text, amount bigint, currency text, state text, owner text, note text, opened_at bigint, closed_at bigint, closed_by text}} ON CONFLICT DO NOTHING`)
	closeCase  = db.SQL("exception.close", `UPDATE exceptions SET state = 'closed', note = $1, closed_at = $2, closed_by = $3 WHERE id = $4 AND state = 'open'`)
	resolve    = db.Rows("exception.resolve", `UPDATE exceptions SET state = 'closed', note = r.note, closed_at = r.at, closed_by = 'system' FROM {{rows kind text, subject text, note text, at bigint}} WHERE exceptions.kind = r.kind AND exceptions.subject = r.subject AND exceptions.state = 'open'`)
	reopen     = db.Rows("exception.reopen", `UPDATE exceptions SET state = 'open', opened_at = r.at, closed_at = 0, closed_by = '' FROM {{rows kind text, subject text, at bigint}} WHERE exceptions.kind = r.kind AND exceptions.subject = r.subject AND exceptions.state = 'closed'`)
	openCases  = db.SQL("exception.open", `SELECT `+columns+` FROM exceptions WHERE state = 'open' ORDER BY opened_at LIMIT $1`)
	oneCase    = db.SQL("exception.one", `SELECT `+columns+` FROM exceptions WHERE id = $1`)
	ofOrder    = db.SQL("exception.of_order", `SELECT `+columns+` FROM exceptions WHERE order_id = $1 ORDER BY opened_at`)
	countOpen  = db.SQL("exception.count", `SELECT kind, COUNT(*) FROM exceptions WHERE state = 'open' GROUP BY kind ORDER BY kind`)
)

// Open adds cases; one that is there already, open or closed, stays as it is.
func Open(ctx context.Context, tx *db.Tx, now time.Time, cases ...Case) error {
	_, err := tx.Write(ctx, insertCase, len(cases), func(i int, b *db.Binder) {
		c := cases[i]
		b.Text(string(id.New[id.Case]())).Text(c.Kind).Text(c.Subject).Text(string(c.Order)).Text(c.Detail).Int(c.Amount.Minor).Text(string(c.Amount.Currency)).
			Text("open").Text(c.Owner).Text(c.Note).Time(now).Int(0).Text("")
	})
	return err
}

// Reopen is Open for what may befall a subject more than once: a case that was closed is
// open again, with its note.
func Reopen(ctx context.Context, tx *db.Tx, now time.Time, cases ...Case) error {
	if _, err := tx.Write(ctx, reopen, len(cases), func(i int, b *db.Binder) {
		b.Text(cases[i].Kind).Text(cases[i].Subject).Time(now)
	}); err != nil {
		return err
	}
	return Open(ctx, tx, now, cases...)
}

// Resolve closes the open case of a kind and subject, if there is one.
func Resolve(ctx context.Context, tx *db.Tx, now time.Time, kind, subject, note string) error {
	return ResolveAll(ctx, tx, now, kind, []string{subject}, note)
}

// ResolveAll closes the open cases of a kind about subjects.
func ResolveAll(ctx context.Context, tx *db.Tx, now time.Time, kind string, subjects []string, note string) error {
	_, err := tx.Write(ctx, resolve, len(subjects), func(i int, b *db.Binder) { b.Text(kind).Text(subjects[i]).Text(note).Time(now) })
	return err
}

// Close ends a case by a person; it reports whether it was open.
func Close(ctx context.Context, tx *db.Tx, c id.Case, note, by string, now time.Time) (bool, error) {
	n, err := tx.Exec(ctx, closeCase, note, db.Micros(now), by, c)
	return n == 1, err
}

func load(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]Case, error) {
	var out []Case
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		var c Case
		var state string
		err := scan(&c.ID, &c.Kind, &c.Subject, &c.Order, &c.Detail, &c.Amount.Minor, &c.Amount.Currency, &state, &c.Owner, &c.Note,
			db.Time(&c.OpenedAt), db.Time(&c.ClosedAt), &c.ClosedBy)
		c.Open = state == "open"
		out = append(out, c)
		return err
	}, args...)
	return out, err
}

// ListOpen gives the open cases, the oldest first, at most n.
func ListOpen(ctx context.Context, tx *db.Tx, n int) ([]Case, error) {
	return load(ctx, tx, openCases, n)
}

// Find gives a case; it reports whether there is one.
func Find(ctx context.Context, tx *db.Tx, c id.Case) (Case, bool, error) {
	found, err := load(ctx, tx, oneCase, c)
	if err != nil || len(found) == 0 {
		return Case{}, false, err
	}
	return found[0], true, nil
}

// Of gives the cases of an order.
func Of(ctx context.Context, tx *db.Tx, o id.Order) ([]Case, error) { return load(ctx, tx, ofOrder, o) }

// Counts tells how many cases of each kind are open.
func Counts(ctx context.Context, tx *db.Tx) (map[string]int64, error) {
	out := map[string]int64{}
	err := tx.Query(ctx, countOpen, func(scan func(...any) error) error {
		var kind string
		var n int64
		err := scan(&kind, &n)
		out[kind] = n
		return err
	})
	return out, err
}
