package flowtest

import (
	"context"
	"errors"
	"sync"
	"time"

	"hufu/internal/clock"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/paygate"
	"hufu/internal/payment"
)

// Channel is the name of the gateway of a Shop.
const Channel = "fake"

// Gateway is a payment channel in memory: what its side of the truth is, and what it can do
// wrong. Its methods may be called from many goroutines.
type Gateway struct {
	Clock clock.Clock

	mu      sync.Mutex
	charges map[string]*charge
	refunds map[string]money.Amount
	down    bool
	refuse  bool
}

type charge struct {
	txn    string
	payer  string // the account that paid, "" for none told
	amount money.Amount
	paidAt time.Time
	paid   bool
	closed bool
}

// NewGateway makes a channel that knows of nothing.
func NewGateway(c clock.Clock) *Gateway {
	return &Gateway{Clock: c, charges: map[string]*charge{}, refunds: map[string]money.Amount{}}
}

// Down has the channel answer nothing until it is up again.
func (g *Gateway) Down(down bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.down = down
}

// RefuseRefunds has the channel refuse what it is asked to give back.
func (g *Gateway) RefuseRefunds(refuse bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refuse = refuse
}

func (g *Gateway) charge(no string) *charge {
	c := g.charges[no]
	if c == nil {
		c = new(charge)
		g.charges[no] = c
	}
	return c
}

// Pay has a shopper pay an intent and returns the notice that tells of it. It reports
// false when the charge was closed before. Paid again, it is the same payment.
func (g *Gateway) Pay(p *payment.Intent, amount money.Amount) (flow.Confirm, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.charge(string(p.ID))
	if c.closed {
		return flow.Confirm{}, false
	}
	if !c.paid {
		c.paid, c.txn, c.amount, c.paidAt = true, "txn-"+string(id.New[id.Capture]()), amount, g.Clock.Now()
	}
	return g.notice(p, c), true
}

// PayTwice has a shopper pay an intent again, by another transaction: the channel lets it
// happen (P17).
func (g *Gateway) PayTwice(p *payment.Intent) flow.Confirm {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.notice(p, &charge{txn: "txn-" + string(id.New[id.Capture]()), amount: p.Amount, paidAt: g.Clock.Now()})
}

// PayFrom is Pay by an account at the channel.
func (g *Gateway) PayFrom(p *payment.Intent, account string) (flow.Confirm, bool) {
	c, ok := g.Pay(p, p.Amount)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.charge(string(p.ID)).payer = account
	c.PayerID = account
	return c, ok
}

func (g *Gateway) notice(p *payment.Intent, c *charge) flow.Confirm {
	return flow.Confirm{OccurredAt: c.paidAt, Header: "X-Sign: ok\n", Body: []byte(c.txn), Message: payment.Message{
		Provider: Channel, Event: "evt-" + c.txn, Intent: p.ID, Txn: c.txn, Paid: true, Amount: c.amount, Account: true, PayerID: c.payer,
	}}
}

// Name implements paygate.Gateway.
func (g *Gateway) Name() string { return Channel }

// Account implements paygate.Gateway.
func (g *Gateway) Account() string { return "ours" }

// Cashier implements paygate.Gateway.
func (g *Gateway) Cashier(context.Context, paygate.Charge) (paygate.Cashier, error) {
	return paygate.Cashier{QRText: "pay"}, nil
}

// ParseNotice implements paygate.Gateway; notices of this channel are made by Pay.
func (g *Gateway) ParseNotice(paygate.Header, []byte) (paygate.Notice, error) {
	return paygate.Notice{}, errors.New("flowtest: notices are not parsed")
}

// Taken implements paygate.Gateway.
func (g *Gateway) Taken() paygate.Reply { return paygate.Reply{Status: 200} }

// Refused implements paygate.Gateway.
func (g *Gateway) Refused() paygate.Reply { return paygate.Reply{Status: 500} }

// SelfTest implements paygate.Gateway.
func (g *Gateway) SelfTest(context.Context) error { return nil }

// Query implements paygate.Gateway.
func (g *Gateway) Query(_ context.Context, r paygate.Ref) paygate.Payment {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.charges[r.MerchantNo]
	switch {
	case g.down:
		return paygate.Payment{}
	case c == nil:
		return paygate.Payment{State: paygate.PaymentAbsent}
	case c.paid:
		return paygate.Payment{State: paygate.PaymentPaid, MerchantNo: r.MerchantNo, TxnID: c.txn, Account: "ours", Amount: c.amount, PaidAt: c.paidAt, PayerID: c.payer}
	case c.closed:
		return paygate.Payment{State: paygate.PaymentClosed}
	}
	return paygate.Payment{State: paygate.PaymentUnpaid}
}

// Close implements paygate.Gateway.
func (g *Gateway) Close(_ context.Context, r paygate.Ref) paygate.Closing {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.down {
		return paygate.Closing{}
	}
	c := g.charge(r.MerchantNo)
	if c.paid {
		return paygate.Closing{State: paygate.ClosePaid}
	}
	c.closed = true
	return paygate.Closing{State: paygate.CloseDone}
}

// Refund implements paygate.Gateway. A number is one refund, however often it comes.
func (g *Gateway) Refund(_ context.Context, r paygate.RefundRequest) paygate.RefundResult {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch before, again := g.refunds[r.RefundNo]; {
	case g.down:
		return paygate.RefundResult{Why: errors.New("no answer")}
	case g.refuse && !again:
		return paygate.RefundResult{State: paygate.RefundRefused, Why: errors.New("refused")}
	case again && before != r.Amount:
		return paygate.RefundResult{State: paygate.RefundRefused, Why: errors.New("another amount under the same number")}
	}
	g.refunds[r.RefundNo] = r.Amount
	return paygate.RefundResult{State: paygate.RefundDone, RefundNo: r.RefundNo, Amount: r.Amount, DoneAt: g.Clock.Now()}
}

// MakeRefund has a refund that was refused go through after all.
func (g *Gateway) MakeRefund(r payment.Refund) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refunds[string(r.ID)] = r.Amount
}

// QueryRefund implements paygate.Gateway.
func (g *Gateway) QueryRefund(_ context.Context, r paygate.RefundRef) paygate.RefundResult {
	g.mu.Lock()
	defer g.mu.Unlock()
	a, ok := g.refunds[r.RefundNo]
	switch {
	case g.down:
		return paygate.RefundResult{Why: errors.New("no answer")}
	case !ok:
		return paygate.RefundResult{State: paygate.RefundAbsent, RefundNo: r.RefundNo}
	}
	return paygate.RefundResult{State: paygate.RefundDone, RefundNo: r.RefundNo, Amount: a}
}

// Refunded is the sum of what went back.
func (g *Gateway) Refunded() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	var sum int64
	for _, a := range g.refunds {
		sum += a.Minor
	}
	return sum
}

// Ref is how a channel is asked about an intent.
func Ref(p *payment.Intent) paygate.Ref { return paygate.Ref{MerchantNo: string(p.ID)} }
