package flow

import (
	"context"
	"strings"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/ledger"
	"hufu/internal/money"
	"hufu/internal/naming"
	"hufu/internal/order"
	"hufu/internal/payment"
)

// PayBalance pays an order out of its buyer's prepaid balance. It fails with
// ledger.insufficient when the balance is too small, and with order.closed when the order
// no longer waits for payment, with order.unmatched while money that doesn't match is here.
func (f *Flows) PayBalance(ctx context.Context, o id.Order, party id.Party) error {
	var intent *payment.Intent
	err := f.DB.View(ctx, func(tx *db.Tx) error {
		found, err := f.Orders.One(ctx, tx, o)
		if err != nil {
			return err
		}
		if found.Party != party || party == "" {
			return fault.New(fault.NotFound, "order.not_found")
		}
		intents, err := f.Payments.IntentsOf(ctx, tx, []id.Order{o})
		for _, p := range intents[o] {
			if p.Gateway == payment.Balance {
				intent = p
			}
		}
		if err != nil || !found.PaidAt.IsZero() {
			return err
		}
		c, held, err := f.Unmatched(ctx, tx, o)
		if held {
			return fault.New(fault.Conflict, "order.unmatched", "amount", c.Amount.String())
		}
		return err
	})
	if err != nil {
		return err
	}
	if intent == nil {
		return fault.New(fault.Conflict, "order.gateway", "gateway", payment.Balance)
	}
	_, err = f.Confirm(ctx, Confirm{OccurredAt: f.Clock.Now(), Payer: party, Message: payment.Message{
		Provider: payment.Balance, Event: string(intent.ID), Intent: intent.ID, Txn: string(intent.ID), Paid: true, Amount: intent.Amount, Account: true,
	}})
	return err
}

// balances checks, command by command, that prepaid payments are covered, each by what the
// ones before it leave.
type balances struct {
	left map[id.Account]int64
}

// lockBalances locks the prepaid accounts that commands pay from.
func (f *Flows) lockBalances(ctx context.Context, tx *db.Tx, commands []Confirm) (*balances, error) {
	var accounts []id.Account
	for _, c := range commands {
		if c.Provider == payment.Balance {
			accounts = append(accounts, ledger.Prepaid(c.Payer, c.Amount.Currency))
		}
	}
	b := &balances{left: map[id.Account]int64{}}
	if len(accounts) == 0 {
		return b, nil
	}
	found, err := f.Ledger.Available(ctx, tx, accounts)
	for a, balance := range found {
		b.left[a] = balance.Net().Minor
	}
	return b, err
}

// cover takes a payment out of what is left, or says why it can't.
func (b *balances) cover(c Confirm, o *order.Order) error {
	if o == nil || o.State != order.Pending {
		return fault.New(fault.Conflict, "order.closed")
	}
	a := ledger.Prepaid(c.Payer, c.Amount.Currency)
	if b.left[a] < c.Amount.Minor {
		return fault.New(fault.Conflict, "ledger.insufficient")
	}
	b.left[a] -= c.Amount.Minor
	return nil
}

// CreditEntry is the entry of the books for a credit by its reference, however that is
// written; see naming.Key.
func CreditEntry(reference string) string { return "credit:" + naming.Key(reference) }

// Credit raises a party's prepaid balance by money received outside a gateway, or given.
// The reference makes it happen once.
func (f *Flows) Credit(ctx context.Context, party id.Party, amount money.Amount, received bool, reference, reason string, by id.Party, origin string) error {
	if amount.Minor <= 0 || !amount.Currency.Known() {
		return fault.New(fault.Invalid, "ledger.amount")
	}
	reference, ok := naming.Name(reference)
	if !ok || naming.HiddenText(reason) {
		return fault.New(fault.Invalid, "naming.hidden")
	}
	if reference == "" || strings.TrimSpace(reason) == "" {
		return fault.New(fault.Invalid, "ledger.reason")
	}
	from := ledger.Granted(amount.Currency)
	if received {
		from = ledger.Bank(amount.Currency)
	}
	now := f.Clock.Now()
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		if err := f.Ledger.Post(ctx, tx, []ledger.Transfer{{Entry: CreditEntry(reference), Leg: 1, Debit: from, Credit: ledger.Prepaid(party, amount.Currency),
			Amount: amount, Kind: "credit", At: now}}); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Row{At: now, Actor: string(by), Action: "balance.credit", Subject: string(party), Origin: origin,
			Data: map[string]string{"amount": amount.Decimal(), "currency": string(amount.Currency), "reference": reference, "reason": reason}})
	})
	if db.IsUnique(err) {
		return fault.New(fault.Conflict, "ledger.reference", "reference", reference)
	}
	return err
}
