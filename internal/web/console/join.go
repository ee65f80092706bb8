package console

import (
	"cmp"
	"net/http"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/identity"
)

func setUpPage(c *Console, v *visit) error {
	token := v.q("token")
	if err := v.view(func(tx *db.Tx) error { return c.Identity.SetUpOpen(v.r.Context(), tx, token) }); err != nil {
		return err
	}
	return v.sign(http.StatusOK, &signView{Step: "set-up", Token: token})
}

func setUp(c *Console, v *visit) error {
	s := &signView{Step: "set-up", Token: v.f("token"), Email: v.f("email"), Name: v.f("name"), Errors: map[string]string{}}
	if err := v.view(func(tx *db.Tx) error { return c.Identity.SetUpOpen(v.r.Context(), tx, s.Token) }); err != nil {
		return err
	}
	hash, err := v.newPassword(s)
	if err != nil {
		return err
	}
	if _, err := identity.ParseEmail(s.Email); err != nil {
		s.Errors["email"] = v.lang.Fault(fault.From(err))
	}
	if s.Name == "" {
		s.Errors["name"] = v.t("fault.catalogue.required")
	}
	if len(s.Errors) > 0 {
		return v.sign(http.StatusBadRequest, s)
	}
	opened, err := identity.Commit(v.r.Context(), c.Flows.DB, func(tx *db.Tx) (db.Answer[identity.Opened], error) {
		return c.Identity.SetUp(v.r.Context(), tx, identity.SetUp{Token: s.Token, Email: s.Email, Name: s.Name, Lang: v.lang, Password: hash, Origin: v.origin()}, c.now())
	})
	if err != nil {
		return v.refused(s, err)
	}
	v.hold(opened)
	return v.enrol(http.StatusOK, s)
}

// newPassword hashes the password of a form, or puts at its fields why it can't be.
func (v *visit) newPassword(s *signView) (identity.PasswordHash, error) {
	password := v.form.Get("password")
	if password != v.form.Get("password_again") {
		s.Errors["password_again"] = v.t("console.sign.password_differs")
		return identity.PasswordHash{}, nil
	}
	hash, err := v.c.Identity.Passwords().Hash(v.r.Context(), password, s.Email, s.Name)
	if fault.KindOf(err) == fault.Invalid {
		s.Errors["password"] = v.lang.Fault(fault.From(err))
		err = nil
	}
	return hash, err
}

func acceptPage(c *Console, v *visit) error {
	s := &signView{Step: "accept", Token: cmp.Or(v.q("token"), v.q("k"))}
	if err := v.linked(s); err != nil {
		return err
	}
	return v.sign(http.StatusOK, s)
}

func (v *visit) linked(s *signView) error {
	return v.view(func(tx *db.Tx) error {
		p, err := v.c.Identity.Linked(v.r.Context(), tx, s.Token, v.c.now())
		s.Email, s.Name = p.Email, p.Name
		return err
	})
}

func accept(c *Console, v *visit) error {
	s := &signView{Step: "accept", Token: v.f("token"), Errors: map[string]string{}}
	if err := v.linked(s); err != nil {
		return err
	}
	hash, err := v.newPassword(s)
	if err != nil {
		return err
	}
	if len(s.Errors) > 0 {
		return v.sign(http.StatusBadRequest, s)
	}
	opened, err := identity.Commit(v.r.Context(), c.Flows.DB, func(tx *db.Tx) (db.Answer[identity.Opened], error) {
		return c.Identity.Accept(v.r.Context(), tx, s.Token, hash, v.origin(), c.now())
	})
	if err != nil {
		return v.refused(s, err)
	}
	v.hold(opened)
	return v.enrol(http.StatusOK, s)
}
