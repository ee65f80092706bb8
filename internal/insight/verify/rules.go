package verify

import (
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

// invariants are all there are, in the order of their numbers. Each rule's query selects what
// breaks it: an id, and numbers or states that tell more.
var invariants = []invariant{
	{id: "I1", rules: []rule{
		none("I1.transfer", `SELECT t.entry_id, 'leg=' || CAST(t.leg AS TEXT) FROM ledger_transfers t LEFT JOIN ledger_accounts d ON d.id = t.debit LEFT JOIN ledger_accounts c ON c.id = t.credit
WHERE d.id IS NULL OR c.id IS NULL OR d.currency <> t.currency OR c.currency <> t.currency OR t.amount <= 0 OR t.debit = t.credit`),
		none("I1.account", `SELECT id, 'kind=' || kind || ' currency=' || currency FROM ledger_accounts WHERE id NOT LIKE kind || ':%' OR id NOT LIKE '%:' || currency`),
	}},
	{id: "I2", rules: []rule{
		none("I2.capture", `SELECT c.id, 'captured=' || CAST(c.amount AS TEXT) || ' booked=' || CAST(COALESCE(SUM(t.amount), 0) AS TEXT) FROM payment_captures c LEFT JOIN ledger_transfers t
ON t.entry_id = c.id AND t.currency = c.currency AND (t.debit = 'asset:gateway:' || c.provider || ':' || c.currency OR (c.provider = 'balance' AND t.debit LIKE 'liability:prepaid:%'))
GROUP BY c.id, c.amount HAVING COALESCE(SUM(t.amount), 0) <> c.amount`),
		none("I2.refund", `SELECT f.id, 'state=' || f.state || ' amount=' || CAST(f.amount AS TEXT) || ' booked=' || CAST(COALESCE(SUM(t.amount), 0) AS TEXT) FROM refunds f LEFT JOIN ledger_transfers t
ON t.entry_id = f.id AND t.currency = f.currency AND (t.credit = 'asset:gateway:' || f.provider || ':' || f.currency OR (f.provider = 'balance' AND t.credit LIKE 'liability:prepaid:%'))
GROUP BY f.id, f.amount, f.state HAVING COALESCE(SUM(t.amount), 0) <> CASE WHEN f.state = 'done' THEN f.amount ELSE 0 END`),
		none("I2.cause", `SELECT t.entry_id, 'leg=' || CAST(t.leg AS TEXT) FROM ledger_transfers t LEFT JOIN payment_captures c ON c.id = t.entry_id LEFT JOIN refunds f ON f.id = t.entry_id
WHERE c.id IS NULL AND f.id IS NULL AND (t.entry_id LIKE 'cap%' OR t.entry_id LIKE 'rfd%')`),
	}},
	{id: "I3", rules: []rule{
		none("I3.overdrawn", `SELECT a.id, 'below zero' FROM ledger_accounts a WHERE a.overdraft = 0
AND (SELECT COALESCE(SUM(amount), 0) FROM ledger_transfers WHERE credit = a.id) < (SELECT COALESCE(SUM(amount), 0) FROM ledger_transfers WHERE debit = a.id)`),
		none("I3.unguarded", `SELECT id, 'overdraft=' || CAST(overdraft AS TEXT) FROM ledger_accounts WHERE id LIKE 'liability:prepaid:%' AND overdraft <> 0`),
	}},
	{id: "I4", walks: []walk{sealedTransfers, rightPaths, guarded}},
	{id: "I5", rules: []rule{
		none("I5.right", `SELECT r.id, 'code=' || r.code_id FROM rights r LEFT JOIN codes c ON c.id = r.code_id WHERE r.code_id <> '' AND (c.id IS NULL OR c.right_id <> r.id)`),
		none("I5.code", `SELECT c.id, 'right=' || c.right_id FROM codes c LEFT JOIN rights r ON r.id = c.right_id WHERE c.right_id <> '' AND (r.id IS NULL OR r.code_id <> c.id)`),
		none("I5.index", `SELECT x.code_id, 'index' FROM code_index x LEFT JOIN codes c ON c.id = x.code_id WHERE c.id IS NULL OR c.blind <> x.blind`),
		none("I5.counters", `SELECT a.id, 'batch=' || b.id FROM code_batches a JOIN code_batches b ON b.generator_key = a.generator_key AND b.id <> a.id
AND b.first_counter >= a.first_counter AND b.first_counter < a.first_counter + a.size WHERE a.source = 'generated' AND b.source = 'generated' AND (b.first_counter > a.first_counter OR b.id > a.id)`),
	}, walks: []walk{pool}},
	{id: "I6", rules: []rule{
		none("I6.unpaid", `SELECT r.id, 'order=' || r.order_id FROM rights r LEFT JOIN payment_captures c ON c.order_id = r.order_id AND c.state = 'applied' WHERE c.id IS NULL`),
	}, walks: []walk{orders}},
	{id: "I7", rules: []rule{
		none("I7.suspense", `SELECT c.id, 'order=' || c.order_id || ' reason=' || c.reason FROM payment_captures c WHERE c.state = 'suspense'
AND NOT EXISTS (SELECT 1 FROM exceptions e WHERE e.kind IN ('mismatch','second_capture','unknown_intent') AND e.subject = c.id AND e.state = 'open')
AND NOT EXISTS (SELECT 1 FROM refunds f WHERE f.capture_id = c.id AND f.state <> 'failed')`),
		none("I7.closed", `SELECT c.id, 'order=' || c.order_id || ' state=' || o.state FROM payment_captures c JOIN orders o ON o.id = c.order_id WHERE c.state = 'applied' AND o.state IN ('pending','cancelled','expired')`),
		none("I7.silent", `SELECT c.id, 'order=' || c.order_id || ' amount=' || CAST(c.amount AS TEXT) FROM payment_captures c WHERE c.state = 'applied'
AND c.amount <> (SELECT COALESCE(SUM(l.delivered * l.unit_price), 0) FROM order_lines l WHERE l.order_id = c.order_id)
+ (SELECT COALESCE(SUM(f.amount), 0) FROM refunds f WHERE f.capture_id = c.id AND (f.state <> 'failed' OR EXISTS (SELECT 1 FROM exceptions e WHERE e.kind = 'refund_failed' AND e.subject = f.id)))`),
		none("I7.stuck", `SELECT f.id, 'order=' || f.order_id || ' state=' || f.state FROM refunds f WHERE f.state IN ('waiting','sent') AND f.created_at < $1
AND NOT EXISTS (SELECT 1 FROM exceptions e WHERE e.kind = 'refund_failed' AND e.subject = f.id)`, func(r *run) any { return db.Micros(r.Now.Add(-stuckAfter)) }),
	}},
	{id: "I8", rules: []rule{
		none("I8.sum", `SELECT id, 'received=' || CAST(received AS TEXT) FROM stocks WHERE received <> available + reserved + delivered + voided OR available < 0 OR reserved < 0 OR delivered < 0 OR voided < 0`),
		none("I8.reserved", `SELECT s.id, 'reserved=' || CAST(s.reserved AS TEXT) || ' live=' || CAST(COALESCE(SUM(v.quantity), 0) AS TEXT) FROM stocks s LEFT JOIN reservations v ON v.stock_id = s.id AND v.state = 'live'
GROUP BY s.id, s.reserved HAVING COALESCE(SUM(v.quantity), 0) <> s.reserved`),
	}, walks: []walk{pool, orders}},
	{id: "I10", rules: []rule{
		none("I10.overdue", `SELECT id, 'line=' || line_id FROM reservations WHERE state = 'live' AND expires_at < $1`, overdue),
		none("I10.ended", `SELECT id, 'state=' || state || ' ended_at=' || CAST(ended_at AS TEXT) FROM reservations WHERE (state = 'live' AND ended_at <> 0) OR (state <> 'live' AND ended_at = 0)`),
		none("I10.order", `SELECT v.id, 'state=' || v.state || ' order=' || o.id || ' state=' || o.state FROM reservations v JOIN order_lines l ON l.id = v.line_id JOIN orders o ON o.id = l.order_id
WHERE (v.state = 'live' AND o.state <> 'pending') OR (v.state <> 'live' AND o.state = 'pending') OR (v.state = 'consumed' AND o.paid_at = 0)`),
	}},
	{id: "I12", rules: []rule{
		none("I12.refunded", `SELECT r.id, 'code=' || c.id || ' state=' || c.state FROM rights r JOIN codes c ON c.id = r.code_id WHERE r.state = 'refunded' AND c.state IN ('available','filling')`),
		none("I12.void", `SELECT r.id, 'state=' || r.state || ' code=' || c.id || ' state=' || c.state FROM rights r JOIN codes c ON c.id = r.code_id WHERE r.state IN ('held','revealed','used') AND c.state IN ('void','filling','available')`),
	}},
	{id: "I13", rules: []rule{
		none("I13.event", `SELECT event_id, 'provider=' || provider || ' times=' || CAST(COUNT(*) AS TEXT) FROM payment_notices GROUP BY provider, event_id HAVING COUNT(*) > 1`),
		none("I13.txn", `SELECT txn_id, 'provider=' || provider || ' times=' || CAST(COUNT(*) AS TEXT) FROM payment_captures GROUP BY provider, txn_id HAVING COUNT(*) > 1`),
		none("I13.applied", `SELECT order_id, 'times=' || CAST(COUNT(*) AS TEXT) FROM payment_captures WHERE state = 'applied' GROUP BY order_id HAVING COUNT(*) > 1`),
	}},
	{id: "I14", rules: []rule{
		none("I14.capture", `SELECT c.id, 'intent=' || c.intent_id FROM payment_captures c LEFT JOIN payment_intents p ON p.id = c.intent_id
WHERE c.state = 'applied' AND (p.id IS NULL OR p.amount <> c.amount OR p.currency <> c.currency OR p.gateway <> c.provider OR p.order_id <> c.order_id)`),
		none("I14.intent", `SELECT p.id, 'order=' || p.order_id FROM payment_intents p LEFT JOIN orders o ON o.id = p.order_id WHERE o.id IS NULL OR p.amount <> o.total OR p.currency <> o.currency`),
		none("I14.captured", `SELECT p.id, 'order=' || p.order_id FROM payment_intents p WHERE p.state = 'captured'
AND NOT EXISTS (SELECT 1 FROM payment_captures c WHERE c.order_id = p.order_id AND c.intent_id = p.id AND c.state = 'applied')`),
		none("I14.uncaptured", `SELECT c.id, 'intent=' || p.id || ' state=' || p.state FROM payment_captures c JOIN payment_intents p ON p.id = c.intent_id WHERE c.state = 'applied' AND p.state <> 'captured'`),
	}},
	{id: "I15", rules: []rule{
		none("I15.exceeds", `SELECT c.id, 'captured=' || CAST(c.amount AS TEXT) || ' refunds=' || CAST(SUM(f.amount) AS TEXT) FROM refunds f JOIN payment_captures c ON c.id = f.capture_id WHERE f.state <> 'failed'
GROUP BY c.id, c.amount HAVING SUM(f.amount) > c.amount`),
		none("I15.capture", `SELECT f.id, 'capture=' || f.capture_id FROM refunds f LEFT JOIN payment_captures c ON c.id = f.capture_id
WHERE c.id IS NULL OR c.order_id <> f.order_id OR c.currency <> f.currency OR c.provider <> f.provider OR f.amount <= 0`),
		none("I15.line", `SELECT l.id, 'order=' || l.order_id FROM order_lines l JOIN refunds f ON f.line_id = l.id AND f.order_id = l.order_id WHERE f.state <> 'failed'
GROUP BY l.id, l.order_id, l.amount, l.quantity, l.delivered HAVING SUM(f.amount) > l.amount OR SUM(f.quantity) > l.quantity - l.delivered`),
		none("I15.done", `SELECT l.id, 'refunded=' || CAST(l.refunded AS TEXT) FROM order_lines l WHERE l.refunded <> (SELECT COALESCE(SUM(f.quantity), 0) FROM refunds f WHERE f.order_id = l.order_id AND f.line_id = l.id AND f.state = 'done')`),
	}},
	{id: "I16", walks: []walk{orders}},
	{id: "I17", rules: []rule{
		none("I17.notice", `SELECT n.id, 'intent=' || n.intent_id || ' outcome=' || n.outcome FROM payment_notices n LEFT JOIN payment_intents p ON p.id = n.intent_id
WHERE n.outcome IN ('applied','late','mismatch','second_capture') AND NOT EXISTS (SELECT 1 FROM payment_captures c WHERE c.order_id = p.order_id AND c.intent_id = n.intent_id AND c.provider = n.provider)`),
		none("I17.import", `SELECT m.id, 'added=' || CAST(m.added AS TEXT) || ' stored=' || CAST(COALESCE(b.stored, 0) AS TEXT) FROM imports m LEFT JOIN code_batches b ON b.id = m.batch_id
WHERE m.state = 'done' AND (b.id IS NULL OR b.stored <> m.added)`),
	}},
	{id: "I18", rules: []rule{
		none("I18.order", `SELECT MIN(id), 'times=' || CAST(COUNT(*) AS TEXT) FROM orders GROUP BY idem_key, idem_scope HAVING COUNT(*) > 1`),
	}},
	{id: "I19", rules: []rule{
		none("I19.lost", `SELECT o.id, 'paid_at=' || CAST(o.paid_at AS TEXT) FROM orders o LEFT JOIN jobs j ON j.subject = o.id AND j.kind = 'order.paid' WHERE o.paid_at > $1 AND j.id IS NULL`, kept),
		none("I19.causeless", `SELECT j.id, 'subject=' || j.subject FROM jobs j LEFT JOIN orders o ON o.id = j.subject WHERE j.kind = 'order.paid' AND (o.id IS NULL OR o.paid_at = 0)`),
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
		none("I25.batch", `SELECT b.id, 'by=' || b.created_by FROM code_batches b WHERE NOT EXISTS (SELECT 1 FROM audit_rows a WHERE a.subject = b.id)
AND NOT EXISTS (SELECT 1 FROM imports m JOIN audit_rows a ON a.subject = m.id WHERE m.batch_id = b.id)`),
	}, walks: []walk{auditTrail}},
	{id: "I27", rules: []rule{
		none("I27.code", `SELECT c.id, 'right=' || r.id FROM codes c JOIN rights r ON r.id = c.right_id WHERE c.right_id <> '' AND c.delivered_at <> r.granted_at`),
		none("I27.right", `SELECT r.id, 'order=' || r.order_id FROM rights r JOIN payment_captures c ON c.order_id = r.order_id AND c.state = 'applied' WHERE r.granted_at <> c.booked_at`),
	}, walks: []walk{orders}},
	{id: "I29", rules: []rule{
		none("I29.line", `SELECT l.id, 'order=' || l.order_id FROM order_lines l LEFT JOIN orders o ON o.id = l.order_id WHERE o.id IS NULL`),
		none("I29.empty", `SELECT o.id, 'state=' || o.state FROM orders o WHERE NOT EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.id)`),
		none("I29.unpayable", `SELECT o.id, 'state=' || o.state FROM orders o WHERE NOT EXISTS (SELECT 1 FROM payment_intents p WHERE p.order_id = o.id)`),
		none("I29.version", `SELECT l.id, 'version=' || l.version_id FROM order_lines l LEFT JOIN offer_versions v ON v.id = l.version_id WHERE v.id IS NULL OR v.offer_id <> l.offer_id`),
		none("I29.reservation", `SELECT v.id, 'line=' || v.line_id FROM reservations v LEFT JOIN order_lines l ON l.id = v.line_id WHERE l.id IS NULL`),
		none("I29.capture", `SELECT c.id, 'order=' || c.order_id FROM payment_captures c LEFT JOIN orders o ON o.id = c.order_id WHERE o.id IS NULL`),
		none("I29.refund", `SELECT f.id, 'line=' || f.line_id FROM refunds f LEFT JOIN order_lines l ON l.id = f.line_id WHERE f.line_id <> '' AND (l.id IS NULL OR l.order_id <> f.order_id)`),
		none("I29.right", `SELECT r.id, 'line=' || r.line_id FROM rights r LEFT JOIN order_lines l ON l.id = r.line_id WHERE l.id IS NULL OR l.order_id <> r.order_id OR l.version_id <> r.version_id`),
		none("I29.step", `SELECT e.right_id, 'step=' || CAST(e.step AS TEXT) FROM right_events e LEFT JOIN rights r ON r.id = e.right_id WHERE r.id IS NULL`),
		none("I29.offer", `SELECT o.id, 'version=' || o.version_id FROM offers o LEFT JOIN offer_versions v ON v.id = o.version_id WHERE o.version_id <> '' AND (v.id IS NULL OR v.offer_id <> o.id OR v.number <> o.version)`),
		none("I29.batch", `SELECT b.id, 'stock=' || b.stock_id FROM code_batches b LEFT JOIN stocks s ON s.id = b.stock_id WHERE s.id IS NULL OR s.kind <> 'codes'`),
	}, walks: []walk{pool}},
	{id: "I31", walks: []walk{orders}},
}
