package console

import (
	"net/http"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/web/ui"
)

type profileView struct {
	ui.Page
	formError
	Me       identity.Party
	Values   map[string]string
	Langs    []ui.Option
	Sessions []sessionRow
	Codes    []string // new recovery codes, shown this once
	Roles    string
}

type sessionRow struct {
	ID     id.Session
	Agent  string
	Origin string
	Seen   string
	Since  string
	This   bool
}

func profilePage(_ *Console, v *visit) error { return v.profile(http.StatusOK, nil, nil) }

func (v *visit) profile(status int, codes []string, refusal error) error {
	d := &profileView{Me: v.who.Party, Codes: codes, Values: map[string]string{"name": v.who.Party.Name}, Roles: v.roleWords(v.who.Roles)}
	if err := d.refused(v.lang, refusal, nil); err != nil {
		return err
	}
	d.Langs = langOptions(string(v.who.Party.Lang))
	err := v.view(func(tx *db.Tx) error {
		all, err := v.c.Identity.Sessions(v.r.Context(), tx, v.by(), v.c.now())
		for _, e := range all {
			if e.Stage == identity.StageFull {
				d.Sessions = append(d.Sessions, sessionRow{e.ID, device(e.Agent), e.Origin, v.when(e.SeenAt), v.when(e.CreatedAt), e.ID == v.who.ID})
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	v.page(&d.Page, "", v.t("console.profile"))
	return v.render(status, "profile", d)
}

func saveProfile(c *Console, v *visit) error {
	err := v.once(func(tx *db.Tx) error {
		return c.Identity.SetProfile(v.r.Context(), tx, v.who, v.f("name"), i18n.Match(v.f("lang")), v.origin(), c.now())
	})
	if err != nil {
		return err
	}
	return v.leave("/console/profile?done=profile", "saved")
}

func changePassword(c *Console, v *visit) error {
	next := v.form.Get("password")
	if next != v.form.Get("password_again") {
		return v.profile(http.StatusBadRequest, nil, fault.New(fault.Invalid, "console.form").At("password_again", "console.password_differs"))
	}
	opened, err := c.Identity.ChangePassword(v.r.Context(), c.Flows.DB, v.who, v.token, v.form.Get("password_old"), next, v.origin(), c.now())
	if fault.KindOf(err) == fault.Invalid {
		field := "password"
		if fault.CodeOf(err) == "identity.password_wrong" {
			field = "password_old"
		}
		return v.profile(http.StatusBadRequest, nil, fault.New(fault.Invalid, "console.form").At(field, fault.CodeOf(err), paramsOf(err)...))
	}
	if err != nil {
		return err
	}
	v.hold(opened)
	return v.leave("/console/profile", "saved")
}

// replaceSecond sets up another authenticator app: the old one, and all sessions, end.
func replaceSecond(c *Console, v *visit) error {
	var opened identity.Opened
	err := v.do(func(tx *db.Tx) (err error) {
		opened, err = c.Identity.ReplaceSecond(v.r.Context(), tx, v.token, v.origin(), c.now())
		return err
	})
	if err != nil {
		return err
	}
	v.who = nil
	v.hold(opened)
	return v.enrol(http.StatusOK, &signView{Then: "/console/profile"})
}

func replaceRecovery(c *Console, v *visit) error {
	var codes []string
	err := v.do(func(tx *db.Tx) (err error) {
		codes, err = c.Identity.ReplaceRecovery(v.r.Context(), tx, v.token, v.origin(), c.now())
		return err
	})
	if err != nil {
		return err
	}
	return v.profile(http.StatusOK, codes, nil)
}

// endSessions ends one of one's own sessions, or all others.
func endSessions(c *Console, v *visit) error {
	which := v.f("session")
	err := v.do(func(tx *db.Tx) error {
		if which == "" {
			return c.Identity.EndOthers(v.r.Context(), tx, v.who, v.origin(), c.now())
		}
		k, err := id.Parse[id.Session](which)
		if err != nil {
			return fault.New(fault.NotFound, "not_found")
		}
		return c.Identity.EndSession(v.r.Context(), tx, v.who, k, v.origin(), c.now())
	})
	if fault.KindOf(err) != fault.NotFound { // gone already is as good
		return err
	}
	return v.leave("/console/profile", "ended")
}
