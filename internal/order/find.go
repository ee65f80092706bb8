package order

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/id"
)

// RecentDepth is how many of the newest orders a search by the end of a phone number reads:
// an index on ends would cost every purchase more than it saves the few who search.
const RecentDepth = 20_000

var (
	ofEmail = db.SQL("order.of_email", `SELECT `+columns+` FROM orders WHERE email = $1 AND email <> '' AND (id < $2 OR $2 = '') ORDER BY id DESC LIMIT $3`)
	ofTail  = db.SQL("order.of_tail", `SELECT id FROM (SELECT id, phone FROM orders ORDER BY id DESC LIMIT $1) AS recent WHERE phone LIKE $2 ORDER BY id DESC LIMIT $3`)
)

// OfEmail lists the orders placed with an e-mail address, as identity.ParseEmail writes it,
// the newest first: at most n before a given one ("" starts at the newest).
func (*Service) OfEmail(ctx context.Context, tx *db.Tx, email string, before id.Order, n int) ([]*Order, error) {
	return listed(ctx, tx, ofEmail, email, before, n)
}

// OfTail lists the newest orders, at most n, whose phone number ends with given digits,
// among the newest RecentDepth.
func (*Service) OfTail(ctx context.Context, tx *db.Tx, digits string, n int) ([]id.Order, error) {
	var out []id.Order
	if digits == "" {
		return nil, nil
	}
	for _, r := range digits {
		if r < '0' || r > '9' {
			return nil, nil // no phone ends so, and LIKE must not see its own signs
		}
	}
	err := tx.Query(ctx, ofTail, func(scan func(...any) error) error {
		var o id.Order
		err := scan(&o)
		out = append(out, o)
		return err
	}, RecentDepth, "%"+digits, n)
	return out, err
}
