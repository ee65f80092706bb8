package verify

import (
	"context"
	"strconv"
	"strings"
	"time"

	"hufu/internal/audit"
	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/i18n"
	"hufu/internal/id"
)

// Options say how to check.
type Options struct {
	// Now is the moment against which ends and leases are judged.
	Now time.Time
	// Rows is how many offending rows of an invariant are kept; 0 is 10.
	Rows int
	// Grace is for how long something that is over may wait for the worker that ends it;
	// 0 is 15 minutes.
	Grace time.Duration
	// Checkpoint is a head of the audit trail that was kept outside the database; nil
	// compares with none.
	Checkpoint *audit.Head
}

// Row is something that breaks a rule.
type Row struct {
	Rule    string // "I15.exceeds"; its text is the message "verify." + Rule
	Subject string // an id
	Detail  string // numbers, states and other ids
}

// Result is what came of one invariant.
type Result struct {
	ID   string // "I15"; its title is the message "verify." + ID
	Rows []Row  // what breaks it, at most Options.Rows
	More bool   // there is more
	Took time.Duration
}

// OK reports whether the invariant holds.
func (r Result) OK() bool { return len(r.Rows) == 0 }

// Title says in a language what the invariant demands.
func (r Result) Title(l i18n.Lang) string { return l.T("verify." + r.ID) }

// Text says in a language which rule the row breaks.
func (r Row) Text(l i18n.Lang) string { return l.T("verify." + r.Rule) }

// OK reports whether all invariants hold.
func OK(results []Result) bool {
	for _, r := range results {
		if !r.OK() {
			return false
		}
	}
	return true
}

// run is one verification under way.
type run struct {
	Options
	tx        *db.Tx
	rows      map[string][]Row
	more      map[string]bool
	catalogue *catalogue.Service
	versions  map[id.OfferVersion]*sold

	walkedOrders, walkedCodes bool
}

// bad records a row that breaks a rule of an invariant.
func (r *run) bad(invariant, rule, subject, detail string) {
	if len(r.rows[invariant]) >= r.Rows {
		r.more[invariant] = true
		return
	}
	r.rows[invariant] = append(r.rows[invariant], Row{invariant + "." + rule, subject, detail})
}

// Verify checks every invariant in one snapshot of the database. Its error is one of the
// database; what breaks an invariant is in the results, which come in the order of their
// numbers.
func Verify(ctx context.Context, d *db.DB, o Options) ([]Result, error) {
	has, needs, err := d.Version(ctx)
	if err != nil {
		return nil, err
	}
	var out []Result
	err = d.Report(ctx, func(tx *db.Tx) error {
		var err error
		out, err = check(ctx, tx, o, has, needs)
		return err
	})
	return out, err
}

// check runs every rule in a transaction; has and needs are the versions of the schema.
func check(ctx context.Context, tx *db.Tx, o Options, has, needs int64) ([]Result, error) {
	if o.Rows == 0 {
		o.Rows = 10
	}
	if o.Grace == 0 {
		o.Grace = 15 * time.Minute
	}
	r := &run{Options: o, tx: tx, rows: map[string][]Row{}, more: map[string]bool{}, catalogue: catalogue.NewService(), versions: map[id.OfferVersion]*sold{}}
	if has != needs {
		r.bad("I29", "schema", strconv.FormatInt(has, 10), "needs="+strconv.FormatInt(needs, 10))
	}
	took := map[string]time.Duration{}
	for _, inv := range invariants {
		start := time.Now()
		for _, q := range inv.rules {
			if err := q.ask(ctx, r, inv.id); err != nil {
				return nil, err
			}
		}
		for _, walk := range inv.walks {
			if err := walk(ctx, r); err != nil {
				return nil, err
			}
		}
		took[inv.id] = time.Since(start)
	}
	out := make([]Result, len(invariants))
	for i, inv := range invariants {
		out[i] = Result{ID: inv.id, Rows: r.rows[inv.id], More: r.more[inv.id], Took: took[inv.id]}
	}
	return out, nil
}

// invariant is one of them.
type invariant struct {
	id    string
	rules []rule
	walks []walk
}

// rule is a query that must return no rows. It gives a subject and a detail.
type rule struct {
	name string
	stmt *db.Stmt
	args func(*run) []any
}

func (q rule) ask(ctx context.Context, r *run, invariant string) error {
	var args []any
	if q.args != nil {
		args = q.args(r)
	}
	return r.tx.Query(ctx, q.stmt, func(scan func(...any) error) error {
		var subject, detail string
		if err := scan(&subject, &detail); err != nil {
			return err
		}
		r.bad(invariant, q.name, subject, detail)
		return nil
	}, args...)
}

// none declares a rule: text selects the subject and the detail of what breaks it. It is
// cut off at 100 rows, which is more than anybody reads.
func none(name, text string, args ...func(*run) any) rule {
	_, short, _ := strings.Cut(name, ".")
	return rule{name: short, stmt: db.SQL("verify."+name, text+"\nLIMIT 100"), args: func(r *run) []any {
		out := make([]any, len(args))
		for i, a := range args {
			out[i] = a(r)
		}
		return out
	}}
}
