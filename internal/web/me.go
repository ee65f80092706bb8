package web

import (
	"encoding/json"
	"net/http"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/web/ui"
)

type meView struct {
	ui.Page
	Held    int // orders in this browser's keeping
	CanSign bool
	Balance money.Amount
}

// me is the account: who one is to the shop, what it keeps, and how to be rid of it.
func (s *Web) me(w http.ResponseWriter, r *http.Request) error {
	e, err := s.signedIn(r)
	if err != nil {
		return err
	}
	v := &meView{Held: len(s.held(r)), CanSign: s.People != nil}
	v.Page = ui.Page{Section: "me", Title: say(r, "ui.nav.me"), Private: true}
	if e != nil {
		v.User = &ui.User{Name: e.Party.Label()}
	}
	if v.Balance, err = s.balanceOf(r.Context(), e, money.CNY); err != nil {
		return err
	}
	s.ui.Render(w, r, http.StatusOK, "shop/me", v)
	return nil
}

// forget drops the orders in this browser's keeping. The orders themselves stay.
func (s *Web) forget(w http.ResponseWriter, r *http.Request) error {
	s.setCookie(w, heldCookie, "", -1)
	s.setCookie(w, waitCookie, "", -1)
	http.Redirect(w, r, "/me", http.StatusSeeOther)
	return nil
}

// exported is what the shop knows of a visitor, for machines to read (S61).
type exported struct {
	MadeAt time.Time       `json:"made_at"`
	Person *exportedPerson `json:"person,omitempty"`
	Orders []exportedOrder `json:"orders"`
}

type exportedPerson struct {
	ID    id.Party  `json:"id"`
	Name  string    `json:"name,omitempty"`
	Phone string    `json:"phone,omitempty"`
	Email string    `json:"email,omitempty"`
	Since time.Time `json:"since"`
}

type exportedOrder struct {
	ID       id.Order       `json:"id"`
	State    order.State    `json:"state"`
	Placed   time.Time      `json:"placed_at"`
	Paid     *time.Time     `json:"paid_at,omitempty"`
	Phone    string         `json:"phone,omitempty"`
	Email    string         `json:"email,omitempty"`
	Language string         `json:"language"`
	Total    string         `json:"total"`
	Currency string         `json:"currency"`
	Lines    []exportedLine `json:"lines"`
}

type exportedLine struct {
	Offer    string `json:"offer"`
	Quantity int64  `json:"quantity"`
	Amount   int64  `json:"amount_minor"`
	Terms    string `json:"terms_sha256,omitempty"`
}

// export hands out what is known of the visitor. Codes are not in it: they have their own
// pages, which keep a record of who saw them.
func (s *Web) export(w http.ResponseWriter, r *http.Request) error {
	out := exported{MadeAt: s.now(), Orders: []exportedOrder{}}
	lang := ui.LangOf(r)
	err := s.Flows.DB.View(r.Context(), func(tx *db.Tx) error {
		var p ui.Page
		found, err := s.mine(r, tx, &p)
		if err != nil {
			return err
		}
		e, err := s.member(r, tx)
		if err != nil {
			return err
		}
		if e != nil {
			out.Person = &exportedPerson{e.Party.ID, e.Party.Name, e.Party.Phone, e.Party.Email, e.Party.CreatedAt}
		}
		out.Orders = out.Orders[:0]
		for _, o := range found {
			x := exportedOrder{ID: o.ID, State: o.State, Placed: o.CreatedAt, Phone: o.Phone, Email: o.Email, Language: o.Lang, Total: o.Total.Decimal(), Currency: string(o.Total.Currency)}
			if !o.PaidAt.IsZero() {
				x.Paid = &o.PaidAt
			}
			var wanted []id.OfferVersion
			for _, l := range o.Lines {
				wanted = append(wanted, l.Version)
			}
			versions, err := s.Flows.Catalogue.Versions(r.Context(), tx, wanted)
			if err != nil {
				return err
			}
			for _, l := range o.Lines {
				x.Lines = append(x.Lines, exportedLine{lineName(lang, versions[l.Version], 1), l.Quantity, l.Amount, l.Acknowledged})
			}
			out.Orders = append(out.Orders, x)
		}
		return nil
	})
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="hufu-data.json"`)
	h.Set("Cache-Control", "no-store")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(out) // the reader is gone: nobody is left to tell
	return nil
}
