package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/ledger"
	"hufu/internal/money"
	"hufu/internal/payment"
)

// Account is an account of the ledger with its balance.
type Account struct {
	ID      id.Account `json:"id" example:"asset:gateway:sandbox:CNY"`
	Kind    string     `json:"kind" enum:"asset,liability,income,expense,equity"`
	Debits  int64      `json:"debits"`
	Credits int64      `json:"credits"`
	Balance Money      `json:"balance" doc:"Above zero on the account's normal side"`
}

// Transfer is one movement between two accounts.
type Transfer struct {
	Entry  string     `json:"entry" doc:"What caused it"`
	Leg    int64      `json:"leg"`
	Debit  id.Account `json:"debit"`
	Credit id.Account `json:"credit"`
	Amount Money      `json:"amount"`
	Kind   string     `json:"kind"`
	Order  id.Order   `json:"order,omitempty"`
	At     time.Time  `json:"at"`
}

// Statement is an account's balance and a part of its transfers.
type Statement struct {
	Account Account `json:"account"`
	Page[Transfer]
}

// Credit raises a balance.
type Credit struct {
	Amount    Price  `json:"amount"`
	Received  bool   `json:"received" doc:"The money was received outside a gateway; false: it is given"`
	Reference string `json:"reference" minLength:"1" maxLength:"80" doc:"Such as the bank's number of the payment; it is booked once"`
	Reason    string `json:"reason" minLength:"1" maxLength:"200"`
}

// CreditDone is a credit that was booked.
type CreditDone struct {
	Party     id.Party `json:"party"`
	Reference string   `json:"reference"`
	Amount    Money    `json:"amount"`
}

// PartyRef names a party.
type PartyRef struct {
	Party id.Party `path:"party" maxLength:"40"`
}

type statementInput struct {
	Paging
	Account id.Account `path:"account" maxLength:"200"`
}

type creditInput struct {
	PartyRef
	Body Credit
}

type refundCaptureInput struct {
	Capture id.Capture `path:"capture" maxLength:"40" doc:"The subject of a case of the kind mismatch or second_capture"`
	Body    Reason
}

func (a *API) refundCapture(ctx context.Context, c *Call, in *refundCaptureInput) (*Refund, error) {
	r, err := a.Flows.RefundCapture(ctx, flow.RefundCapture{Capture: in.Capture, Reason: strings.TrimSpace(in.Body.Reason), By: c.session.Party.ID, Origin: c.address()})
	if err != nil {
		return nil, err
	}
	out := showRefund(r)
	return &out, nil
}

type refundAgainInput struct {
	RefundRef
	Body Reason
}

type refundByHandInput struct {
	RefundRef
	Body PaidByHand
}

// RefundRef names a refund.
type RefundRef struct {
	Refund id.Refund `path:"refund" maxLength:"40"`
}

// PaidByHand says how a person paid a refund.
type PaidByHand struct {
	Way       payment.Way `json:"way" enum:"bank,gateway" doc:"bank: out of the bank account; gateway: at the payment channel's own console, out of what it holds"`
	Reference string      `json:"reference" minLength:"1" maxLength:"80" doc:"The bank's or the channel's number of the payment"`
	Reason    string      `json:"reason" minLength:"1" maxLength:"200"`
}

func (a *API) refundAgain(ctx context.Context, c *Call, in *refundAgainInput) (*Refund, error) {
	r, err := a.Flows.RefundAgain(ctx, flow.RefundAgain{Refund: in.Refund, Reason: strings.TrimSpace(in.Body.Reason), By: c.session.Party.ID, Origin: c.address()})
	if err != nil {
		return nil, err
	}
	out := showRefund(r)
	return &out, nil
}

func (a *API) refundByHand(ctx context.Context, c *Call, in *refundByHandInput) (*Refund, error) {
	r, err := a.Flows.RefundByHand(ctx, flow.RefundByHand{Refund: in.Refund, Way: in.Body.Way, Reference: strings.TrimSpace(in.Body.Reference), Reason: strings.TrimSpace(in.Body.Reason),
		By: c.session.Party.ID, Origin: c.address()})
	if err != nil {
		return nil, err
	}
	out := showRefund(r)
	return &out, nil
}

func (a *API) staffMoney() {
	operation(a, "list-accounts", a.listAccounts)
	operation(a, "get-account", a.statement)
	operation(a, "refund-capture", a.refundCapture)
	operation(a, "refund-again", a.refundAgain)
	operation(a, "refund-by-hand", a.refundByHand)
	operation(a, "credit-balance", a.credit)
}

func showAccount(b ledger.Balance) Account {
	return Account{b.Account, ledger.Kind(b.Account), b.Debits, b.Credits, moneyOf(b.Net())}
}

func (a *API) listAccounts(ctx context.Context, c *Call, in *Paging) (*Page[Account], error) {
	from, err := in.number(c)
	if err != nil {
		return nil, err
	}
	var names []id.Account
	var balances map[id.Account]ledger.Balance
	err = a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		all, err := a.Flows.Ledger.Accounts(ctx, tx, int(from+in.Limit+1))
		if err != nil {
			return err
		}
		names = all[min(int(from), len(all)):]
		balances, err = a.Flows.Ledger.Balances(ctx, tx, names)
		return err
	})
	return pageOf(c, *in, names, func(id.Account) string { return strconv.FormatInt(from+in.Limit, 10) }, func(n id.Account) Account {
		b := balances[n]
		b.Account = n
		return showAccount(b)
	}), err
}

// statement gives whole entries: a page never cuts one in two.
func (a *API) statement(ctx context.Context, c *Call, in *statementInput) (*Statement, error) {
	before, err := in.after(c)
	if err != nil {
		return nil, err
	}
	if !money.Currency(ledger.CurrencyOf(in.Account)).Known() {
		return nil, fault.New(fault.NotFound, "ledger.no_account")
	}
	var rows []ledger.Transfer
	balance := ledger.Balance{Account: in.Account}
	err = a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		all, err := a.Flows.Ledger.Balances(ctx, tx, []id.Account{in.Account})
		if err != nil {
			return err
		}
		if b, ok := all[in.Account]; ok {
			balance = b
		}
		rows, err = a.Flows.Ledger.Statement(ctx, tx, in.Account, before, int(in.Limit)+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	if before == "" && len(rows) == 0 {
		return nil, fault.New(fault.NotFound, "ledger.no_account")
	}
	if cut := int(in.Limit); len(rows) > cut {
		for cut > 1 && rows[cut].Entry == rows[cut-1].Entry {
			cut--
		}
		in.Limit = int64(cut)
	}
	return &Statement{showAccount(balance), *pageOf(c, in.Paging, rows, func(t ledger.Transfer) string { return t.Entry }, func(t ledger.Transfer) Transfer {
		return Transfer{t.Entry, t.Leg, t.Debit, t.Credit, moneyOf(t.Amount), t.Kind, t.Order, t.At}
	})}, nil
}

// credit books a reference once: sent again it is answered alike, with other content it is
// refused.
func (a *API) credit(ctx context.Context, c *Call, in *creditInput) (*CreditDone, error) {
	amount := money.Of(in.Body.Amount.Minor, money.Currency(in.Body.Amount.Currency))
	if amount.Minor <= 0 || !amount.Currency.Known() {
		return nil, fault.New(fault.Invalid, "ledger.amount").At("amount", "ledger.amount")
	}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		_, err := a.partyOf(ctx, tx, in.Party, identity.Shopper)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &CreditDone{in.Party, in.Body.Reference, moneyOf(amount)}
	err = a.Flows.Credit(ctx, in.Party, amount, in.Body.Received, in.Body.Reference, in.Body.Reason, c.session.Party.ID, c.address())
	if fault.CodeOf(err) != "ledger.reference" {
		return out, err
	}
	var same bool
	if bad := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		booked, err := a.Flows.Ledger.Entries(ctx, tx, []string{flow.CreditEntry(in.Body.Reference)})
		from := ledger.Granted(amount.Currency)
		if in.Body.Received {
			from = ledger.Bank(amount.Currency)
		}
		same = len(booked) == 1 && booked[0].Amount == amount && booked[0].Credit == ledger.Prepaid(in.Party, amount.Currency) && booked[0].Debit == from
		return err
	}); bad != nil {
		return nil, bad
	}
	if same {
		c.header().Set("Idempotent-Replayed", "true")
		return out, nil
	}
	return nil, err
}
