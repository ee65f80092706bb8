package id

// The kinds of identifier. They stand together because islands refer to one another's
// things by identifier only, and must not import one another to name them.
type (
	// Benefit names a promised right (权益).
	Benefit string
	// Offer names what is sold (商品).
	Offer string
	// OfferVersion names one frozen text and price of an offer; an order keeps it for ever.
	OfferVersion string
	// Stock names a counted supply (库存): a code pool, a number of seats, an edition.
	Stock string
	// Receipt names a change of what a counted stock has received or voided.
	Receipt string
	// Shift names a move of units between the allotments of a stock (配额).
	Shift string
	// Numbering names a step in the history of an edition's number (限量编号).
	Numbering string
	// Reservation names units of a stock held for an owner until an end (预占).
	Reservation string
	// Batch names codes that came together (批次).
	Batch string
	// Code names one card code (卡密).
	Code string
	// Order names a purchase.
	Order string
	// Line names one line of an order.
	Line string
	// Intent names one attempt to have an order paid.
	Intent string
	// Capture names money that has arrived for an intent.
	Capture string
	// Notice names a raw message of a payment gateway, kept as received.
	Notice string
	// Refund names money that goes back.
	Refund string
	// Right names what one person holds (entitlement).
	Right string
	// Event names a step in the path of a right (流转路径).
	Event string
	// Account names a ledger account (科目).
	Account string
	// Transfer names one movement between two ledger accounts.
	Transfer string
	// Checkpoint names a closed balance of an account.
	Checkpoint string
	// Party names a person or company: shopper, staff, agent.
	Party string
	// Session names a signed-in browser.
	Session string
	// Job names work to be done after a commit.
	Job string
	// Audit names a row of the audit trail.
	Audit string
	// Key names an encryption key of the vault.
	Key string
	// Import names a run of an import.
	Import string
	// Case names an entry of the exceptions queue.
	Case string
	// Notification names a message sent to a person.
	Notification string
)

func (Benefit) Prefix() string      { return "ben" }
func (Offer) Prefix() string        { return "ofr" }
func (OfferVersion) Prefix() string { return "ofv" }
func (Stock) Prefix() string        { return "stk" }
func (Receipt) Prefix() string      { return "rcp" }
func (Shift) Prefix() string        { return "sft" }
func (Numbering) Prefix() string    { return "num" }
func (Reservation) Prefix() string  { return "rsv" }
func (Batch) Prefix() string        { return "bat" }
func (Code) Prefix() string         { return "cod" }
func (Order) Prefix() string        { return "ord" }
func (Line) Prefix() string         { return "lin" }
func (Intent) Prefix() string       { return "pay" }
func (Capture) Prefix() string      { return "cap" }
func (Notice) Prefix() string       { return "ntc" }
func (Refund) Prefix() string       { return "rfd" }
func (Right) Prefix() string        { return "rgt" }
func (Event) Prefix() string        { return "evt" }
func (Account) Prefix() string      { return "acc" }
func (Transfer) Prefix() string     { return "trf" }
func (Checkpoint) Prefix() string   { return "ckp" }
func (Party) Prefix() string        { return "pty" }
func (Session) Prefix() string      { return "ses" }
func (Job) Prefix() string          { return "job" }
func (Audit) Prefix() string        { return "aud" }
func (Key) Prefix() string          { return "key" }
func (Import) Prefix() string       { return "imp" }
func (Case) Prefix() string         { return "cas" }
func (Notification) Prefix() string { return "msg" }
