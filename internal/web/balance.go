package web

import (
	"context"
	"net/http"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/ledger"
	"hufu/internal/money"
)

// balanceOf is what a member has paid in advance, in a currency; nothing for a guest.
func (s *Web) balanceOf(ctx context.Context, e *identity.Session, c money.Currency) (money.Amount, error) {
	left := money.Of(0, c)
	if e == nil {
		return left, nil
	}
	account := ledger.Prepaid(e.Party.ID, c)
	err := s.Flows.DB.View(ctx, func(tx *db.Tx) error {
		found, err := s.Flows.Ledger.Balances(ctx, tx, []id.Account{account})
		if b, has := found[account]; has {
			left = b.Net()
		}
		return err
	})
	return left, err
}

// payBalance pays an order from the member's balance. Pressed twice, it is one payment.
func (s *Web) payBalance(w http.ResponseWriter, r *http.Request) error {
	oid, err := s.mayHold(r)
	if err != nil {
		return err
	}
	e, err := s.signedIn(r)
	if err != nil {
		return err
	}
	if e == nil {
		return fault.New(fault.Unauthenticated, "unauthenticated")
	}
	return s.fromBalance(w, r, oid, e)
}

// fromBalance pays and leads to the order; when the balance is too low, to the page that
// says so.
func (s *Web) fromBalance(w http.ResponseWriter, r *http.Request, oid id.Order, e *identity.Session) error {
	to := "/orders/" + string(oid)
	switch err := s.Flows.PayBalance(r.Context(), oid, e.Party.ID); fault.CodeOf(err) {
	case "":
		s.setCookie(w, waitCookie, string(oid), 3600)
	case "ledger.insufficient":
		to += "/pay?low=1"
	case "order.closed": // it says so itself
	default:
		return err
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
