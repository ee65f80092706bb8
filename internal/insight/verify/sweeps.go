package verify

import (
	"context"
	"slices"
	"strings"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

// sweep is the rules about the rows of one table that grows with what is sold. They are
// judged together, a stretch of keys after the other, so that a row and what belongs to it
// are read once. Identifiers rise with time, so the stretches of a moment in all tables lie
// close together on the disk.
type sweep struct {
	prefix string // of the keys
	stmt   *db.Stmt
	last   *db.Stmt // the greatest key
	args   []func(*run) any
	rules  []judged
}

// judged is a rule that is a condition on a row and what is joined to it.
type judged struct {
	invariant, name string
	when, detail    string
	screen          string // true of every row that breaks it; several rules may share it
}

// broken declares a rule, "I14.capture", by the condition that breaks it. What is told of
// it is never empty.
func broken(name, detail, when string) judged {
	invariant, short, _ := strings.Cut(name, ".")
	return judged{invariant, short, when, detail, when}
}

// behind has a rule judged only where a condition holds that is quicker to tell, or that
// other rules stand behind as well.
func (j judged) behind(screen string) judged {
	j.screen = screen
	return j
}

// over declares the rules about a table, of which from names the rows x. $1 and $2 bound
// their keys; args are $3 and so on.
func over[K id.Kind](table, joins string, args []func(*run) any, rules ...judged) sweep {
	var k K
	var screens []string
	columns := make([]string, len(rules))
	for i, r := range rules {
		if screen := "(" + r.screen + ")"; !slices.Contains(screens, screen) {
			screens = append(screens, screen)
		}
		columns[i] = "CASE WHEN " + r.when + " THEN " + r.detail + " ELSE '' END"
	}
	return sweep{prefix: k.Prefix(), args: args, rules: rules,
		stmt: db.SQL("verify.over_"+table, "SELECT x.id,\n"+strings.Join(columns, ",\n")+"\nFROM "+table+" x "+joins+"\nWHERE x.id > $1 AND x.id <= $2 AND ("+strings.Join(screens, "\nOR ")+")"),
		last: db.SQL("verify.last_of_"+table, "SELECT COALESCE(MAX(id), '') FROM "+table)}
}

// judge tells of what breaks a rule in the rows after a key, up to another.
func (s sweep) judge(ctx context.Context, h *hand, low, high string) error {
	args := []any{low, high}
	for _, a := range s.args {
		args = append(args, a(h.run))
	}
	details := make([]string, len(s.rules))
	into := make([]any, len(s.rules)+1)
	var subject string
	into[0] = &subject
	for i := range details {
		into[i+1] = &details[i]
	}
	began := time.Now()
	err := h.tx.Query(ctx, s.stmt, func(scan func(...any) error) error {
		if err := scan(into...); err != nil {
			return err
		}
		for i, r := range s.rules {
			if details[i] != "" {
				h.bad(r.invariant, r.name, subject, details[i])
			}
		}
		return nil
	}, args...)
	took := time.Since(began) / time.Duration(len(s.rules))
	for _, r := range s.rules {
		h.spent(r.invariant, took)
	}
	return err
}

var sweeps = []sweep{
	over[id.Order]("orders", "", nil,
		broken("I29.unpayable", "'state=' || x.state", "NOT EXISTS (SELECT 1 FROM payment_intents p WHERE p.order_id = x.id)")),
	over[id.Line]("order_lines", "LEFT JOIN orders o ON o.id = x.order_id", nil,
		broken("I15.done", "'refunded=' || CAST(x.refunded AS TEXT)", "x.refunded <> 0 AND NOT EXISTS (SELECT 1 FROM refunds f WHERE f.order_id = x.order_id AND f.line_id = x.id AND f.state = 'done')"),
		// What counts under a purchase limit: a pending order whole, an ended one not, a paid one as far as it was delivered.
		broken("I9.line", "'order=' || x.order_id || ' counted=' || CAST(x.counted AS TEXT)", `x.counted <> CASE WHEN x.under = '' OR o.state IN ('cancelled','expired') THEN 0 WHEN o.state = 'pending' THEN x.quantity ELSE x.delivered END`),
		broken("I29.line", "'order=' || x.order_id", "o.id IS NULL")),
	over[id.Reservation]("reservations", "LEFT JOIN order_lines l ON l.id = x.line_id LEFT JOIN orders o ON o.id = l.order_id", []func(*run) any{overdue},
		broken("I10.overdue", "'line=' || x.line_id", "x.state = 'live' AND x.right_id = '' AND x.expires_at < $3"),
		broken("I10.ended", "'state=' || x.state || ' ended_at=' || CAST(x.ended_at AS TEXT)", "(x.state = 'live' AND x.ended_at <> 0) OR (x.state <> 'live' AND x.ended_at = 0)"),
		broken("I10.order", "'state=' || x.state || ' order=' || o.id || ' state=' || o.state",
			"(x.state = 'live' AND x.right_id = '' AND o.state <> 'pending') OR (x.right_id <> '' AND o.paid_at = 0) OR (x.state <> 'live' AND o.state = 'pending') OR (x.state = 'consumed' AND o.paid_at = 0)"),
		// A unit is promised to a right that is given later, and to no other.
		broken("I10.promised", "'right=' || x.right_id",
			"x.state = 'live' AND x.right_id <> '' AND NOT EXISTS (SELECT 1 FROM rights r WHERE r.id = x.right_id AND r.line_id = x.line_id AND r.waits IN ('release','choice'))"),
		broken("I29.reservation", "'line=' || x.line_id", "l.id IS NULL")),
	over[id.Intent]("payment_intents", "LEFT JOIN orders o ON o.id = x.order_id", nil,
		broken("I14.intent", "'order=' || x.order_id", "o.id IS NULL OR x.amount <> o.total OR x.currency <> o.currency"),
		broken("I14.captured", "'order=' || x.order_id", "x.state = 'captured' AND NOT EXISTS (SELECT 1 FROM payment_captures c WHERE c.order_id = x.order_id AND c.intent_id = x.id AND c.state = 'applied')")),
	over[id.Capture]("payment_captures", "LEFT JOIN orders o ON o.id = x.order_id LEFT JOIN payment_intents p ON p.id = x.intent_id", nil,
		broken("I2.capture", "'captured=' || CAST(x.amount AS TEXT) || ' booked=' || CAST("+booked+" AS TEXT)", "x.amount <> "+booked),
		broken("I7.suspense", "'order=' || x.order_id || ' reason=' || x.reason", `x.state = 'suspense'
AND NOT EXISTS (SELECT 1 FROM exceptions e WHERE e.kind IN ('mismatch','second_capture','unknown_intent') AND e.subject = x.id AND e.state = 'open')
AND NOT EXISTS (SELECT 1 FROM refunds f WHERE f.capture_id = x.id AND f.state <> 'failed')`),
		broken("I7.closed", "'order=' || x.order_id || ' state=' || o.state", "x.state = 'applied' AND o.state IN ('pending','cancelled','expired')"),
		broken("I7.silent", "'order=' || x.order_id || ' amount=' || CAST(x.amount AS TEXT)", `x.state = 'applied'
AND x.amount <> (SELECT COALESCE(SUM(l.delivered * l.unit_price), 0) FROM order_lines l WHERE l.order_id = x.order_id)
+ (SELECT COALESCE(SUM(f.amount), 0) FROM refunds f WHERE f.capture_id = x.id AND (f.state <> 'failed' OR EXISTS (SELECT 1 FROM exceptions e WHERE e.kind = 'refund_failed' AND e.subject = f.id AND e.state = 'open')))`),
		broken("I14.capture", "'intent=' || x.intent_id", "x.state = 'applied' AND (p.id IS NULL OR p.amount <> x.amount OR p.currency <> x.currency OR p.gateway <> x.provider OR p.order_id <> x.order_id)"),
		broken("I14.uncaptured", "'intent=' || p.id || ' state=' || p.state", "x.state = 'applied' AND p.state <> 'captured'"),
		broken("I17.kept", "'provider=' || x.provider || ' transaction=' || x.txn_id", `NOT EXISTS (SELECT 1 FROM payment_notices n WHERE n.intent_id = x.intent_id AND n.provider = x.provider
AND CASE WHEN x.state = 'applied' THEN n.outcome IN ('applied','late') ELSE n.outcome = x.reason END)`),
		broken("I29.capture", "'order=' || x.order_id", "o.id IS NULL")),
	over[id.Notice]("payment_notices", "LEFT JOIN payment_intents p ON p.id = x.intent_id", nil,
		broken("I17.notice", "'intent=' || x.intent_id || ' outcome=' || x.outcome", `x.outcome IN ('applied','late','mismatch','second_capture')
AND NOT EXISTS (SELECT 1 FROM payment_captures c WHERE c.order_id = p.order_id AND c.intent_id = x.intent_id AND c.provider = x.provider)`)),
	over[id.Right]("rights", "LEFT JOIN codes c ON c.id = x.code_id LEFT JOIN order_lines l ON l.id = x.line_id", []func(*run) any{overdue},
		broken("I5.right", "'code=' || x.code_id", "x.code_id <> '' AND (c.id IS NULL OR c.right_id <> x.id)"),
		broken("I6.unpaid", "'order=' || x.order_id", "NOT EXISTS (SELECT 1 FROM payment_captures p WHERE p.order_id = x.order_id AND p.state = 'applied')").behind(notPaidOnceThen),
		broken("I12.refunded", "'code=' || c.id || ' state=' || c.state", "x.state = 'refunded' AND c.state IN ('available','filling')"),
		broken("I12.void", "'state=' || x.state || ' code=' || c.id || ' state=' || c.state", "x.state IN ('held','revealed','used') AND c.state IN ('void','filling','available')"),
		broken("I20.right", "'state=' || x.state || ' due_at=' || CAST(x.due_at AS TEXT)", "x.due_at > 0 AND (x.due_at < $3 OR x.state NOT IN ('waiting','held'))"),
		broken("I27.right", "'order=' || x.order_id", "EXISTS (SELECT 1 FROM payment_captures p WHERE p.order_id = x.order_id AND p.state = 'applied' AND p.booked_at <> x.granted_at)").behind(notPaidOnceThen),
		broken("I29.right", "'line=' || x.line_id", "l.id IS NULL OR l.order_id <> x.order_id OR l.version_id <> x.version_id")),
}

// notPaidOnceThen is true of a right x unless its order has exactly one applied payment, and
// that of the moment at which the right was granted.
const notPaidOnceThen = `COALESCE((SELECT SUM(CASE WHEN p.booked_at = x.granted_at THEN 1 ELSE 2 END) FROM payment_captures p WHERE p.order_id = x.order_id AND p.state = 'applied'), 0) <> 1`

// booked is what the books say of a payment x, on its gateway's account or out of a balance.
const booked = `(SELECT COALESCE(SUM(t.amount), 0) FROM ledger_transfers t WHERE t.entry_id = x.id AND t.currency = x.currency
AND (t.debit = 'asset:gateway:' || x.provider || ':' || x.currency OR (x.provider = 'balance' AND t.debit LIKE 'liability:prepaid:%')))`

// codesSweep are the rules about codes. These lie in the order of their batches, not in that
// of orders, and have stretches of their own.
var codesSweep = over[id.Code]("codes", "LEFT JOIN rights r ON r.id = x.right_id AND x.right_id <> ''", nil,
	broken("I5.code", "'right=' || x.right_id", "x.right_id <> '' AND (r.id IS NULL OR r.code_id <> x.id)"),
	broken("I27.code", "'right=' || r.id", `x.delivered_at <> r.granted_at
AND NOT EXISTS (SELECT 1 FROM right_events e WHERE e.right_id = r.id AND e.at = x.delivered_at AND e.kind IN ('released','chosen'))`))
