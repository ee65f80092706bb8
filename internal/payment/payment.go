package payment

import (
	"time"

	"hufu/internal/id"
	"hufu/internal/money"
)

// IntentState is where an attempt to pay stands.
type IntentState string

// The states of an intent.
const (
	Pending  IntentState = "pending"
	Captured IntentState = "captured"
	Closed   IntentState = "closed"
)

// Balance is the "gateway" of prepaid balances: money that is already in the ledger.
const Balance = "balance"

// Intent is one attempt to have an order paid at one gateway. Its id is the merchant's
// order number there.
type Intent struct {
	ID        id.Intent
	Order     id.Order
	Gateway   string
	Amount    money.Amount
	State     IntentState
	CreatedAt time.Time
	ExpiresAt time.Time
	PolledAt  time.Time
}

// Capture is money that has arrived.
type Capture struct {
	ID         id.Capture
	Provider   string
	Txn        string // the provider's number of the transaction
	Intent     id.Intent
	Order      id.Order
	Amount     money.Amount
	Applied    bool   // false: in suspense
	Reason     string // why in suspense
	OccurredAt time.Time
	BookedAt   time.Time
}

// Notice is a gateway's message, verified, and as received.
type Notice struct {
	ID         id.Notice
	Provider   string
	Event      string // the provider's number of the message
	Intent     id.Intent
	Outcome    string // what came of it; see package flow
	Header     string
	Body       []byte
	ReceivedAt time.Time
}

// RefundState is where a refund stands.
type RefundState string

// The states of a refund. Sent means that the gateway has it or may have it: it is asked,
// and sent again only under the same number. Failed means that the gateway definitely moved
// no money: another refund may stand in for it, under a number of its own.
const (
	RefundWaiting RefundState = "waiting"
	RefundSent    RefundState = "sent"
	RefundDone    RefundState = "done"
	RefundFailed  RefundState = "failed"
)

// Refund is money that goes back. Its id is its number at the gateway.
type Refund struct {
	ID        id.Refund
	Order     id.Order
	Line      id.Line // "" when the whole capture goes back
	Capture   id.Capture
	Provider  string
	Quantity  int64
	Amount    money.Amount
	State     RefundState
	Reason    string
	Attempts  int64
	NextAt    time.Time
	Fence     int64
	Note      string
	CreatedBy string
	CreatedAt time.Time
	DoneAt    time.Time
	FailedAt  time.Time
	Again     id.Refund // the failed one that it stands in for, "" for none
	ByHand    Way       // how a person paid it, "" when its provider did
	Reference string    // of what a person paid
}

// Way is how a person pays a refund that its provider failed to make.
type Way string

// The ways to pay by hand.
const (
	ByBank    Way = "bank"    // out of the shop's bank account
	ByGateway Way = "gateway" // at the gateway's own console, out of what it holds
)

// Known reports whether w is one of the ways.
func (w Way) Known() bool { return w == ByBank || w == ByGateway }

// RetryRefund is how long to wait before a refund without a final answer is tried again:
// 5 s, doubling, at most an hour.
func RetryRefund(attempts int64) time.Duration {
	return min(5*time.Second<<min(max(attempts-1, 0), 10), time.Hour)
}
