package e2e

// guard is one thing that holds a wrong back. Without it the test must go red.
type guard struct {
	name     string // what it is
	protects string // what would go wrong, with the rows of correctness and security it serves
	file     string // where it stands, from the module's root
	old, new string // the text that is it, which stands there once, and the text without it
	test     string // package and test, with the part of it that needs the guard: "internal/db TestX/sqlite"
}

const (
	inventoryStore  = "internal/inventory/store.go"
	inventoryBook   = "internal/inventory/book.go"
	orderStore      = "internal/order/store.go"
	paymentStore    = "internal/payment/store.go"
	paymentJudge    = "internal/payment/judge.go"
	refundAgain     = "internal/flow/refund_again.go"
	confirmPayment  = "internal/flow/confirm_payment.go"
	placeAgain      = "internal/flow/place_again.go"
	entitlementFile = "internal/entitlement/service.go"
	ledgerService   = "internal/ledger/service.go"
	jobFile         = "internal/job/job.go"
	firstMigration  = "internal/db/migrations/0001_first.sql"
	sandboxSign     = "internal/paygate/sandbox/sign.go"
)

var guards = []guard{
	// Locks: what a decision is made on stands still until it is written.
	{"the lock on stocks", "two nodes sell the same unit (I8, I9)", inventoryStore,
		"FROM stocks WHERE id {{in $1 text}} ORDER BY id {{for update}}`", "FROM stocks WHERE id {{in $1 text}} ORDER BY id`", "e2e/laws TestLocksAreWaitedFor/stocks"},
	{"the lock on orders, before a message is judged", "a payment is judged by a state that is changing (P1, P9, I16)", orderStore,
		"WHERE id {{in $1 text}}) ORDER BY id {{for update}}`", "WHERE id {{in $1 text}}) ORDER BY id`", "e2e/laws TestLocksAreWaitedFor/paid_orders"},
	{"the lock on orders, before one is changed", "an order is cancelled by a state that is changing (P9, I16)", orderStore,
		"FROM orders WHERE id {{in $1 text}} ORDER BY id {{for update}}`", "FROM orders WHERE id {{in $1 text}} ORDER BY id`", "e2e/laws TestLocksAreWaitedFor/orders"},
	{"the lock on payment intents", "an order is paid in two ways at once (P17)", paymentStore,
		"FROM payment_intents WHERE order_id {{in $1 text}} ORDER BY id {{for update}}`", "FROM payment_intents WHERE order_id {{in $1 text}} ORDER BY id`", "e2e/laws TestLocksAreWaitedFor/intents"},
	{"the lock on rights", "a code is shown while its right is taken back (P12, I12)", entitlementFile,
		"FROM rights WHERE order_id {{in $1 text}} ORDER BY id {{for update}}`", "FROM rights WHERE order_id {{in $1 text}} ORDER BY id`", "e2e/laws TestLocksAreWaitedFor/rights"},
	{"the lock on balances", "one balance pays twice (I3)", ledgerService,
		"FROM ledger_accounts WHERE id {{in $1 text}} ORDER BY id {{for update}}`", "FROM ledger_accounts WHERE id {{in $1 text}} ORDER BY id`", "e2e/laws TestLocksAreWaitedFor/accounts"},
	{"the lock on purchase limits", "two nodes sell a person the same unit of a limit (I9)", "internal/order/tally.go",
		"FROM order_tallies WHERE name {{in $1 text}} ORDER BY name {{for update}}`", "FROM order_tallies WHERE name {{in $1 text}} ORDER BY name`", "e2e/laws TestLocksAreWaitedFor/limits"},
	{"due jobs are taken by one worker", "work is done twice (I19, I20)", jobFile,
		"ORDER BY run_at LIMIT $2 {{skip locked}}`", "ORDER BY run_at LIMIT $2`", "e2e/laws TestWorkIsHandedOutOnce/jobs"},
	{"due refunds are taken by one worker", "a refund is sent by two workers (P11, I15)", paymentStore,
		"ORDER BY next_at LIMIT $2 {{skip locked}}`", "ORDER BY next_at LIMIT $2`", "e2e/laws TestWorkIsHandedOutOnce/refunds"},

	// State predicates: a decision on a state that is gone is not written.
	{"a reservation ends from live alone", "units come back twice (P10, I10)", inventoryStore,
		"WHERE reservations.id = r.id AND reservations.state = 'live'`", "WHERE reservations.id = r.id`", "e2e/laws TestAStaleDecisionIsNotWritten/sqlite/reservation"},
	{"an order moves from the state it was judged in", "two ends for one order (P9, I16)", orderStore,
		"WHERE orders.id = r.id AND orders.state = r.old`", "WHERE orders.id = r.id AND r.old <> ''`", "e2e/laws TestAStaleDecisionIsNotWritten/sqlite/order"},
	{"an intent moves from the state it was judged in", "a closed way to pay is paid (P18, I14)", paymentStore,
		"WHERE payment_intents.id = r.id AND payment_intents.state = r.old`", "WHERE payment_intents.id = r.id AND r.old <> ''`", "e2e/laws TestAStaleDecisionIsNotWritten/sqlite/intent"},
	{"a step follows the last one", "the path of a right forks (I4, G1)", entitlementFile,
		"AND rights.steps = r.old`", "`", "e2e/laws TestAStaleDecisionIsNotWritten/sqlite/right"},
	{"a code is delivered from available alone", "one code for two buyers (I5, I6)", "internal/vault/allocate.go",
		"WHERE codes.id = r.id AND codes.state = 'available'`", "WHERE codes.id = r.id`", "e2e/laws TestAStaleDecisionIsNotWritten/sqlite/code"},
	{"a code that has ended is not picked", "an expired code is sold (I5)", "internal/vault/allocate.go",
		"AND (expires_at = 0 OR expires_at > $3) ORDER BY id LIMIT $4 {{skip locked}}`", "AND $3 <> 0 ORDER BY id LIMIT $4 {{skip locked}}`", "internal/flow TestACodeThatEndsWhileItIsHeld/sqlite"},
	{"units whose codes have ended are set aside", "an order is taken that no code is left for (I9)", "internal/inventory/book.go",
		"(s.Available-b.aside[stock])/each", "s.Available/each", "internal/flow TestEndedCodesAreNotPromised/sqlite"},
	{"only live reservations are a line's own", "a late payment takes units that went to another (P3, I8)", inventoryStore,
		"WHERE line_id {{in $1 text}} AND state = 'live'`", "WHERE line_id {{in $1 text}}`", "e2e/laws TestAnOrderEndsOnce/sqlite"},
	{"only pending orders are ended", "a paid order is cancelled or expires (P9)", "internal/flow/close_order.go",
		"if o.State != order.Pending || !may(o, now) {", "if !may(o, now) {", "e2e/laws TestAnOrderEndsOnce/sqlite"},
	{"orders expire when their time is over", "units are taken from who is still paying (P9, P18)", orderStore,
		"WHERE state = 'pending' AND expires_at <= $1", "WHERE state = 'pending' AND $1 > 0", "e2e/laws TestAnOrderEndsOnce/sqlite"},
	{"the fence of a job's lease", "a worker that slept finishes what another took over (F29, I20)", jobFile,
		"AND jobs.fence = r.fence AND jobs.state IN ('ready','running')`", "AND jobs.state IN ('ready','running')`", "e2e/laws TestASleeperCantFinish/sqlite"},
	{"the fence of a refund's lease", "a worker that slept finishes what another took over (F29, P11)", paymentStore,
		"AND refunds.fence = r.fence AND refunds.state = 'sent'`", "AND refunds.state = 'sent'`", "e2e/laws TestASleeperCantFinish/sqlite"},

	// Decisions.
	{"stock is looked at before it is reserved", "more is promised than there is (I8)", inventoryBook,
		"if s == nil || n > (s.Available-b.aside[stock])/each {", "if s == nil || n > s.Received/each {", "e2e/laws TestAnOrderEndsOnce/sqlite"},
	{"a purchase limit is looked at before an order is placed", "a person buys more than is allowed (A3, I9)", "internal/flow/place_order.go",
		"if err := w.within(limits, sale, now); err != nil {", "if err := w.within(limits, sale, now); err != nil && now.IsZero() {", "internal/flow TestLimits/one_each/sqlite"},
	{"a purchase limit is looked at again when an order is paid late", "orders that end unpaid lead round a limit (A3, I9, P3)", "internal/flow/payer_limits.go",
		"b.limits.Full(l.Under, l.Quantity-l.Counted); full {", "b.limits.Full(l.Under, l.Quantity-l.Counted); full && b.now.IsZero() {", "internal/flow TestLimits/paid_late_when_the_limit_is_reached/sqlite"},
	{"a purchase limit counts who paid", "one wallet buys with many phones what one person may have once (A3)", "internal/flow/payer_limits.go",
		"b.limits.Full(payer, l.Quantity); full {", "b.limits.Full(payer, l.Quantity); full && b.now.IsZero() {", "internal/flow TestALimitCountsWhoPaid/sqlite"},
	{"a message that was handled is a duplicate", "a notice takes effect twice (P1, I13)", confirmPayment,
		"if was, ok := seen[event]; ok && was != payment.Unknown {", "if was, ok := seen[event]; ok && was == payment.Ignored {", "e2e/laws TestAMessageCountsOnce/sqlite"},
	{"a message about nothing known is handled when it comes again", "a payment that was told too early is lost (P8)", confirmPayment,
		"if was, ok := seen[event]; ok && was != payment.Unknown {", "if _, ok := seen[event]; ok {", "e2e/laws TestAMessageCountsOnce/sqlite"},
	{"a booked transaction is a duplicate", "one payment pays two orders (P5, S21, I13)", paymentJudge, "case booked:", "case booked && !booked:", "e2e/laws TestJudge"},
	{"the amount is compared", "one fen buys anything (P4, S23, I14)", paymentJudge, "case !m.Account || m.Amount != intent.Amount:", "case !m.Account:", "e2e/laws TestJudge"},
	{"the account is compared", "a payment to somebody else counts (P4, S23)", paymentJudge,
		"case !m.Account || m.Amount != intent.Amount:", "case m.Amount != intent.Amount:", "e2e/laws TestJudge"},
	{"only a named success is a payment", "an unpaid state delivers (P7, S24)", paymentJudge, "case !m.Paid:", "case !m.Paid && !m.Account:", "e2e/laws TestJudge"},
	{"the gateway is the intent's", "one gateway speaks for another (P5)", paymentJudge, "case intent == nil || intent.Gateway != m.Provider:", "case intent == nil:", "e2e/laws TestJudge"},
	{"an order is paid once", "a second payment delivers again and is kept (P17)", paymentJudge, "case paid:", "case paid && !paid:", "e2e/laws TestJudge"},
	{"refunds stay within the payment", "more goes back than came (P11, I15)", "internal/payment/service.go",
		"if amount <= 0 || amount > Refundable(c, refunds) {", "if amount <= 0 {", "e2e/laws TestJudge"},
	{"a refund keeps its number", "a lost answer pays back twice (P11, I15)", "internal/flow/refund.go",
		"RefundNo: string(r.ID),", "RefundNo: string(id.New[id.Refund]()),", "e2e/laws TestARefundKeepsItsNumber/sqlite"},
	{"a balance is covered, command by command", "a poor payment sends its whole batch round again (I3)", "internal/flow/pay_balance.go",
		"if b.left[a] < c.Amount.Minor {", "if b.left[a] < 0 {", "e2e/laws TestABalanceIsCovered/sqlite"},
	{"a posting is covered", "an account that may not be overdrawn is (I3)", ledgerService,
		"if b.Net().Minor < 0 {", "if b.Net().Minor < -1_000_000 {", "e2e/laws TestABalanceIsCovered/sqlite"},
	{"a used key with another body is refused", "the answer is to another request (I18)", placeAgain,
		"if !bytes.Equal(old.RequestHash, c.RequestHash) {", "if old.RequestHash == nil {", "e2e/laws TestARequestIsWhatItWas/sqlite"},
	{"the same within one batch", "the answer is to another request (I18)", placeAgain,
		"if !bytes.Equal(was.RequestHash, is.RequestHash) {", "if was.RequestHash == nil {", "e2e/laws TestARequestIsWhatItWas/sqlite"},
	{"sold out is said once all that was placed is known", "a repeat has no order (I18)", "internal/flow/gate.go",
		"shut && since <= f.placed.covers.Load() &&", "shut && since >= 0 &&", "internal/flow TestRepeatOfThePlacedIsNotSoldOut/sqlite"},
	{"a repeat that waited for the lock is looked up again", "a repeat has no order (I18)", placeAgain,
		"if len(refused) == 0 {", "if len(refused) >= 0 {", "internal/flow TestRepeatThatWaitedIsNotSoldOut"},
	{"a kept answer is for the same request", "the answer is to another request (I18)", "internal/idem/idem.go",
		"case !bytes.Equal(was, hash):", "case was == nil && !bytes.Equal(was, hash):", "internal/idem TestARepeatedRequestGetsTheFirstAnswer"},
	{"the price shown is the price asked", "the shopper pays what was never shown (S28)", "internal/flow/quote_order.go",
		"l.ExpectPrice != 0 && money.Of(", "l.ExpectPrice < 0 && money.Of(", "e2e/laws TestARequestIsWhatItWas/sqlite"},
	{"the terms accepted are the terms bought", "the shopper is bound by terms never shown (S28)", "internal/flow/quote_order.go",
		"if acknowledged && !w.Shown(", "if acknowledged && w.Shown(", "internal/flow TestTheTermsAcceptedAreThoseBought/sqlite"},
	{"money in suspense is sent back once", "a person's second press is refused, or pays twice (P4, I15)", "internal/flow/refund_capture.go",
		"captured.Returning(refunds); ok {", "captured.Returning(refunds); ok && at.ID == \"\" {", "internal/flow TestMoneyInSuspenseGoesBack/sqlite"},
	{"a case about money in suspense stays open", "money is forgotten (I7)", "internal/flow/close_case.go",
		"!returning || r.State != payment.RefundDone", "!returning || r.State == \"\"", "internal/flow TestMoneyInSuspenseGoesBack/sqlite"},
	{"a case about a refund that wasn't made stays open", "money is forgotten (I7, P3)", "internal/flow/close_case.go",
		"	if owes.Open {", "	if owes.Suspense {", "internal/flow TestAFailedRefundIsSentAgain/sqlite"},
	{"a failed refund is sent again within the payment", "more goes back than came (P11, I15)", refundAgain,
		"if err := payment.Check(a.capture, a.refunds, a.refund.Amount.Minor); err != nil {", "if err := payment.Check(a.capture, nil, a.refund.Amount.Minor); err != nil {", "internal/flow TestSendingAgainStaysWithinThePayment/sqlite"},
	{"a refund is paid by hand within the payment", "more goes back than came (P11, I15)", "internal/flow/refund_by_hand.go",
		"if err := payment.Check(a.capture, a.refunds, out.Amount.Minor); err != nil {", "if err := payment.Check(a.capture, nil, out.Amount.Minor); err != nil {", "internal/flow TestSendingAgainStaysWithinThePayment/sqlite"},
	{"the gateway is asked before a refund is sent again", "a refund that was made goes out twice (P11, I15)", refundAgain,
		"case paygate.RefundDone:\n			out.State", "case \"no such state\":\n			out.State", "internal/flow TestARefundThatWasMadeAfterAll/sqlite"},
	{"without an answer no refund is sent again", "a refund that was made goes out twice (P11, I15)", refundAgain,
		"if told.State == paygate.RefundUnknown {", "if told.State == paygate.RefundPending && ctx == nil {", "internal/flow TestARefundThatWasMadeAfterAll/sqlite"},
	{"what the gateway told of a refund is believed before a person is", "a refund that was made is paid by hand as well (P11, I15)", refundAgain,
		"if x.Open && x.Kind == exception.ForeignRefund &&", "if x.Open && x.Kind == \"\" &&", "internal/flow TestARefundThatWasMadeAfterAll/sqlite"},
	{"a failed refund becomes something else once", "it is booked twice (P11, I2)", paymentStore,
		"WHERE refunds.id = r.id AND refunds.state = 'failed'`", "WHERE refunds.id = r.id AND r.id <> ''`", "e2e/laws TestAStaleDecisionIsNotWritten/sqlite/refund"},
	{"a bad command fails alone", "one request of a batch fails all others (group commit)", "internal/db/lane.go",
		"if err != nil && len(b.items) > 1 &&", "if err != nil && len(b.items) < 1 &&", "internal/db TestLaneAnswersEachCommand"},

	// What must be left behind.
	{"the job row of a payment", "nobody is told that they may use what they bought (P16, I19)", "internal/flow/deliver.go",
		"b.jobs = append(b.jobs, job.Job{Kind: told, Subject: string(o.ID)})", "_ = job.Job{}", "e2e/laws TestAPurchaseLeavesEverything/sqlite"},
	{"the seal of postings", "postings are changed and nobody sees it (I4)", ledgerService, "Bytes(sum(c.hash, sorted))", "Bytes(sum(nil, nil))", "e2e/laws TestAPurchaseLeavesEverything/sqlite"},
	{"the hash chain of a right's path", "steps are changed and nobody sees it (I4, G1)", "internal/entitlement/right.go", "s.Hash = s.sum(r.Head)", "s.Hash = s.sum(nil)", "e2e/laws TestAPurchaseLeavesEverything/sqlite"},
	{"the audit row of a code shown to staff", "codes are read in secret (S9, I25)", "internal/flow/reveal_code.go",
		"return a, audit.Write(ctx, tx, row)", "return a, audit.Write(ctx, tx)", "e2e/laws TestAPurchaseLeavesEverything/sqlite"},

	// What the database itself refuses.
	{"nothing below zero", "stock is oversold whatever the program does (I8)", firstMigration,
		"available BIGINT NOT NULL CHECK (available >= 0), reserved BIGINT NOT NULL CHECK (reserved >= 0),\n  delivered BIGINT NOT NULL CHECK (delivered >= 0), voided BIGINT NOT NULL CHECK (voided >= 0), low_mark",
		"available BIGINT NOT NULL, reserved BIGINT NOT NULL CHECK (reserved >= 0),\n  delivered BIGINT NOT NULL CHECK (delivered >= 0), voided BIGINT NOT NULL CHECK (voided >= 0), low_mark", "e2e/laws TestTheDatabaseRefuses/sqlite"},
	{"conservation of stock", "units appear or vanish (I8)", firstMigration, ",\n  CHECK (received = available + reserved + delivered + voided)", "", "e2e/laws TestTheDatabaseRefuses/sqlite"},
	{"conservation of a batch", "codes appear or vanish (I8)", firstMigration, ",\n  CHECK (stored = filling + available + delivered + voided + expired)", "", "e2e/laws TestTheDatabaseRefuses/sqlite"},
	{"a provider's transaction is booked once", "one payment is booked twice (P1, I13)", firstMigration, "CREATE UNIQUE INDEX payment_captures_txn", "CREATE INDEX payment_captures_txn", "e2e/laws TestTheDatabaseRefuses/postgres"},
	{"a provider's message is kept once", "one message takes effect twice (P1, I13)", firstMigration, "CREATE UNIQUE INDEX payment_notices_event", "CREATE INDEX payment_notices_event", "e2e/laws TestTheDatabaseRefuses/sqlite"},
	{"one order for a key", "one request makes two orders (I18)", firstMigration, "CREATE UNIQUE INDEX orders_idempotent", "CREATE INDEX orders_idempotent", "e2e/laws TestTheDatabaseRefuses/sqlite"},
	{"one live way to pay", "an order is paid in two ways (P17)", firstMigration, "CREATE UNIQUE INDEX payment_intents_live", "CREATE INDEX payment_intents_live", "e2e/laws TestTheDatabaseRefuses/sqlite"},
	{"receipts of counted stock", "units are received and nobody sees it (I8)", inventoryBook, "\ts.Available += n\n\tb.record(s, n)\n", "\ts.Available += n\n", "internal/insight/verify TestALivedInShopHolds/sqlite"},
	{"one code for a right", "a right has two codes (I5)", firstMigration, "CREATE UNIQUE INDEX codes_right", "CREATE INDEX codes_right", "e2e/laws TestTheDatabaseRefuses/sqlite"},
	{"a failed refund is sent again once", "it goes out twice (P11, I15)", firstMigration, "CREATE UNIQUE INDEX refunds_again", "CREATE INDEX refunds_again", "e2e/laws TestTheDatabaseRefuses/sqlite"},
	{"no more given back than bought", "a line is refunded beyond itself (I15)", firstMigration, ", CHECK (delivered + refunded <= quantity)", "", "e2e/laws TestTheDatabaseRefuses/sqlite"},
	{"postings are never changed", "the books are rewritten (I4)", firstMigration, "{{append only ledger_transfers (entry_id, leg)}}\n", "", "e2e/laws TestTheDatabaseRefuses/sqlite"},
	{"payments are never changed", "what arrived is rewritten (I4)", firstMigration, "{{append only payment_captures (id) (provider, txn_id)}}\n", "", "e2e/laws TestTheDatabaseRefuses/sqlite"},
	{"steps of a right are never changed", "a path is rewritten (I4, G1)", firstMigration, "{{append only right_events (right_id, step)}}\n", "", "e2e/laws TestTheDatabaseRefuses/sqlite"},
	{"the audit trail is never changed", "who did what is rewritten (I4, I25)", firstMigration, "{{append only audit_rows (chain, seq) (id)}}\n", "", "e2e/laws TestTheDatabaseRefuses/sqlite"},
	{"no row takes another's place", "the books are rewritten by REPLACE (I4)", "internal/db/dialect.go", "_no_replace BEFORE INSERT ON %[1]s BEGIN", "_no_replace BEFORE INSERT ON %[1]s WHEN 0 BEGIN", "e2e/laws TestTheDatabaseRefuses/sqlite"},
	{"the same on PostgreSQL", "the books are rewritten (I4)", "internal/db/dialect.go", "BEFORE UPDATE OR DELETE OR TRUNCATE ON", "BEFORE TRUNCATE ON", "e2e/laws TestTheDatabaseRefuses/postgres"},
	{"commits reach the disk", "a power cut takes what was acknowledged (F4)", "internal/db/open.go", `"synchronous(FULL)"`, `"synchronous(NORMAL)"`, "e2e/laws TestCommitsReachTheDisk"},

	// Who may.
	{"the secret of an order", "anybody reads anybody's codes (S32, I24)", "internal/vault/link.go",
		"[]byte(secret)) == 1", "[]byte(secret)) >= 0", "e2e/laws TestAPurchaseLeavesEverything/sqlite"},
	{"the signature of a notice", "anybody says that an order is paid (S20)", sandboxSign, "if !right {", "if !right && unix == \"\" {", "internal/paygate/sandbox TestS20BadSignatures"},
	{"the age of a signature", "an old message is replayed (S20)", sandboxSign, "if age := g.clock.Now().Unix() - t; age >", "if age := g.clock.Now().Unix() - t; t < 0 && age >", "internal/paygate/sandbox TestStaleCallsAreRefused|TestS20BadSignatures"},
	{"an unknown state of a trade is no payment", "a state signed rightly delivers (P7, S24)", "internal/paygate/sandbox/notice.go",
		"n.Kind = paygate.NoticeUnpaid", "n.Kind = paygate.NoticePaid", "internal/paygate/sandbox TestP7S24UnpaidStatesSignedRightly"},
	{"a sealed code opens in its place alone", "a ciphertext moved to another row opens there (S11)", "internal/vault/seal.go",
		"return append(dst, code...)", "return dst", "internal/vault TestSealedRecordOpensForItsCodeOnly"},
	{"a limit on the staff is raised by two", "who is stopped at so many codes an hour goes on alone (S10)", "internal/setting/setting.go",
		"waits.By != by.Actor &&", "", "internal/setting TestALimitIsRaisedByTwo/sqlite"},
	{"a guest's key is long", "two browsers share an order and its codes (S32)", "internal/flow/place_order.go",
		"if err := c.Request.Check(); err != nil {", "if false {\n\t\tvar err error", "internal/flow TestAKeyThatOthersMayChooseIsRefused/sqlite"},
	{"a one-time password counts once", "who looks over a shoulder signs in too (S38)", "internal/identity/totp.go",
		"&& step > last &&", "&&", "internal/identity TestTwoFactors/sqlite"},
	{"the shop is set up once", "a second owner (S35)", "internal/identity/setup.go", "	if !open {\n		return no[Opened](errSetUp)", "	if !open && email == \"\" {\n		return no[Opened](errSetUp)", "internal/identity TestFirstStart/sqlite"},
	{"forms of other sites are refused", "another site acts in the shopper's name (S43)", "internal/web/web.go", "if err := s.csrf.Check(r); err != nil {", "if err := s.csrf.Check(r); err != nil && r == nil {",
		"internal/web TestCrossSiteFormsAreRefused"},
	{"the same in the console", "another site acts in the name of staff (S43)", "internal/web/console/serve.go", "if err := c.csrf.Check(v.r); err != nil {",
		"if err := c.csrf.Check(v.r); err != nil && v == nil {", "internal/web/console TestAnotherSiteIsRefused"},
	{"the API asks for an order's secret", "anybody reads anybody's codes (S32, I24)", "internal/api/audience.go", "if a.Flows.Keys.CheckLink(string(o), c.token) {",
		"if c.token != \"\" {", "internal/api TestNobodyReachesWhatIsAnothers"},
	{"the account named in a notice", "a payment to somebody else counts (P4, S23)", "internal/api/notices.go", "Account: n.Account == g.Account()}", "Account: true}",
		"e2e/laws TestNoticesAreAnsweredAsTheyWereTaken/sqlite"},
	{"a notice about nothing known is to come again", "a payment that was told too early is lost (P8)", "internal/api/notices.go", "case done.Verdict == payment.Unknown:",
		"case done.Verdict == payment.Unknown && err != nil:", "e2e/laws TestNoticesAreAnsweredAsTheyWereTaken/sqlite"},
}
