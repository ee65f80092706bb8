package order

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/id"
)

// Counts are how many orders somebody has that count: those ever paid, refunded ones too, and
// those that wait for payment now. By a phone number, an order that a guest placed and hasn't
// paid for doesn't count: who typed it may be anybody.
type Counts struct {
	parties map[id.Party]int64
	phones  map[string]int64
}

// Of is the greatest count of an account and of phone numbers; what is "" has none.
func (c Counts) Of(party id.Party, phones ...string) int64 {
	n := c.parties[party]
	for _, p := range phones {
		n = max(n, c.phones[p])
	}
	return n
}

// Add counts one order more, not paid for yet, of an account ("" for a guest) and a phone number.
func (c Counts) Add(party id.Party, phone string) {
	if party != "" {
		c.parties[party]++
	}
	if party != "" && phone != "" {
		c.phones[phone]++
	}
}

// Counting is the condition of the orders that Counts counts.
const Counting = `(paid_at > 0 OR state = 'pending')`

// CountingByPhone is that of the orders that count by their phone number alone.
const CountingByPhone = Counting + ` AND (paid_at > 0 OR party_id <> '')`

var (
	countParties = db.SQL("order.count_parties", `SELECT party_id, COUNT(*) FROM orders WHERE party_id {{in $1 text}} AND party_id <> '' AND `+Counting+` GROUP BY party_id`)
	countPhones  = db.SQL("order.count_phones", `SELECT phone, COUNT(*) FROM orders WHERE phone {{in $1 text}} AND phone <> '' AND `+CountingByPhone+` GROUP BY phone`)
)

// AskCounts asks, without waiting, how many orders accounts and phone numbers have: the counts
// are there once the transaction's next Flush has returned. Who decides by them locks the
// tallies of who orders first, or two orders side by side don't know of each other.
func (*Service) AskCounts(ctx context.Context, tx *db.Tx, parties []id.Party, phones []string) (Counts, error) {
	c := Counts{map[id.Party]int64{}, map[string]int64{}}
	if len(parties) > 0 {
		if err := tx.Ask(ctx, countParties, func(scan func(...any) error) error {
			var party id.Party
			var n int64
			err := scan(&party, &n)
			c.parties[party] = n
			return err
		}, db.Texts(parties)); err != nil {
			return c, err
		}
	}
	if len(phones) == 0 {
		return c, nil
	}
	return c, tx.Ask(ctx, countPhones, func(scan func(...any) error) error {
		var phone string
		var n int64
		err := scan(&phone, &n)
		c.phones[phone] = n
		return err
	}, db.Texts(phones))
}
