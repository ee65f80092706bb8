package gateway

import (
	"slices"
	"time"
)

// The states of a trade and of a refund, as they stand on the wire.
const (
	stateOpen       = "OPEN"     // the cashier was opened; UNPAID on the wire
	statePayError   = "PAYERROR" // an attempt failed; may be paid
	statePaid       = "PAID"
	stateClosed     = "CLOSED"
	stateProcessing = "PROCESSING"
	stateDone       = "DONE"
	stateFailed     = "FAILED"
)

// trade is one order number of one merchant. A stored trade is never changed: a change makes
// a copy, which replaces it once it is on disk.
type trade struct {
	Seq        int       `json:"seq"` // the n-th trade of this gateway, from 1
	MerchantID string    `json:"merchant_id"`
	OutTradeNo string    `json:"out_trade_no"`
	Subject    string    `json:"subject,omitempty"`
	Amount     int64     `json:"amount,omitempty"` // zero for a number closed before its link was opened
	Currency   string    `json:"currency,omitempty"`
	NotifyURL  string    `json:"notify_url,omitempty"`
	ReturnURL  string    `json:"return_url,omitempty"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
	State      string    `json:"state"`
	OpenedAt   time.Time `json:"opened_at"`
	ClosedAt   time.Time `json:"closed_at,omitzero"`
	Product    string    `json:"product,omitempty"` // by which call it was made: "native", "h5"
	Prepay     string    `json:"prepay,omitempty"`  // its name at the cashier, for protocols whose links aren't signed
	Payer      string    `json:"payer,omitempty"`   // the only account that may pay it
	Payments   []payment `json:"payments,omitempty"`
	Refunds    []refund  `json:"refunds,omitempty"`
}

// payment is money taken for a trade. There is a second one only when the fault "pay_twice" is on.
type payment struct {
	ID     string    `json:"id"`
	Amount int64     `json:"amount"`
	Fee    int64     `json:"fee"`
	Payer  string    `json:"payer,omitempty"` // the account that paid
	At     time.Time `json:"at"`
}

// refund is money given back of one payment.
type refund struct {
	No        string    `json:"no"`
	ID        string    `json:"id"`
	PaymentID string    `json:"payment_id"`
	Amount    int64     `json:"amount"`
	Fee       int64     `json:"fee"` // of the payment's fee, given back
	State     string    `json:"state"`
	At        time.Time `json:"at"`
	EndsAt    time.Time `json:"ends_at"`    // when a refund in PROCESSING ends
	EndsAs    string    `json:"ends_as"`    // DONE or FAILED
	NotifyURL string    `json:"notify_url"` // where its notices go
	Reason    string    `json:"reason,omitempty"`
}

type tradeKey struct{ merchant, number string }

func (t *trade) key() tradeKey { return tradeKey{t.MerchantID, t.OutTradeNo} }

func (t *trade) clone() *trade {
	c := *t
	c.Payments, c.Refunds = slices.Clone(t.Payments), slices.Clone(t.Refunds)
	return &c
}

// payable tells whether the cashier takes money. Late is the fault that takes it all the same
// after the end (P3).
func (t *trade) payable(now time.Time, late bool) bool {
	if t.Amount == 0 || t.State == statePaid {
		return false
	}
	return late || (t.State != stateClosed && now.Before(t.ExpiresAt))
}

func (t *trade) payment(id string) *payment {
	for i := range t.Payments {
		if t.Payments[i].ID == id || id == "" {
			return &t.Payments[i]
		}
	}
	return nil
}

func (t *trade) refundNo(no string) *refund {
	for i := range t.Refunds {
		if t.Refunds[i].No == no {
			return &t.Refunds[i]
		}
	}
	return nil
}

// refunded is what was given back of a payment: finished refunds alone, or also those under
// way, which bind the money just the same.
func (t *trade) refunded(paymentID string, underway bool) int64 {
	var sum int64
	for _, r := range t.Refunds {
		if r.PaymentID == paymentID && (r.State == stateDone || (underway && r.State == stateProcessing)) {
			sum += r.Amount
		}
	}
	return sum
}

// fee is the gateway's share of an amount, rounded half up to the minor unit. Quotient and
// remainder apart keep it from overflowing.
func fee(amount, basis int64) int64 {
	return amount/10_000*basis + (amount%10_000*basis+5_000)/10_000
}
