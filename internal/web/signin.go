package web

import (
	"net/http"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/httpx"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/web/ui"
)

type signInView struct {
	ui.Page
	For     string // identity.ForSignIn or ForLookUp
	To      string // page to go to afterwards
	Phone   string // as typed
	Ticket  string // set once a code is on its way
	Where   string // masked, where the code went
	Errors  map[string]string
	Heading string
	Lead    string
}

// signInForm is the page with which a shopper proves a phone number: to be a member, or
// only to see orders placed with it.
func signInForm(r *http.Request, in input) *signInView {
	v := &signInView{For: string(identity.ForSignIn), To: "/me"}
	if in.text("for") == string(identity.ForLookUp) {
		v.For, v.To = string(identity.ForLookUp), "/orders"
	} else if to := in.text("to"); to != "" {
		v.To = ui.LocalPath(to)
	}
	v.Heading, v.Lead = say(r, "shop.sign_in."+v.For), say(r, "shop.sign_in."+v.For+".text")
	section := "me"
	if v.For == string(identity.ForLookUp) {
		section = "orders"
	}
	v.Page = ui.Page{Section: section, Title: v.Heading, Private: true}
	v.Phone = in.text("phone")
	return v
}

func (s *Web) signInPage(w http.ResponseWriter, r *http.Request) error {
	in, err := query(r)
	if err != nil {
		return err
	}
	if s.People == nil {
		return fault.New(fault.NotFound, "not_found")
	}
	s.ui.Render(w, r, http.StatusOK, "shop/signin", signInForm(r, in))
	return nil
}

// origin is where a request came from.
func origin(r *http.Request) identity.Origin {
	return identity.Origin{Address: httpx.CallerOf(r.Context()).IP.String(), Agent: r.UserAgent()}
}

// sendCode sends a one-time code. The answer is the same whether the number is known.
func (s *Web) sendCode(w http.ResponseWriter, r *http.Request) error {
	in, err := form(r)
	if err != nil {
		return err
	}
	if s.People == nil {
		return fault.New(fault.NotFound, "not_found")
	}
	v := signInForm(r, in)
	lang := ui.LangOf(r)
	sent, err := s.Flows.SendCode(r.Context(), s.People, identity.SendCode{To: v.Phone, Purpose: identity.Purpose(v.For), Origin: origin(r)}, lang)
	if err != nil && in.text("ticket") != "" {
		v.Ticket, v.Where = in.text("ticket"), in.text("where") // the code that was sent before is still good
		return s.signInAgain(w, r, v, "code", err)
	}
	if err != nil {
		return s.signInAgain(w, r, v, "phone", err)
	}
	v.Ticket, v.Where = sent.Ticket, sent.To.Mask()
	s.ui.Render(w, r, http.StatusOK, "shop/signin", v)
	return nil
}

// signInAgain shows the form with what was wrong beside its field.
func (s *Web) signInAgain(w http.ResponseWriter, r *http.Request, v *signInView, field string, err error) error {
	f := fault.From(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return err
	}
	v.Errors = map[string]string{field: ui.LangOf(r).Fault(f)}
	s.ui.Render(w, r, httpx.StatusOf(f.Kind), "shop/signin", v)
	return nil
}

// signIn takes the code: it opens a session, or puts the orders of that phone number into
// this browser's keeping.
func (s *Web) signIn(w http.ResponseWriter, r *http.Request) error {
	in, err := form(r)
	if err != nil {
		return err
	}
	if s.People == nil {
		return fault.New(fault.NotFound, "not_found")
	}
	v := signInForm(r, in)
	v.Ticket, v.Where = in.text("ticket"), in.text("where")
	ctx, now := r.Context(), s.now()
	if v.For == string(identity.ForLookUp) {
		proven, err := identity.Commit(ctx, s.Flows.DB, func(tx *db.Tx) (db.Answer[identity.Contact], error) {
			return s.People.Redeem(ctx, tx, identity.Redeem{Ticket: v.Ticket, Code: in.text("code"), Purpose: identity.ForLookUp, Origin: origin(r)}, now)
		})
		if err != nil {
			return s.signInAgain(w, r, v, "code", err)
		}
		var found []id.Order
		if err := s.Flows.DB.View(ctx, func(tx *db.Tx) error {
			all, err := s.Flows.LookUp(ctx, tx, proven, maxHeld)
			found = nil
			for _, o := range all {
				found = append(found, o.ID)
			}
			return err
		}); err != nil {
			return err
		}
		s.hold(w, r, found...)
		http.Redirect(w, r, "/orders", http.StatusSeeOther)
		return nil
	}
	opened, err := identity.Commit(ctx, s.Flows.DB, func(tx *db.Tx) (db.Answer[identity.Opened], error) {
		return s.People.SignInShopper(ctx, tx, v.Ticket, in.text("code"), ui.LangOf(r), origin(r), now)
	})
	if err != nil {
		return s.signInAgain(w, r, v, "code", err)
	}
	s.setCookie(w, memberCookie, opened.Token, int(opened.ExpiresAt.Sub(now).Seconds()))
	http.Redirect(w, r, v.To, http.StatusSeeOther)
	return nil
}

// signOut ends the session on the server as well as in the browser (S41).
func (s *Web) signOut(w http.ResponseWriter, r *http.Request) error {
	if c, err := r.Cookie(s.cookieName(memberCookie)); err == nil && s.People != nil {
		if err := s.Flows.DB.Do(r.Context(), func(tx *db.Tx) error {
			return s.People.SignOut(r.Context(), tx, identity.Shop, c.Value, origin(r), s.now())
		}); err != nil {
			return err
		}
	}
	s.setCookie(w, memberCookie, "", -1)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
