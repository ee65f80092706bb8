package flow

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/identity"
	"hufu/internal/order"
)

// LookUp lists the orders placed with a phone number or an e-mail address, the newest first,
// at most n. The caller has made sure that who asks holds it.
func (f *Flows) LookUp(ctx context.Context, tx *db.Tx, contact identity.Contact, n int) ([]*order.Order, error) {
	if contact.IsPhone() {
		return f.Orders.OfPhone(ctx, tx, string(contact), "", n)
	}
	return f.Orders.OfEmail(ctx, tx, string(contact), "", n)
}
