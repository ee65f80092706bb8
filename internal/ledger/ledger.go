package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"strings"
	"time"

	"hufu/internal/id"
	"hufu/internal/money"
)

// The accounts the business uses. Debits raise assets and expenses; credits raise the rest.

// Gateway is money that a payment gateway holds for us.
func Gateway(name string, c money.Currency) id.Account { return path("asset", "gateway", name, c) }

// Sales is what was earned by delivering.
func Sales(c money.Currency) id.Account { return path("income", "sales", "", c) }

// RefundsDue is money that has arrived and goes back.
func RefundsDue(c money.Currency) id.Account { return path("liability", "refunds", "", c) }

// Suspense is money that has arrived and whose purpose isn't known yet.
func Suspense(c money.Currency) id.Account { return path("liability", "suspense", "", c) }

// Prepaid is what a party has paid in and not spent.
func Prepaid(p id.Party, c money.Currency) id.Account {
	return path("liability", "prepaid", string(p), c)
}

// Granted is the cost of balances that were given and not paid in.
func Granted(c money.Currency) id.Account { return path("expense", "granted", "", c) }

// Bank is money received outside a gateway.
func Bank(c money.Currency) id.Account { return path("asset", "bank", "", c) }

func path(kind, what, whose string, c money.Currency) id.Account {
	if whose != "" {
		whose += ":"
	}
	return id.Account(kind + ":" + what + ":" + whose + string(c))
}

// Kind is the kind of an account: asset, liability, income, expense or equity.
func Kind(a id.Account) string { k, _, _ := strings.Cut(string(a), ":"); return k }

// CurrencyOf is the currency of an account.
func CurrencyOf(a id.Account) money.Currency {
	return money.Currency(a[strings.LastIndexByte(string(a), ':')+1:])
}

// mayOverdraw reports whether an account may go below zero: a customer's money may not.
func mayOverdraw(a id.Account) bool { return !strings.HasPrefix(string(a), "liability:prepaid:") }

// debitNormal reports whether debits raise the account.
func debitNormal(a id.Account) bool { return Kind(a) == "asset" || Kind(a) == "expense" }

// Transfer is one movement.
type Transfer struct {
	// Entry is what caused it, a capture or a refund; its transfers share it and are
	// numbered by Leg. An entry can't be posted twice.
	Entry  string
	Leg    int64
	Debit  id.Account
	Credit id.Account
	Amount money.Amount
	Kind   string // "sale", "refund", "suspense" ...
	Order  id.Order
	At     time.Time
}

// Balance is what stands on an account. Net is positive on the account's normal side.
type Balance struct {
	Account id.Account
	Debits  int64
	Credits int64
}

// Net is the balance in minor units, above zero on the account's normal side.
func (b Balance) Net() money.Amount {
	n := b.Credits - b.Debits
	if debitNormal(b.Account) {
		n = -n
	}
	return money.Of(n, CurrencyOf(b.Account))
}

// sum hashes the transfers of a seal after the seal before it. Every part is preceded by
// its length, so that no two sets of transfers give the same bytes.
func sum(before []byte, transfers []Transfer) []byte {
	h := sha256.New()
	h.Write(before)
	for _, t := range transfers {
		put(h, t.Entry)
		number(h, t.Leg)
		put(h, string(t.Debit))
		put(h, string(t.Credit))
		number(h, t.Amount.Minor)
		put(h, string(t.Amount.Currency))
		put(h, t.Kind)
		put(h, string(t.Order))
		number(h, t.At.UnixMicro())
	}
	return h.Sum(nil)
}

func put(h hash.Hash, s string) {
	number(h, int64(len(s)))
	h.Write([]byte(s))
}

func number(h hash.Hash, n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}
