package verify

import (
	"strings"
	"time"

	"hufu/internal/db"
	"hufu/internal/job"
)

// stuckAfter is how long a refund may be under way before somebody must know of it.
const stuckAfter = 3 * 24 * time.Hour

// jobsKept is for how long at least a job that is done stays.
const jobsKept = 6 * 24 * time.Hour

// jobsWait is how long a job may be due before its not being begun shows that nobody works.
const jobsWait = 24 * time.Hour

// overdue is the moment before which what had to end must have ended.
func overdue(r *run) any { return db.Micros(r.Now.Add(-r.Grace)) }

// kept is the moment after which every job is still there.
func kept(r *run) any { return db.Micros(r.Now.Add(-jobsKept)) }

func maxAttempts(*run) any { return job.MaxAttempts }

// invariants are all there are, in the order of their numbers, with the rules that one query
// can tell: it selects what breaks the rule, an id, and numbers or states that say more. The
// rules about rows that come with every order are sweeps and walks.
var invariants = []invariant{
	{id: "I1", rules: []rule{
		none("I1.account", `SELECT id, 'kind=' || kind || ' currency=' || currency FROM ledger_accounts WHERE id NOT LIKE kind || ':%' OR id NOT LIKE '%:' || currency`),
	}},
	{id: "I2", rules: []rule{
		none("I2.refund", `SELECT f.id, 'state=' || f.state || ' amount=' || CAST(f.amount AS TEXT) || ' booked=' || CAST(COALESCE(SUM(t.amount), 0) AS TEXT) FROM refunds f LEFT JOIN ledger_transfers t
ON t.entry_id = f.id AND t.currency = f.currency AND CASE WHEN f.by_hand = 'bank' THEN t.credit = 'asset:bank:' || f.currency
ELSE t.credit = 'asset:gateway:' || f.provider || ':' || f.currency OR (f.provider = 'balance' AND t.credit LIKE 'liability:prepaid:%') END
GROUP BY f.id, f.amount, f.state HAVING COALESCE(SUM(t.amount), 0) <> CASE WHEN f.state = 'done' THEN f.amount ELSE 0 END`),
	}},
	{id: "I3", rules: []rule{
		none("I3.overdrawn", `SELECT a.id, 'below zero' FROM ledger_accounts a WHERE a.overdraft = 0
AND (SELECT COALESCE(SUM(amount), 0) FROM ledger_transfers WHERE credit = a.id) < (SELECT COALESCE(SUM(amount), 0) FROM ledger_transfers WHERE debit = a.id)`),
		none("I3.unguarded", `SELECT id, 'overdraft=' || CAST(overdraft AS TEXT) FROM ledger_accounts WHERE id LIKE 'liability:prepaid:%' AND overdraft <> 0`),
	}},
	{id: "I4", walks: []walk{guarded}},
	{id: "I5", rules: []rule{
		none("I5.index", `SELECT x.code_id, 'index' FROM code_index x LEFT JOIN codes c ON c.id = x.code_id WHERE c.id IS NULL OR c.blind <> x.blind`),
		none("I5.counters", `SELECT a.id, 'batch=' || b.id FROM code_batches a JOIN code_batches b ON b.generator_key = a.generator_key AND b.id <> a.id
AND b.first_counter >= a.first_counter AND b.first_counter < a.first_counter + a.size WHERE a.source = 'generated' AND b.source = 'generated' AND (b.first_counter > a.first_counter OR b.id > a.id)`),
	}},
	{id: "I6"},
	{id: "I7", rules: []rule{
		none("I7.stuck", `SELECT f.id, 'order=' || f.order_id || ' state=' || f.state FROM refunds f WHERE f.state IN ('waiting','sent') AND f.created_at < $1
AND NOT EXISTS (SELECT 1 FROM exceptions e WHERE e.kind = 'refund_failed' AND e.subject = f.id AND e.state = 'open')`, func(r *run) any { return db.Micros(r.Now.Add(-stuckAfter)) }),
	}},
	{id: "I8", rules: []rule{
		none("I8.sum", `SELECT id, 'received=' || CAST(received AS TEXT) FROM stocks WHERE received <> available + reserved + delivered + voided OR available < 0 OR reserved < 0 OR delivered < 0 OR voided < 0`),
		none("I8.receipts", `SELECT s.id, 'received=' || CAST(s.received AS TEXT) || ' voided=' || CAST(s.voided AS TEXT) FROM stocks s LEFT JOIN stock_receipts r ON r.stock_id = s.id
WHERE s.kind = 'counted' GROUP BY s.id, s.received, s.voided
HAVING SUM(CASE WHEN r.quantity > 0 THEN r.quantity ELSE 0 END) <> s.received OR SUM(CASE WHEN r.quantity < 0 THEN -r.quantity ELSE 0 END) <> s.voided`),
		none("I8.allotted", `SELECT s.id, 'channels=' || CAST(s.channels AS TEXT) || ' allotted=' || CAST(s.allotted AS TEXT) FROM stocks s LEFT JOIN allotments a ON a.stock_id = s.id
GROUP BY s.id, s.channels, s.allotted, s.available, s.reserved, s.delivered
HAVING COUNT(a.channel) <> s.channels OR COALESCE(SUM(a.available), 0) <> s.allotted OR s.allotted > s.available OR COALESCE(SUM(a.reserved), 0) > s.reserved OR COALESCE(SUM(a.delivered), 0) > s.delivered`),
		none("I8.allotment", `SELECT COALESCE(a.stock_id, r.stock_id), 'channel=' || COALESCE(a.channel, r.allotment) FROM allotments a
FULL JOIN (SELECT stock_id, allotment, SUM(CASE WHEN state = 'live' THEN quantity ELSE 0 END) AS live, SUM(CASE state WHEN 'consumed' THEN quantity WHEN 'returned' THEN -quantity ELSE 0 END) AS gone
FROM reservations WHERE allotment <> '' GROUP BY stock_id, allotment) r ON r.stock_id = a.stock_id AND r.allotment = a.channel
WHERE a.stock_id IS NULL OR a.reserved <> COALESCE(r.live, 0) OR a.delivered <> COALESCE(r.gone, 0)`),
		none("I8.moves", `SELECT a.stock_id, 'channel=' || a.channel || ' size=' || CAST(a.size AS TEXT) FROM allotments a WHERE a.size <>
(SELECT COALESCE(SUM(CASE WHEN m.to_channel = a.channel THEN m.quantity ELSE -m.quantity END), 0) FROM allotment_moves m WHERE m.stock_id = a.stock_id AND (m.to_channel = a.channel OR m.from_channel = a.channel))`),
		none("I8.edition", `SELECT e.stock_id, 'next=' || CAST(e.next AS TEXT) || ' retired=' || CAST(e.retired AS TEXT) FROM editions e JOIN stocks s ON s.id = e.stock_id LEFT JOIN edition_numbers n ON n.stock_id = e.stock_id
GROUP BY e.stock_id, e.next, e.retired, e.gapless, e.size, s.delivered, s.received, s.voided, s.edition
HAVING COUNT(n.number) <> e.next OR COALESCE(MAX(n.position), -1) <> e.next - 1 OR COALESCE(SUM(CASE WHEN n.state = 'held' THEN 1 ELSE 0 END), 0) <> s.delivered
OR COALESCE(SUM(CASE WHEN n.state = 'retired' THEN 1 ELSE 0 END), 0) <> e.retired OR e.gapless = 1 AND e.retired > 0 OR s.received - s.voided > e.size - e.retired OR s.edition <> 1`),
		none("I8.number", `SELECT n.stock_id, 'number=' || CAST(n.number AS TEXT) || ' right=' || n.right_id FROM edition_numbers n JOIN editions e ON e.stock_id = n.stock_id LEFT JOIN rights r ON r.id = n.right_id
WHERE n.number < e.first OR n.number >= e.first + e.size OR (e.by_lot = 0 AND n.number <> e.first + n.position) OR (n.right_id <> '' AND (r.id IS NULL OR r.state = 'refunded'))
OR COALESCE((SELECT CASE h.what WHEN 'given' THEN h.right_id ELSE '' END FROM edition_history h WHERE h.stock_id = n.stock_id AND h.number = n.number ORDER BY h.id DESC LIMIT 1), 'none') <> n.right_id`),
	}, walks: []walk{reserved, delivered, lots}},
	{id: "I9", walks: []walk{tallied}},
	{id: "I10"},
	{id: "I12"},
	{id: "I13", rules: []rule{
		none("I13.event", `SELECT event_id, 'provider=' || provider || ' times=' || CAST(COUNT(*) AS TEXT) FROM payment_notices GROUP BY provider, event_id HAVING COUNT(*) > 1`),
		none("I13.txn", `SELECT txn_id, 'provider=' || provider || ' times=' || CAST(COUNT(*) AS TEXT) FROM payment_captures GROUP BY provider, txn_id HAVING COUNT(*) > 1`),
		none("I13.applied", `SELECT c.order_id, 'times=' || CAST(COUNT(*) AS TEXT) FROM (SELECT order_id FROM payment_captures GROUP BY order_id HAVING COUNT(*) > 1) d
JOIN payment_captures c ON c.order_id = d.order_id AND c.state = 'applied' GROUP BY c.order_id HAVING COUNT(*) > 1`),
	}},
	{id: "I14"},
	{id: "I15", rules: []rule{
		none("I15.exceeds", `SELECT c.id, 'captured=' || CAST(c.amount AS TEXT) || ' refunds=' || CAST(SUM(f.amount) AS TEXT) FROM refunds f JOIN payment_captures c ON c.id = f.capture_id WHERE f.state <> 'failed'
GROUP BY c.id, c.amount HAVING SUM(f.amount) > c.amount`),
		none("I15.capture", `SELECT f.id, 'capture=' || f.capture_id FROM refunds f LEFT JOIN payment_captures c ON c.id = f.capture_id
WHERE c.id IS NULL OR c.order_id <> f.order_id OR c.currency <> f.currency OR c.provider <> f.provider OR f.amount <= 0`),
		none("I15.done", `SELECT l.id, 'refunded=' || CAST(l.refunded AS TEXT) FROM refunds f JOIN order_lines l ON l.id = f.line_id AND l.order_id = f.order_id WHERE f.state = 'done'
GROUP BY l.id, l.refunded HAVING SUM(f.quantity) <> l.refunded`),
		none("I15.line", `SELECT l.id, 'order=' || l.order_id FROM refunds f JOIN order_lines l ON l.id = f.line_id AND l.order_id = f.order_id WHERE f.state <> 'failed'
GROUP BY l.id, l.order_id, l.amount, l.quantity, l.delivered HAVING SUM(f.amount) > l.amount OR SUM(f.quantity) > l.quantity - l.delivered`),
		none("I15.again", `SELECT f.id, 'again_of=' || f.again_of FROM refunds f LEFT JOIN refunds b ON b.id = f.again_of WHERE f.again_of <> ''
AND (b.id IS NULL OR b.state <> 'failed' OR b.capture_id <> f.capture_id OR b.line_id <> f.line_id OR b.amount <> f.amount OR b.currency <> f.currency OR b.quantity <> f.quantity)`),
	}},
	{id: "I16"},
	{id: "I17", rules: []rule{
		none("I17.import", `SELECT m.id, 'added=' || CAST(m.added AS TEXT) || ' stored=' || CAST(COALESCE(b.stored, 0) AS TEXT) FROM imports m LEFT JOIN code_batches b ON b.id = m.batch_id
WHERE m.state = 'done' AND (b.id IS NULL OR b.stored <> m.added)`),
	}, walks: []walk{keptTerms}},
	{id: "I18", rules: []rule{
		none("I18.order", `SELECT MIN(id), 'times=' || CAST(COUNT(*) AS TEXT) FROM orders GROUP BY idem_key, idem_scope HAVING COUNT(*) > 1`),
	}},
	{id: "I19", rules: []rule{
		none("I19.lost", `SELECT o.id, 'paid_at=' || CAST(o.paid_at AS TEXT) FROM orders o LEFT JOIN jobs j ON j.subject = o.id AND j.kind IN ('order.paid','order.over_limit') WHERE o.paid_at > $1 AND j.id IS NULL`, kept),
		none("I19.causeless", `SELECT j.id, 'subject=' || j.subject FROM jobs j LEFT JOIN orders o ON o.id = j.subject WHERE j.kind IN ('order.paid','order.over_limit') AND (o.id IS NULL OR o.paid_at = 0)`),
	}},
	{id: "I20", rules: []rule{
		none("I20.lease", `SELECT id, 'kind=' || kind || ' lease_until=' || CAST(lease_until AS TEXT) FROM jobs WHERE state = 'running' AND lease_until < $1`, overdue),
		none("I20.attempts", `SELECT id, 'kind=' || kind || ' attempts=' || CAST(attempts AS TEXT) FROM jobs WHERE state IN ('ready','running') AND attempts > $1`, maxAttempts),
		none("I20.uncounted", `SELECT id, 'kind=' || kind || ' error=' || error FROM jobs WHERE state IN ('ready','running') AND attempts = 0 AND error <> ''`),
		none("I20.waiting", `SELECT id, 'kind=' || kind || ' run_at=' || CAST(run_at AS TEXT) FROM jobs WHERE state = 'ready' AND run_at < $1`, func(r *run) any { return db.Micros(r.Now.Add(-jobsWait)) }),
		none("I20.import", `SELECT id, 'state=' || state || ' lease_until=' || CAST(lease_until AS TEXT) FROM imports WHERE state IN ('checking','running','releasing','undoing','restoring') AND lease_until < $1`, overdue),
	}},
	{id: "I25", rules: []rule{
		none("I25.refund", `SELECT f.id, 'by=' || f.created_by FROM refunds f WHERE f.created_by <> 'system'
AND NOT EXISTS (SELECT 1 FROM audit_rows a WHERE a.subject IN (f.id, f.order_id) AND a.action LIKE '%refund%')`),
		none("I25.by_hand", `SELECT f.id, 'reference=' || f.reference FROM refunds f WHERE f.by_hand <> '' AND NOT EXISTS (SELECT 1 FROM audit_rows a WHERE a.subject = f.order_id AND a.action = 'refund.by_hand')`),
		none("I25.batch", `SELECT b.id, 'by=' || b.created_by FROM code_batches b WHERE NOT EXISTS (SELECT 1 FROM audit_rows a WHERE a.subject = b.id)
AND NOT EXISTS (SELECT 1 FROM imports m JOIN audit_rows a ON a.subject = m.id WHERE m.batch_id = b.id)`),
	}, walks: []walk{auditTrail}},
	{id: "I27"},
	{id: "I29", rules: []rule{
		none("I29.unnamed", unnamed("orders.id", "order_lines.id", "reservations.id", "payment_intents.id", "payment_captures.id", "payment_notices.id", "rights.id", "right_events.right_id", "codes.id", "ledger_transfers.entry_id")),
		none("I29.refund", `SELECT f.id, 'line=' || f.line_id FROM refunds f LEFT JOIN order_lines l ON l.id = f.line_id WHERE f.line_id <> '' AND (l.id IS NULL OR l.order_id <> f.order_id)`),
		none("I29.offer", `SELECT o.id, 'version=' || o.version_id FROM offers o LEFT JOIN offer_versions v ON v.id = o.version_id WHERE o.version_id <> '' AND (v.id IS NULL OR v.offer_id <> o.id OR v.number <> o.version)`),
		none("I29.batch", `SELECT b.id, 'stock=' || b.stock_id FROM code_batches b LEFT JOIN stocks s ON s.id = b.stock_id WHERE s.id IS NULL OR s.kind <> 'codes'`),
	}},
	{id: "I31"},
}

// unnamed asks for rows whose key is empty: no stretch has them.
func unnamed(keys ...string) string {
	parts := make([]string, len(keys))
	for i, key := range keys {
		table, column, _ := strings.Cut(key, ".")
		parts[i] = "SELECT '" + table + "', '' FROM " + table + " WHERE " + column + " = ''"
	}
	return strings.Join(parts, "\nUNION ALL ")
}
