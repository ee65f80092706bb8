package verify

import (
	"context"
	"strings"
	"sync"
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
	// Connections is how many connections may work side by side; 0 is one.
	Connections int
	// Each is told the result of an invariant as soon as it and all before it have ended. It
	// may be nil.
	Each func(Result)
	// Progress is told now and then about how many rows have been looked at: orders with what
	// belongs to them, transfers and codes. It may be nil.
	Progress func(done, total int64)
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
	// Took is the time spent on it. Rules that are judged together share theirs.
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
	has, needs int64 // the versions of the schema
	catalogue  *catalogue.Service
	delivered  units // by lines
	live       units // by reservations
	tallies    *tallySums

	mu       sync.Mutex
	rows     map[string][]Row
	more     map[string]bool
	took     map[string]time.Duration
	pending  map[string]int // what is still to be done, by invariant
	out      []Result       // of those that ended, and all before them
	progress progress
}

// hand is one connection of a run, used by one goroutine.
type hand struct {
	*run
	tx       *db.Tx
	versions map[id.OfferVersion]*sold
	terms    map[string]bool // the hashes of kept terms; nil before they were asked for
}

// units are counted by stock, by several hands.
type units struct {
	sync.Mutex
	of map[id.Stock]int64
}

func (u *units) add(more map[id.Stock]int64) {
	u.Lock()
	defer u.Unlock()
	for stock, n := range more {
		u.of[stock] += n
	}
}

// bad records a row that breaks a rule of an invariant.
func (r *run) bad(invariant, rule, subject, detail string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.rows[invariant]) >= r.Rows {
		r.more[invariant] = true
		return
	}
	r.rows[invariant] = append(r.rows[invariant], Row{invariant + "." + rule, subject, detail})
}

// spent adds to the time an invariant took.
func (r *run) spent(invariant string, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took[invariant] += d
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
	err = d.Report(ctx, max(o.Connections, 1), func(txs []*db.Tx) error {
		var err error
		out, err = check(ctx, txs, o, has, needs)
		return err
	})
	return out, err
}

// check runs every rule in transactions that see the same; has and needs are the versions
// of the schema.
func check(ctx context.Context, txs []*db.Tx, o Options, has, needs int64) ([]Result, error) {
	if o.Rows == 0 {
		o.Rows = 10
	}
	if o.Grace == 0 {
		o.Grace = 15 * time.Minute
	}
	r := &run{Options: o, has: has, needs: needs, catalogue: catalogue.NewService(), delivered: units{of: map[id.Stock]int64{}}, live: units{of: map[id.Stock]int64{}}, tallies: newTallySums(),
		rows: map[string][]Row{}, more: map[string]bool{}, took: map[string]time.Duration{}, pending: map[string]int{}}
	hands := make([]*hand, len(txs))
	for i, tx := range txs {
		hands[i] = &hand{run: r, tx: tx, versions: map[id.OfferVersion]*sold{}}
	}
	if err := r.work(ctx, hands); err != nil {
		return nil, err
	}
	return r.out, nil
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

func (q rule) ask(ctx context.Context, h *hand, invariant string) error {
	var args []any
	if q.args != nil {
		args = q.args(h.run)
	}
	return h.tx.Query(ctx, q.stmt, func(scan func(...any) error) error {
		var subject, detail string
		if err := scan(&subject, &detail); err != nil {
			return err
		}
		h.bad(invariant, q.name, subject, detail)
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
