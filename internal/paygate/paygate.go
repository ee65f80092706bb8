// Package paygate is the contract between Hufu and every payment gateway.
//
// The adapters (package sandbox, and one for each real channel) turn a channel's protocol
// into the values below, and nothing more: they hold no state of ours, write to no database
// and decide nothing about an order. This package has no network code, so flows may speak
// its words.
//
// Two habits keep money safe. A result whose truth isn't known is the value Unknown, which
// is also the zero value: whatever was forgotten, timed out or could not be verified reads
// as "ask again" and never as "failed". And nothing is believed that isn't signed by the
// channel, named as a success by the channel's own documents, and about the very order asked for.
package paygate

import (
	"context"
	"time"

	"hufu/internal/money"
)

// MaxNotice is the most bytes of a notice's body that are worth reading. The largest known
// real notice (Stripe's, with expanded objects) is far below it.
const MaxNotice = 256 << 10

// MaxMerchantNo is the longest order number every channel accepts (WeChat Pay's limit). An
// id.Intent has 30 characters.
const MaxMerchantNo = 32

// Header is the part of http.Header that verifying a notice needs.
type Header interface {
	// Values are all values of a header, by any case of its name.
	Values(name string) []string
}

// Gateway is one merchant account at one channel. Its methods may be called from many
// goroutines, bound their own time and sizes, follow no redirects and verify every answer.
type Gateway interface {
	// Name is the channel's name, the same in every installation: "sandbox", "wechat".
	Name() string

	// Account is the merchant account money arrives at, in the form in which Notice.Account,
	// Payment.Account and the bill name it.
	Account() string

	// Cashier prepares the page where the shopper pays. The intent must be committed
	// before it is called, since a notice may come before it returns.
	Cashier(ctx context.Context, c Charge) (Cashier, error)

	// ParseNotice verifies a notice and reads it. It makes no network call and never trusts
	// the address the notice was sent to. Whatever can't be verified is a fault of kind
	// Unauthenticated; what is verified but can't be read is one of kind Invalid; a key that
	// must be fetched first is one of kind Unavailable, and the channel will try again.
	ParseNotice(h Header, body []byte) (Notice, error)

	// Taken is the exact answer that makes the channel stop sending a notice. It is also the
	// answer to a duplicate.
	Taken() Reply

	// Refused is the answer that makes the channel send the notice again. It tells a
	// forger nothing.
	Refused() Reply

	// Query asks what became of a charge.
	Query(ctx context.Context, r Ref) Payment

	// Close asks that a charge can't be paid any more.
	Close(ctx context.Context, r Ref) Closing

	// Refund gives money back. It may be called again with the same request for ever: the
	// refund number makes it one refund.
	Refund(ctx context.Context, r RefundRequest) RefundResult

	// QueryRefund asks what became of a refund.
	QueryRefund(ctx context.Context, r RefundRef) RefundResult

	// SelfTest proves that the keys are strong enough and that the channel and we believe
	// each other. A channel that fails it must not be enabled.
	SelfTest(ctx context.Context) error
}

// Biller is a gateway that hands out a day's bill, against which the books are reconciled.
type Biller interface {
	// Bill calls line for each line of the bill of a calendar day in the channel's zone
	// (China Standard Time for all of them today). It fails without a line when the bill
	// isn't ready, isn't whole or isn't signed.
	Bill(ctx context.Context, day time.Time, line func(BillLine) error) error
}

// Introducer is a gateway whose own app has to be asked who the shopper is before a charge can be
// paid in it (Charge.PayerID).
type Introducer interface {
	// InApp tells whether a browser is the channel's own app, by its User-Agent.
	InApp(userAgent string) bool

	// Introduce is where the app learns who its user is. It leads back to returnURL with a
	// code, and with state as it was given, in the query.
	Introduce(returnURL, state string) string

	// Payer is who came back with a code. A code is good once and for a few minutes:
	// paygate.introduction_over asks for another.
	Payer(ctx context.Context, code string) (string, error)
}

// Device is what the shopper holds; it decides which of a channel's products is used.
type Device string

// The devices that channels tell apart.
const (
	Phone   Device = "phone"   // WeChat h5, Alipay wap
	Desktop Device = "desktop" // WeChat native, Alipay page: often a QR code
	InApp   Device = "in_app"  // inside the channel's own app: WeChat jsapi
)

// Charge is what the shopper is asked to pay.
type Charge struct {
	MerchantNo string       // our number, the intent's id; at most MaxMerchantNo of [A-Za-z0-9_-]
	Amount     money.Amount // above zero
	Subject    string       // what the channel's page says is bought
	NotifyURL  string       // where notices go; no query
	ReturnURL  string       // where the browser goes afterwards; proves nothing (S25)
	ExpiresAt  time.Time    // the channel takes no payment after it, as far as it keeps its word
	Device     Device       // "" is Phone
	ClientIP   string       // the shopper's address, which some products require
	PayerID    string       // the shopper at the channel (openid), for InApp
	Lang       string       // BCP 47 tag the channel's page should speak, if it can
}

// Cashier is the way to the channel's page. At least one of the first three is set.
type Cashier struct {
	RedirectURL string            // send the browser here
	QRText      string            // or show this as a QR code
	Invoke      map[string]string // or hand these parameters to the channel's app
	Handle      string            // the channel's own name of the charge, to be kept for Ref; may be empty
}

// Ref names a charge. Most channels need the number alone; Stripe needs the handle.
type Ref struct {
	MerchantNo string
	Handle     string // from Cashier
	TxnID      string // asks for one particular transaction where a number has several (P17)
}

// Reply is an HTTP answer to a channel.
type Reply struct {
	Status      int
	ContentType string // empty when there is no body
	Body        string
}

// Notice is a verified message of a channel.
type Notice struct {
	EventID       string       // unique per event at the channel; the same in every repeat of it
	Kind          NoticeKind   // what it says
	MerchantNo    string       // our number, from the signed part alone (P5)
	TxnID         string       // the channel's number of the payment; unique at the channel
	Account       string       // the merchant account it speaks of; compare with Gateway.Account (P4)
	ProviderState string       // the channel's own word
	Amount        money.Amount // of the payment, as the channel says; the currency may be one we don't trade in
	OccurredAt    time.Time    // when it happened, by the channel's clock; the zero time if it doesn't say
	PayerID       string       // the account that paid (openid, buyer id), for NoticePaid; "" if the channel doesn't tell
	Refund        RefundNews   // for NoticeRefund
}

// NoticeKind is what a notice says.
type NoticeKind string

// The kinds of notice. Only NoticePaid says that money has arrived.
const (
	NoticePaid    NoticeKind = "paid"    // a named success state of the channel
	NoticeUnpaid  NoticeKind = "unpaid"  // the charge is waiting, or an attempt failed; it may still be paid
	NoticeClosed  NoticeKind = "closed"  // the charge was closed unpaid
	NoticeRefund  NoticeKind = "refund"  // a refund moved
	NoticeDispute NoticeKind = "dispute" // the payer's bank takes money back, or may
	NoticeOther   NoticeKind = "other"   // signed, and of no concern to us: answer Taken
)

// RefundNews is what a notice says of a refund. Channels differ in what they tell: WeChat Pay
// gives the refund's own amount, Alipay the sum so far. What isn't told is zero.
type RefundNews struct {
	RefundNo string // ours
	RefundID string // the channel's
	State    RefundState
	Amount   money.Amount // of this refund
	Total    money.Amount // of all refunds of the payment so far
}

// PaymentState is what is known of a charge.
type PaymentState string

// The states of a charge. The zero value is Unknown.
const (
	PaymentUnknown PaymentState = ""       // no trustworthy answer: ask again
	PaymentAbsent  PaymentState = "absent" // the channel has never heard of it; it may yet, until the charge expires
	PaymentUnpaid  PaymentState = "unpaid" // may still be paid
	PaymentPaid    PaymentState = "paid"   // money arrived, whatever was refunded since
	PaymentClosed  PaymentState = "closed" // was never paid and can't be any more
)

// Payment is the answer to Query.
type Payment struct {
	State         PaymentState
	MerchantNo    string
	TxnID         string // when paid
	Account       string
	ProviderState string
	Amount        money.Amount // when paid: what was captured
	Refunded      money.Amount // when paid: the sum of refunds so far, if the channel tells
	PaidAt        time.Time
	PayerID       string // when paid: the account that did, "" if the channel doesn't tell
	Why           error  // for the log and the operator: why it is unknown
}

// CloseState is what is known of an attempt to close.
type CloseState string

// The outcomes of Close. The zero value is Unknown.
const (
	CloseUnknown CloseState = ""       // ask again, or query
	CloseDone    CloseState = "done"   // it can't be paid any more (also when it was closed before)
	ClosePaid    CloseState = "paid"   // too late, it is paid: query it
	CloseAbsent  CloseState = "absent" // the channel doesn't know it yet, so it can't be closed: keep asking until it has expired
)

// Closing is the answer to Close.
type Closing struct {
	State CloseState
	Why   error // why it is unknown
}

// RefundRequest gives back part or all of one payment.
type RefundRequest struct {
	RefundNo   string       // ours, ≤ 32 characters; reused with the same amount on every retry (P11)
	MerchantNo string       // the charge
	TxnID      string       // the payment, which matters when a charge was paid twice
	Handle     string       // from Cashier
	Amount     money.Amount // above zero
	Captured   money.Amount // what was captured in all, which WeChat Pay wants to be told
	Reason     string       // the payer may see it
	NotifyURL  string       // where notices of this refund go; empty is the charge's
}

// Ref names the refund for QueryRefund.
func (r RefundRequest) Ref() RefundRef {
	return RefundRef{RefundNo: r.RefundNo, MerchantNo: r.MerchantNo, TxnID: r.TxnID, Handle: r.Handle}
}

// RefundRef names a refund.
type RefundRef struct {
	RefundNo   string
	MerchantNo string
	TxnID      string
	Handle     string
	RefundID   string // the channel's, if known
}

// RefundState is what is known of a refund.
type RefundState string

// The states of a refund. The zero value is Unknown.
const (
	RefundUnknown RefundState = ""        // no trustworthy answer: ask again, or send the same request again
	RefundAbsent  RefundState = "absent"  // the channel has no such refund: send the same request again
	RefundPending RefundState = "pending" // accepted, not finished
	RefundDone    RefundState = "done"    // the money has gone back
	RefundFailed  RefundState = "failed"  // was accepted and ended without money moving: a person decides
	RefundRefused RefundState = "refused" // was never accepted; Why says the reason
)

// RefundResult is the answer to Refund and QueryRefund.
type RefundResult struct {
	State         RefundState
	RefundNo      string
	RefundID      string
	ProviderState string
	Amount        money.Amount
	DoneAt        time.Time
	Why           error // why it is unknown, failed or refused: a fault
}

// BillKind is what a line of a bill records.
type BillKind string

// The kinds of line.
const (
	BillPayment BillKind = "payment"
	BillRefund  BillKind = "refund"
)

// BillLine is one line of a channel's bill.
type BillLine struct {
	Row           int // in the file, the heading being row 1
	Kind          BillKind
	MerchantNo    string
	TxnID         string
	RefundNo      string // for BillRefund
	RefundID      string
	Account       string
	Amount        money.Amount // of the payment or the refund, above zero
	Fee           money.Amount // what the channel kept; below zero when it gave a fee back
	ProviderState string
	At            time.Time
}
