package api

import (
	"net/http"

	"hufu/internal/identity"
)

const (
	get    = http.MethodGet
	post   = http.MethodPost
	put    = http.MethodPut
	remove = http.MethodDelete
)

// table lists every operation: where it lies, who may call it, and what happens when it is
// called twice. What isn't here isn't served.
var table = []spec{
	// The shop.
	{Name: "list-offers", Method: get, Path: "/offers", For: Everyone, Repeat: Reads, Summary: "List and search the offers on the shelves"},
	{Name: "get-offer", Method: get, Path: "/offers/{offer}", For: Everyone, Repeat: Reads, Summary: "Look at an offer with everything to be known before paying", Faults: "order.no_offer"},
	{Name: "join-room", Method: post, Path: "/offers/{offer}/ticket", For: Shopper, Repeat: Natural, Why: "a place is drawn once for a device; one asked for later stands behind the first", Summary: "Line up for an offer that has a waiting room",
		Faults: "order.no_offer room.none room.often"},
	{Name: "room-standing", Method: get, Path: "/offers/{offer}/ticket", For: Everyone, Repeat: Reads, Summary: "How a place in a waiting room stands; ask every two to four seconds", Faults: "order.no_offer room.none room.ticket"},
	{Name: "list-gateways", Method: get, Path: "/gateways", For: Everyone, Repeat: Reads, Summary: "List the ways to pay"},
	{Name: "quote-order", Method: post, Path: "/quotes", For: Shopper, Repeat: Reads, Summary: "Ask what an order would cost, and why, and what it means for what one holds", Faults: quoteFaults + " order.picks order.picks_later order.picks_unknown"},

	// Orders.
	{Name: "place-order", Method: post, Path: "/orders", For: Shopper, Repeat: Keyed, Status: http.StatusCreated, Summary: "Place an order",
		Faults: quoteFaults + " order.limit order.limit_who order.sold_out order.option_sold_out order.price_changed order.terms order.release_over order.picks order.picks_later order.picks_unknown order.conflict order.conflict_unread order.conflict_changed order.gateway room.wait room.ticket room.over room.used request.short_key identity.phone identity.email"},
	{Name: "get-order", Method: get, Path: "/orders/{id}", For: Holder, Repeat: Reads, Summary: "Look at an order", Faults: "order.not_found"},
	{Name: "cancel-order", Method: post, Path: "/orders/{id}/cancel", For: Holder, Repeat: Natural, Why: "a cancelled order stays cancelled and is answered as it stands",
		Summary: "Cancel an order that isn't paid", Faults: "order.not_found order.paid order.closed order.unknown"},
	{Name: "pay-order", Method: post, Path: "/orders/{id}/pay", For: Member, Repeat: Natural, Why: "an order is paid once and then answered as it stands",
		Summary: "Pay an order out of the member's balance", Faults: "order.not_found order.gateway order.closed order.unmatched ledger.insufficient"},
	{Name: "poll-order", Method: post, Path: "/orders/{id}/poll", For: Holder, Repeat: Natural, Why: "a payment is booked once, however often it is asked about",
		Summary: "Ask the payment channel whether an order was paid", Faults: "order.not_found"},
	{Name: "order-events", Method: get, Path: "/orders/{id}/events", For: Holder, Repeat: Reads, Summary: "Be told when an order changes (server-sent events)", Faults: "order.not_found"},
	{Name: "reveal-codes", Method: post, Path: "/orders/{id}/reveal", For: Holder, Repeat: Natural, Why: "each showing shows the same and is a step on the right's path",
		Summary: "Show an order's codes", Faults: "order.not_found right.confirm right.none right.state.used right.state.suspended right.state.expired right.state.refunded"},
	{Name: "check-option", Method: post, Path: "/orders/{id}/rights/{right}/check", For: Holder, Repeat: Reads,
		Summary: "Ask what a pick would mean for what the right's owner holds", Faults: "order.not_found right.not_found right.no_choice right.not_released order.picks"},
	{Name: "choose-option", Method: post, Path: "/orders/{id}/rights/{right}/choose", For: Holder, Repeat: Natural, Why: "the same pick again is answered as the first was, and another is refused",
		Summary: "Pick the options of a choice that was left for later", Faults: "order.not_found right.not_found right.no_choice right.not_released right.chosen right.option_sold_out right.conflict right.conflict_unread right.conflict_changed order.picks"},
	{Name: "activate-right", Method: post, Path: "/orders/{id}/rights/{right}/activate", For: Holder, Repeat: Natural, Why: "a right begins once",
		Summary: "Begin the validity of a right that counts from its activation", Faults: "order.not_found right.not_found right.not_activated_so right.state.waiting right.state.used right.state.suspended right.state.expired right.state.refunded"},
	{Name: "list-order-rights", Method: get, Path: "/orders/{id}/rights", For: Holder, Repeat: Reads, Summary: "List what an order gave", Faults: "order.not_found"},
	{Name: "order-right-path", Method: get, Path: "/orders/{id}/rights/{right}", For: Holder, Repeat: Reads, Summary: "Follow the path of a right, and check its chain of hashes", Faults: "order.not_found right.not_found"},
	{Name: "send-lookup-code", Method: post, Path: "/lookups/codes", For: Everyone, Repeat: Natural, Why: "each code is meant to be sent, and a limit bounds how many", Status: http.StatusAccepted,
		Summary: "Send a one-time code to the contact that orders were placed with", Faults: "identity.phone identity.email"},
	{Name: "look-up-orders", Method: post, Path: "/lookups", For: Everyone, Repeat: Natural, Why: "a one-time code works once", Summary: "Get a guest's orders, with their tokens, for a one-time code", Faults: "identity.code"},

	// Members.
	{Name: "send-sign-in-code", Method: post, Path: "/member/codes", For: Everyone, Repeat: Natural, Why: "each code is meant to be sent, and a limit bounds how many", Status: http.StatusAccepted,
		Summary: "Send a one-time code to a phone number or e-mail address", Faults: "identity.phone identity.email"},
	{Name: "sign-in-member", Method: post, Path: "/member/sessions", For: Everyone, Repeat: Natural, Why: "a one-time code works once", Status: http.StatusCreated,
		Summary: "Sign a member in with a one-time code", Faults: "identity.code"},
	{Name: "sign-out-member", Method: remove, Path: "/member/session", For: Member, Repeat: Natural, Why: "a session ends once", Summary: "End the session"},
	{Name: "get-member", Method: get, Path: "/member", For: Member, Repeat: Reads, Summary: "Who is signed in, and the balances"},
	{Name: "list-member-orders", Method: get, Path: "/member/orders", For: Member, Repeat: Reads, Summary: "List the member's orders"},
	{Name: "list-member-rights", Method: get, Path: "/member/rights", For: Member, Repeat: Reads, Summary: "List what the member holds"},
	{Name: "member-right-path", Method: get, Path: "/member/rights/{right}", For: Member, Repeat: Reads, Summary: "Follow the path of one of the member's rights", Faults: "right.not_found"},

	// The staff's sessions.
	{Name: "sign-in-staff", Method: post, Path: "/staff/sessions", For: Everyone, Repeat: Natural, Why: "it gives a session of its own each time", Status: http.StatusCreated,
		Summary: "Begin a session with e-mail address and password", Faults: "identity.sign_in"},
	{Name: "second-factor", Method: post, Path: "/staff/session/second", For: Step, Repeat: Natural, Why: "a code of the second factor works once", Summary: "Complete the sign-in with a code of the authenticator app", Faults: "identity.second"},
	{Name: "start-enrolment", Method: post, Path: "/staff/session/enrolment", For: Step, Repeat: Natural, Why: "it gives the same secret until that is confirmed", Summary: "Set up an authenticator app"},
	{Name: "finish-enrolment", Method: post, Path: "/staff/session/enrolment/confirm", For: Step, Repeat: Natural, Why: "a code of the second factor works once",
		Summary: "Confirm the authenticator app with its first code", Faults: "identity.second"},
	{Name: "confirm-session", Method: post, Path: "/staff/session/confirm", For: Staff, Repeat: Natural, Why: "a code of the second factor works once", Summary: "Prove once more who you are, for sensitive acts", Faults: "identity.second"},
	{Name: "get-session", Method: get, Path: "/staff/session", For: Step, Repeat: Reads, Summary: "Who is signed in, and what they may do"},
	{Name: "sign-out-staff", Method: remove, Path: "/staff/session", For: Step, Repeat: Natural, Why: "a session ends once", Summary: "End the session"},

	// Catalogue.
	{Name: "list-benefit-kinds", Method: get, Path: "/staff/benefit-kinds", For: Staff, Right: identity.CatalogueView, Repeat: Reads, Summary: "List the kinds of benefit, with what each carries and waits for"},
	{Name: "list-benefits", Method: get, Path: "/staff/benefits", For: Staff, Right: identity.CatalogueView, Repeat: Reads, Summary: "List the benefits"},
	{Name: "get-benefit", Method: get, Path: "/staff/benefits/{benefit}", For: Staff, Right: identity.CatalogueView, Repeat: Reads, Summary: "Look at a benefit", Faults: "catalogue.no_benefit"},
	{Name: "create-benefit", Method: post, Path: "/staff/benefits", For: Staff, Right: identity.CatalogueEdit, Repeat: Keyed, Status: http.StatusCreated, MaxBody: 256 << 10, Summary: "Add a benefit", Faults: "catalogue.content catalogue.slug_taken vault.stock"},
	{Name: "save-benefit", Method: put, Path: "/staff/benefits/{benefit}", For: Staff, Right: identity.CatalogueEdit, Repeat: Keyed, MaxBody: 256 << 10, Summary: "Save a new version of a benefit",
		Faults: "catalogue.content catalogue.no_benefit catalogue.edited catalogue.slug_taken"},
	{Name: "staff-list-offers", Method: get, Path: "/staff/offers", For: Staff, Right: identity.CatalogueView, Repeat: Reads, Summary: "List the offers in whatever state"},
	{Name: "staff-get-offer", Method: get, Path: "/staff/offers/{offer}", For: Staff, Right: identity.CatalogueView, Repeat: Reads, Summary: "Look at an offer and its working copy", Faults: "catalogue.no_offer"},
	{Name: "create-offer", Method: post, Path: "/staff/offers", For: Staff, Right: identity.CatalogueEdit, Repeat: Keyed, Status: http.StatusCreated, MaxBody: 256 << 10, Summary: "Add a draft offer",
		Faults: "catalogue.content catalogue.slug_taken"},
	{Name: "save-offer", Method: put, Path: "/staff/offers/{offer}", For: Staff, Right: identity.CatalogueEdit, Repeat: Keyed, MaxBody: 256 << 10, Summary: "Save an offer's working copy and selling time",
		Faults: "catalogue.content catalogue.no_offer catalogue.edited"},
	{Name: "publish-offer", Method: post, Path: "/staff/offers/{offer}/publish", For: Staff, Right: identity.CatalogueEdit, Repeat: Keyed, Summary: "Freeze the working copy as the version that is sold",
		Faults: "catalogue.content catalogue.no_offer catalogue.edited"},
	{Name: "set-offer-state", Method: post, Path: "/staff/offers/{offer}/state", For: Staff, Right: identity.CatalogueEdit, Repeat: Keyed, Summary: "Put an offer on sale, pause it, archive it",
		Faults: "catalogue.content catalogue.no_offer catalogue.edited catalogue.state catalogue.unpublished"},
	{Name: "list-offer-versions", Method: get, Path: "/staff/offers/{offer}/versions", For: Staff, Right: identity.CatalogueView, Repeat: Reads, Summary: "List an offer's versions", Faults: "catalogue.no_offer"},
	{Name: "compare-offer-versions", Method: get, Path: "/staff/offers/{offer}/differences", For: Staff, Right: identity.CatalogueView, Repeat: Reads, Summary: "In what two versions of an offer differ, or the working copy from one", Faults: "catalogue.no_offer catalogue.no_version"},
	{Name: "schedule-offer", Method: post, Path: "/staff/offers/{offer}/schedule", For: Staff, Right: identity.CatalogueEdit, Repeat: Keyed, Summary: "Freeze the working copy as a version that takes over at a moment",
		Faults: "catalogue.content catalogue.no_offer catalogue.edited catalogue.schedule_first"},
	{Name: "unschedule-offer", Method: post, Path: "/staff/offers/{offer}/unschedule", For: Staff, Right: identity.CatalogueEdit, Repeat: Keyed, Summary: "Give up the version that is scheduled", Faults: "catalogue.no_offer catalogue.edited catalogue.nothing_scheduled"},
	{Name: "duplicate-offer", Method: post, Path: "/staff/offers/{offer}/duplicate", For: Staff, Right: identity.CatalogueEdit, Repeat: Keyed, Status: http.StatusCreated, Summary: "Add a draft with the content of an offer",
		Faults: "catalogue.content catalogue.no_offer catalogue.slug_taken"},
	{Name: "check-offer", Method: get, Path: "/staff/offers/{offer}/conflicts", For: Staff, Right: identity.CatalogueView, Repeat: Reads, Summary: "What the parts of a working copy mean for one another", Faults: "catalogue.no_offer"},
	{Name: "check-rule", Method: post, Path: "/staff/rules/check", For: Staff, Right: identity.CatalogueView, Repeat: Natural, Why: "it changes nothing", Summary: "What an issuing rule says, or why a text can't be one, with places"},
	{Name: "preview-rules", Method: post, Path: "/staff/rules/preview", For: Staff, Right: identity.CatalogueView, Repeat: Natural, Why: "it changes nothing; each look at samples is on record",
		Summary: "Who of all customers would qualify by rules, and what leaves out the others", Faults: "catalogue.content"},
	{Name: "list-relations", Method: get, Path: "/staff/relations", For: Staff, Right: identity.CatalogueView, Repeat: Reads, Summary: "List the relations between benefits"},
	{Name: "create-relation", Method: post, Path: "/staff/relations", For: Staff, Right: identity.CatalogueEdit, Repeat: Keyed, Status: http.StatusCreated, Summary: "Declare a relation between benefits; purchases are judged by it at once",
		Faults: "catalogue.content catalogue.relation_taken"},
	{Name: "save-relation", Method: put, Path: "/staff/relations/{relation}", For: Staff, Right: identity.CatalogueEdit, Repeat: Keyed, Summary: "Change a relation", Faults: "catalogue.content catalogue.no_relation catalogue.edited"},
	{Name: "remove-relation", Method: post, Path: "/staff/relations/{relation}/remove", For: Staff, Right: identity.CatalogueEdit, Repeat: Keyed, Status: http.StatusNoContent, Summary: "Take a relation away", Faults: "catalogue.no_relation catalogue.edited"},
	{Name: "export-catalogue", Method: get, Path: "/staff/catalogue", For: Staff, Right: identity.CatalogueView, Repeat: Reads, Summary: "Download the catalogue as a file that import-catalogue takes: JSON, or tables to be edited in a spreadsheet",
		Faults: "catalogue.format catalogue.no_offer"},
	{Name: "import-catalogue", Method: post, Path: "/staff/catalogue", For: Staff, Right: identity.CatalogueEdit, Repeat: Natural, Why: "what is as the file says is left alone", MaxBody: maxCatalogue,
		Summary: "Bring the catalogue to what a file says, all of it or none; or find out what would happen", Faults: "catalogue.file catalogue.slug_taken catalogue.edited stock.name_taken"},

	// Stock.
	{Name: "list-stocks", Method: get, Path: "/staff/stocks", For: Staff, Right: identity.StockView, Repeat: Reads, Summary: "List the stocks"},
	{Name: "get-stock", Method: get, Path: "/staff/stocks/{stock}", For: Staff, Right: identity.StockView, Repeat: Reads, Summary: "Look at a stock", Faults: "stock.not_found"},
	{Name: "create-stock", Method: post, Path: "/staff/stocks", For: Staff, Right: identity.StockEdit, Repeat: Keyed, Status: http.StatusCreated, Summary: "Add a stock", Faults: "stock.name_taken stock.invalid naming.hidden"},
	{Name: "receive-stock", Method: post, Path: "/staff/stocks/{stock}/receive", For: Staff, Right: identity.StockEdit, Repeat: Keyed, Summary: "Receive units of a counted stock", Faults: "stock.not_found stock.counted"},
	{Name: "set-low-mark", Method: put, Path: "/staff/stocks/{stock}/low-mark", For: Staff, Right: identity.StockEdit, Repeat: Keyed, Summary: "Set below how many units somebody is told", Faults: "stock.not_found"},
	{Name: "list-allotments", Method: get, Path: "/staff/stocks/{stock}/allotments", For: Staff, Right: identity.StockView, Repeat: Reads, Summary: "List a stock's allotments", Faults: "stock.not_found"},
	{Name: "change-allotment", Method: post, Path: "/staff/stocks/{stock}/allotments", For: Staff, Right: identity.StockEdit, Repeat: Keyed, Summary: "Move units between the channels of a stock", Faults: "stock.not_found allotment.invalid allotment.too_few allotment.below_out allotment.none allotment.reason"},
	{Name: "begin-edition", Method: put, Path: "/staff/stocks/{stock}/edition", For: Staff, Right: identity.StockEdit, Repeat: Keyed, Summary: "Number the units of a counted stock", Faults: "stock.not_found edition.counted edition.begun edition.invalid edition.sold edition.size"},
	{Name: "get-edition", Method: get, Path: "/staff/stocks/{stock}/edition", For: Staff, Right: identity.StockView, Repeat: Reads, Summary: "Look at a stock's edition", Faults: "edition.none"},
	{Name: "close-edition", Method: post, Path: "/staff/stocks/{stock}/edition/close", For: Staff, Right: identity.StockEdit, Repeat: Keyed, Summary: "Close an edition for good and tell its lot's seed", Faults: "edition.none edition.closed edition.reserved"},

	// Codes.
	{Name: "list-batches", Method: get, Path: "/staff/batches", For: Staff, Right: identity.StockView, Repeat: Reads, Summary: "List batches of codes"},
	{Name: "get-batch", Method: get, Path: "/staff/batches/{batch}", For: Staff, Right: identity.StockView, Repeat: Reads, Summary: "Look at a batch", Faults: "vault.batch_unknown"},
	{Name: "list-batch-codes", Method: get, Path: "/staff/batches/{batch}/codes", For: Staff, Right: identity.StockView, Repeat: Reads, Summary: "List a batch's codes, masked", Faults: "vault.batch_unknown"},
	{Name: "generate-codes", Method: post, Path: "/staff/batches", For: Staff, Right: identity.CodeImport, Repeat: Keyed, Status: http.StatusAccepted, Summary: "Generate codes of our own",
		Faults: "vault.count vault.stock vault.expires_past vault.format_prefix vault.format_group vault.format_bits vault.format_machine vault.batch_name vault.batch_issuer naming.hidden"},
	{Name: "resume-batch", Method: post, Path: "/staff/batches/{batch}/resume", For: Staff, Right: identity.CodeImport, Repeat: Natural, Why: "a batch never gets more codes than its size", Status: http.StatusAccepted,
		Summary: "Go on with a generation that ended early", Faults: "vault.batch_unknown vault.batch_not_filling"},
	{Name: "undo-batch", Method: post, Path: "/staff/batches/{batch}/undo", For: Staff, Right: identity.CodeImport, Repeat: Natural, Why: "a batch that was taken back is answered as it stands",
		Summary: "Take a generated batch back while none of it is sold", Faults: "vault.batch_unknown vault.batch_not_undoable vault.batch_sold vault.code_reserved"},
	{Name: "void-codes", Method: post, Path: "/staff/codes/void", For: Staff, Right: identity.StockEdit, Repeat: Natural, Why: "a code that was voided is void for good", Fresh: true,
		Summary: "Take codes out of sale for good", Faults: "vault.reason vault.code_unknown vault.code_delivered vault.code_void vault.code_expired vault.code_reserved"},
	{Name: "find-code", Method: post, Path: "/staff/codes/find", For: Staff, Right: identity.StockView, Repeat: Reads, Summary: "Find the code that a text is, without opening any"},
	{Name: "staff-reveal-code", Method: post, Path: "/staff/codes/{code}/reveal", For: Staff, Right: identity.CodeReveal, Fresh: true, Repeat: Natural, Why: "each showing shows the same and is on record",
		Summary: "Show a code, for a reason that is kept", Faults: "vault.reason vault.code_unknown vault.reveals"},

	// Imports of codes.
	{Name: "list-imports", Method: get, Path: "/staff/imports", For: Staff, Right: identity.StockView, Repeat: Reads, Summary: "List imports of codes"},
	{Name: "get-import", Method: get, Path: "/staff/imports/{import}", For: Staff, Right: identity.StockView, Repeat: Reads, Summary: "See how far an import has come", Faults: "vault.import_unknown"},
	{Name: "create-import", Method: post, Path: "/staff/imports", For: Staff, Right: identity.CodeImport, Repeat: Keyed, Status: http.StatusCreated, MaxBody: maxImport,
		Summary: "Upload a supplier's file of codes: as it is, or as the part file of a form", Faults: importFileFaults},
	{Name: "sample-import", Method: get, Path: "/staff/imports/{import}/sample", For: Staff, Right: identity.CodeImport, Repeat: Reads, Summary: "See an uploaded file's columns and first rows, masked", Faults: "vault.import_unknown"},
	{Name: "check-import", Method: post, Path: "/staff/imports/{import}/check", For: Staff, Right: identity.CodeImport, Repeat: Natural, Why: "a check writes no code and may be done again",
		Summary: "Count what an import would do (dry run)", Faults: importFaults},
	{Name: "run-import", Method: post, Path: "/staff/imports/{import}/run", For: Staff, Right: identity.CodeImport, Repeat: Natural, Why: "an import runs once", Summary: "Take the codes in", Faults: importFaults},
	{Name: "pause-import", Method: post, Path: "/staff/imports/{import}/pause", For: Staff, Right: identity.CodeImport, Repeat: Natural, Why: "a paused import is paused", Summary: "Let an import rest", Faults: importFaults},
	{Name: "resume-import", Method: post, Path: "/staff/imports/{import}/resume", For: Staff, Right: identity.CodeImport, Repeat: Natural, Why: "an import goes on once", Summary: "Go on with a paused import", Faults: importFaults},
	{Name: "cancel-import", Method: post, Path: "/staff/imports/{import}/cancel", For: Staff, Right: identity.CodeImport, Repeat: Natural, Why: "an import is given up once", Summary: "Give an import up", Faults: importFaults},
	{Name: "undo-import", Method: post, Path: "/staff/imports/{import}/undo", For: Staff, Right: identity.CodeImport, Repeat: Natural, Why: "an import is taken back once",
		Summary: "Take an import back while none of it is sold", Faults: importFaults},
	{Name: "list-import-problems", Method: get, Path: "/staff/imports/{import}/problems", For: Staff, Right: identity.CodeImport, Repeat: Reads, Summary: "List the first problems of a file: row, column, cause, remedy", Faults: "vault.import_unknown"},
	{Name: "import-error-file", Method: get, Path: "/staff/imports/{import}/errors.csv", For: Staff, Right: identity.CodeImport, Fresh: true, Repeat: Reads, Summary: "Download every row with a problem, as a table to be corrected", Faults: importFaults},

	// Orders, for the staff.
	{Name: "staff-list-orders", Method: get, Path: "/staff/orders", For: Staff, Right: identity.OrderView, Repeat: Reads, Summary: "List and search orders", Faults: "identity.phone"},
	{Name: "staff-get-order", Method: get, Path: "/staff/orders/{id}", For: Staff, Right: identity.OrderView, Repeat: Reads, Summary: "Look at an order with its payments, refunds and rights", Faults: "order.not_found"},
	{Name: "order-time-line", Method: get, Path: "/staff/orders/{id}/timeline", For: Staff, Right: identity.OrderView, Repeat: Reads, Summary: "Everything that happened to an order, in order", Faults: "order.not_found"},
	{Name: "staff-poll-order", Method: post, Path: "/staff/orders/{id}/poll", For: Staff, Right: identity.OrderView, Repeat: Natural, Why: "a payment is booked once, however often it is asked about",
		Summary: "Ask the payment channel what became of an order's payment", Faults: "order.not_found"},
	{Name: "staff-cancel-order", Method: post, Path: "/staff/orders/{id}/cancel", For: Staff, Right: identity.ExceptionClose, Repeat: Natural, Why: "a cancelled order stays cancelled",
		Summary: "Cancel an order that isn't paid", Faults: "order.not_found order.paid order.closed order.unknown"},
	{Name: "unmask-order", Method: post, Path: "/staff/orders/{id}/contact", For: Staff, Right: identity.CustomerUnmask, Repeat: Natural, Why: "each look is on record",
		Summary: "See an order's contact in full, for a reason that is kept", Faults: "order.not_found identity.reason"},
	{Name: "staff-right-path", Method: get, Path: "/staff/rights/{right}", For: Staff, Right: identity.OrderView, Repeat: Reads, Summary: "Follow the path of a right, and check its chain of hashes", Faults: "right.not_found"},
	{Name: "list-exceptions", Method: get, Path: "/staff/exceptions", For: Staff, Right: identity.OrderView, Repeat: Reads, Summary: "List what needs a person, the oldest first"},
	{Name: "close-exception", Method: post, Path: "/staff/exceptions/{case}/close", For: Staff, Right: identity.ExceptionClose, Repeat: Keyed, Summary: "Close a case with a note; one about money that is to go back closes by itself once it has",
		Faults: "exception.not_found exception.closed exception.refund_first exception.owed"},

	// Money.
	{Name: "list-accounts", Method: get, Path: "/staff/ledger/accounts", For: Staff, Right: identity.LedgerView, Repeat: Reads, Summary: "List the ledger's accounts and their balances"},
	{Name: "get-account", Method: get, Path: "/staff/ledger/accounts/{account}", For: Staff, Right: identity.LedgerView, Repeat: Reads, Summary: "See an account's transfers, the newest first", Faults: "ledger.no_account"},
	{Name: "refund-capture", Method: post, Path: "/staff/captures/{capture}/refund", For: Staff, Right: identity.OrderRefund, Fresh: true, Repeat: Natural, Why: "money in suspense goes back once, and its refund is answered as it stands",
		Summary: "Send money in suspense back the way it came, all of it, for a reason that is kept", Faults: "refund.no_capture refund.applied refund.reason refund.exceeds refund.silent refund.told"},
	{Name: "refund-again", Method: post, Path: "/staff/refunds/{refund}/again", For: Staff, Right: identity.OrderRefund, Fresh: true, Repeat: Natural, Why: "one refund stands in for a failed one, and is answered as it stands",
		Summary: "Send a refund that failed once more, for a reason that is kept. Its channel is asked first: what it made after all is booked and not sent again", Faults: "refund.not_found refund.reason refund.silent refund.told refund.exceeds"},
	{Name: "refund-by-hand", Method: post, Path: "/staff/refunds/{refund}/paid", For: Staff, Right: identity.OrderRefund, Fresh: true, Repeat: Natural, Why: "a refund is paid once; with the same reference it is answered as it stands",
		Summary: "Record that you paid a refund that failed, with the reference of what you paid", Faults: "refund.not_found refund.reason refund.way refund.reference refund.done refund.under_way refund.replaced refund.told refund.exceeds"},
	{Name: "credit-balance", Method: post, Path: "/staff/customers/{party}/credits", For: Staff, Right: identity.OrderRefund, Fresh: true, Repeat: Natural, Why: "its reference is booked once", Status: http.StatusCreated,
		Summary: "Raise a member's prepaid balance", Faults: "not_found ledger.amount ledger.reason ledger.reference naming.hidden"},

	// People.
	{Name: "get-customer", Method: get, Path: "/staff/customers/{party}", For: Staff, Right: identity.OrderView, Repeat: Reads, Summary: "Look at a member, masked, with their balances", Faults: "not_found"},
	{Name: "set-customer-traits", Method: put, Path: "/staff/customers/{party}/traits", For: Staff, Right: identity.CustomerEdit, Repeat: Keyed, Summary: "Give a member a level, tags and a region, which rules may ask for", Faults: "not_found identity.traits"},
	{Name: "list-customer-orders", Method: get, Path: "/staff/customers/{party}/orders", For: Staff, Right: identity.OrderView, Repeat: Reads, Summary: "List a member's orders", Faults: "not_found"},
	{Name: "unmask-customer", Method: post, Path: "/staff/customers/{party}/contact", For: Staff, Right: identity.CustomerUnmask, Repeat: Natural, Why: "each look is on record",
		Summary: "See a member's contact in full, for a reason that is kept", Faults: "not_found identity.reason"},
	{Name: "disable-customer", Method: post, Path: "/staff/customers/{party}/disable", For: Staff, Right: identity.CustomerUnmask, Repeat: Keyed, Summary: "Let a member sign in no more", Faults: "not_found"},
	{Name: "enable-customer", Method: post, Path: "/staff/customers/{party}/enable", For: Staff, Right: identity.CustomerUnmask, Repeat: Keyed, Summary: "Let a disabled member sign in again", Faults: "not_found"},
	{Name: "list-staff", Method: get, Path: "/staff/members", For: Staff, Right: identity.StaffManage, Repeat: Reads, Summary: "List the staff"},
	{Name: "invite-staff", Method: post, Path: "/staff/members", For: Staff, Right: identity.StaffManage, Fresh: true, Repeat: Keyed, Status: http.StatusCreated, Summary: "Invite somebody to the staff",
		Faults: "identity.email identity.role identity.role_none identity.email_taken"},
	{Name: "set-staff-roles", Method: put, Path: "/staff/members/{party}/roles", For: Staff, Right: identity.StaffManage, Fresh: true, Repeat: Keyed, Summary: "Change what a member of the staff may do, from their next request on",
		Faults: "not_found identity.role identity.role_none identity.last_owner"},
	{Name: "reset-staff", Method: post, Path: "/staff/members/{party}/reset", For: Staff, Right: identity.StaffManage, Fresh: true, Repeat: Keyed, Status: http.StatusCreated, Summary: "Make a link for a new password and second factor", Faults: "not_found"},
	{Name: "disable-staff", Method: post, Path: "/staff/members/{party}/disable", For: Staff, Right: identity.StaffManage, Fresh: true, Repeat: Keyed, Summary: "End somebody's sessions and let them sign in no more", Faults: "not_found identity.last_owner"},
	{Name: "enable-staff", Method: post, Path: "/staff/members/{party}/enable", For: Staff, Right: identity.StaffManage, Fresh: true, Repeat: Keyed, Summary: "Let a disabled member of the staff sign in again", Faults: "not_found"},
	{Name: "allow-reveals", Method: post, Path: "/staff/members/{party}/reveals", For: Staff, Right: identity.CodeReveal, Fresh: true, Repeat: Keyed,
		Summary: "Let another member of the staff see more codes this hour, for a reason that is kept", Faults: "not_found vault.reason vault.reveals_own"},

	// The system.
	{Name: "list-audit", Method: get, Path: "/staff/audit", For: Staff, Right: identity.AuditView, Repeat: Reads, Summary: "Read the audit trail, the newest first, or all of one subject"},
	{Name: "verify-audit", Method: get, Path: "/staff/audit/verification", For: Staff, Right: identity.AuditView, Repeat: Reads, Summary: "Check the audit trail's chain of hashes"},
	{Name: "verify-invariants", Method: get, Path: "/staff/verification", For: Staff, Right: identity.SystemView, Repeat: Reads, Summary: "Check every invariant of the whole database"},
	{Name: "list-notifications", Method: get, Path: "/staff/notifications", For: Staff, Right: identity.NoticeView, Repeat: Reads, Summary: "List the messages sent, the newest first"},
	{Name: "list-settings", Method: get, Path: "/staff/settings", For: Staff, Right: identity.SettingsEdit, Repeat: Reads, Summary: "List the settings"},
	{Name: "change-setting", Method: put, Path: "/staff/settings/{name}", For: Staff, Right: identity.SettingsEdit, Fresh: true, Repeat: Keyed, Summary: "Change a setting; one that limits the staff is raised once two persons have asked for the same value", Faults: "setting.unknown setting.value"},
	{Name: "get-system", Method: get, Path: "/staff/system", For: Staff, Right: identity.SystemView, Repeat: Reads, Summary: "How the system is"},
}

const (
	quoteFaults      = "order.no_offer order.not_yet order.paused order.quantity order.lines order.offer_twice order.too_much order.currencies"
	importFaults     = "vault.import_unknown vault.import_state vault.import_lost vault.mapping_missing vault.mapping_column vault.mapping_twice vault.import_zone vault.import_heading vault.import_columns vault.batch_issuer vault.batch_name naming.hidden vault.batch_sold vault.code_reserved"
	importFileFaults = "vault.stock vault.batch_issuer vault.batch_name naming.hidden vault.import_large vault.import_upload vault.import_zone tabular.empty tabular.too_large tabular.truncated tabular.damaged tabular.not_a_table tabular.old_excel tabular.charset tabular.bomb tabular.unsafe_path tabular.encrypted tabular.sheet_missing"
)
