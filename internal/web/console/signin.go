package console

import (
	"crypto/rand"
	"encoding/base64"
	"html/template"
	"net/http"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/httpx"
	"hufu/internal/identity"
	"hufu/internal/web/ui"
)

func newSecret() string { return rand.Text() }

// sessionAge is how long the browser keeps the cookie; the server ends the session sooner.
const sessionAge = 12 * time.Hour

// recognise finds out who the visit is. Without a full session it gives the fault of that.
func (c *Console) recognise(v *visit) error {
	v.token = v.cookie(sessionCookie)
	now := c.now()
	var e *identity.Session
	err := v.view(func(tx *db.Tx) error {
		var err error
		e, err = c.Identity.Session(v.r.Context(), tx, identity.Console, v.token, now)
		return err
	})
	if err != nil {
		return err
	}
	if e.Stage != identity.StageFull {
		return fault.New(fault.Unauthenticated, "unauthenticated")
	}
	v.who = e
	if e.Stale(now) {
		return v.do(func(tx *db.Tx) error { return c.Identity.Touch(v.r.Context(), tx, e, now) })
	}
	return nil
}

type signView struct {
	ui.Page
	Step    string // "password", "second", "enrol", "recovery", "set-up", "accept", "confirm", "again"
	Email   string
	Name    string
	Token   string // of a link
	Then    string // where to go afterwards
	Kept    kept
	Error   string
	Errors  map[string]string
	Notice  string // why one is here
	QR      template.URL
	Secret  string
	Codes   []string
	Recover bool // a recovery code is asked for
}

func (v *visit) sign(status int, s *signView) error {
	v.page(&s.Page, "", v.t("console.sign."+s.Step+".title"))
	s.Shell, s.User = "plain", nil
	return v.render(status, "sign", s)
}

func signInPage(c *Console, v *visit) error {
	if v.who != nil {
		return v.leave("/console", "")
	}
	return v.sign(http.StatusOK, &signView{Step: "password", Then: consolePath(v.q("then"))})
}

func signIn(c *Console, v *visit) error {
	s := &signView{Step: "password", Email: v.f("email"), Then: consolePath(v.f("then")), Kept: keptOf(v.form)}
	opened, err := c.Identity.SignIn(v.r.Context(), c.Flows.DB, identity.SignIn{Email: s.Email, Password: v.form.Get("password"), Origin: v.origin()}, c.now())
	if err != nil {
		return v.refused(s, err)
	}
	v.hold(opened)
	return v.advance(s, opened.Stage)
}

// hold makes the browser keep a session.
func (v *visit) hold(o identity.Opened) {
	v.setCookie(sessionCookie, o.Token, sessionAge)
	v.token = o.Token
	if o.Device != "" {
		v.setCookie(deviceCookie, o.Device, deviceAge)
	}
	if o.Stage == identity.StageFull {
		e := o.Session
		v.who = &e
	}
}

// advance shows the next step of a sign-in.
func (v *visit) advance(s *signView, stage identity.Stage) error {
	s.Error = ""
	switch stage {
	case identity.StageEnrol:
		return v.enrol(http.StatusOK, s)
	case identity.StageSecond:
		s.Step = "second"
		return v.sign(http.StatusOK, s)
	}
	return v.arrive(s)
}

// arrive leads on after a sign-in: to what was about to be sent, or where one was going.
func (v *visit) arrive(s *signView) error {
	if len(s.Kept.Fields) > 0 {
		s.Step = "again"
		return v.sign(http.StatusOK, s)
	}
	to := "/console"
	if s.Then != "" {
		to = s.Then
	} else if s.Kept.To != "" {
		to = s.Kept.To
	}
	return v.leave(to, "")
}

// refused shows a step again with the refusal; a fault that isn't about it is passed on.
func (v *visit) refused(s *signView, err error) error {
	f := fault.From(err)
	switch f.Kind {
	case fault.Internal, fault.Unavailable, fault.Gone, fault.Forbidden:
		return err
	case fault.TooMany:
		if seconds := f.Params["seconds"]; seconds != "" {
			v.w.Header().Set("Retry-After", seconds)
		}
	}
	if f.Code == "identity.session_ended" || f.Code == "unauthenticated" {
		s.Step, s.Notice = "password", v.lang.Fault(f)
	} else {
		s.Error = v.lang.Fault(f)
	}
	return v.sign(httpx.StatusOf(f.Kind), s)
}

func secondFactor(c *Console, v *visit) error {
	s := &signView{Step: "second", Then: consolePath(v.f("then")), Kept: keptOf(v.form), Recover: v.f("recover") != ""}
	opened, err := identity.Commit(v.r.Context(), c.Flows.DB, func(tx *db.Tx) (db.Answer[identity.Opened], error) {
		return c.Identity.SecondFactor(v.r.Context(), tx, v.token, v.f("totp"), v.origin(), c.now())
	})
	if err != nil {
		return v.refused(s, err)
	}
	v.hold(opened)
	return v.advance(s, opened.Stage)
}

// enrol shows the QR of a session that has still to set up its second factor.
func (v *visit) enrol(status int, s *signView) error {
	s.Step = "enrol"
	var e identity.Enrolment
	err := v.do(func(tx *db.Tx) error {
		var err error
		e, err = v.c.Identity.StartEnrolment(v.r.Context(), tx, v.token, v.c.now())
		return err
	})
	if err != nil {
		return v.refused(s, err)
	}
	s.Secret = e.Secret
	s.QR = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(e.QR)) // a picture we drew
	return v.sign(status, s)
}

func finishEnrolment(c *Console, v *visit) error {
	s := &signView{Then: consolePath(v.f("then")), Kept: keptOf(v.form)}
	done, err := identity.Commit(v.r.Context(), c.Flows.DB, func(tx *db.Tx) (db.Answer[identity.Enrolled], error) {
		return c.Identity.FinishEnrolment(v.r.Context(), tx, v.token, v.f("totp"), v.origin(), c.now())
	})
	if fault.CodeOf(err) == "identity.second" || fault.KindOf(err) == fault.TooMany {
		s.Error = v.lang.Fault(fault.From(err))
		return v.enrol(httpx.StatusOf(fault.KindOf(err)), s)
	}
	if err != nil {
		return v.refused(s, err)
	}
	v.hold(done.Opened)
	s.Step, s.Codes = "recovery", done.Recovery
	return v.sign(http.StatusOK, s)
}

// enrolPage lets an enrolment that was interrupted go on.
func enrolPage(c *Console, v *visit) error { return v.enrol(http.StatusOK, &signView{}) }

func signOut(c *Console, v *visit) error {
	err := v.do(func(tx *db.Tx) error {
		return c.Identity.SignOut(v.r.Context(), tx, identity.Console, v.token, v.origin(), c.now())
	})
	if err != nil {
		return err
	}
	v.setCookie(sessionCookie, "", 0)
	return v.leave("/console/sign-in", "")
}
