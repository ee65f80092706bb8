package console

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
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

// kept is what somebody was about to send when they had to sign in or prove who they are.
type kept struct {
	To     string // path that it was for
	Fields []ui.Fact
}

// keepPrefix is put before the names of fields that travel through a sign-in.
const keepPrefix = "keep."

// dropped are fields that don't travel: proofs and secrets.
func dropped(name string) bool {
	return name == "csrf" || name == "keep" || strings.Contains(name, "password") || strings.HasPrefix(name, "confirm_") || name == "totp" || name == "secret"
}

// keep gathers the fields of a post to be offered again.
func (v *visit) keep() kept {
	k := kept{To: v.r.URL.Path}
	for _, name := range slices.Sorted(maps.Keys(v.form)) {
		if !dropped(name) {
			for _, value := range v.form[name] {
				k.Fields = append(k.Fields, ui.Fact{Label: name, Value: value})
			}
		}
	}
	return k
}

// keptOf reads what travels in a form of the sign-in.
func keptOf(form url.Values) kept {
	k := kept{To: consolePath(single(form, "keep"))}
	if k.To == "" {
		return kept{}
	}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if field, ok := strings.CutPrefix(name, keepPrefix); ok && !dropped(field) {
			for _, value := range form[name] {
				k.Fields = append(k.Fields, ui.Fact{Label: field, Value: value})
			}
		}
	}
	return k
}

// consolePath is s when it is a page of the console, else "".
func consolePath(s string) string {
	if s != "/console" && !strings.HasPrefix(s, "/console/") && !strings.HasPrefix(s, "/console?") {
		return ""
	}
	if ui.LocalPath(s) != s || strings.HasPrefix(s, "/console/sign-") {
		return ""
	}
	return s
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

// askSignIn answers a request of somebody who isn't signed in (any more), keeping what it
// was about.
func (v *visit) askSignIn(why error) error {
	if v.r.Header.Get("Hufu-Fragment") != "" {
		v.w.Header().Set("Hufu-Location", "/console")
		v.w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	s := &signView{Step: "password"}
	if fault.CodeOf(why) == "identity.session_ended" {
		s.Notice = v.lang.Fault(fault.From(why))
		v.setCookie(sessionCookie, "", 0)
	}
	switch v.r.Method {
	case http.MethodPost:
		if s.Kept = v.keep(); v.route.upload {
			s.Kept = kept{To: v.r.URL.Path}
		}
	default:
		s.Then = consolePath(v.r.URL.RequestURI())
	}
	return v.sign(http.StatusUnauthorized, s)
}

// offerAgain shows what somebody sent, to be sent once more by their own hand.
func (v *visit) offerAgain(status int) error {
	return v.sign(status, &signView{Step: "again", Kept: v.keep()})
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
	return v.sign(ui.Status(f.Kind), s)
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
	if fault.CodeOf(err) == "identity.second" || kindOf(err) == fault.TooMany {
		s.Error = v.lang.Fault(fault.From(err))
		return v.enrol(ui.Status(kindOf(err)), s)
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
	if kindOf(err) == fault.Invalid {
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

// confirmIdentity asks for a proof of identity before a sensitive act. The form it shows
// carries the act's own fields and goes where the act goes, so proving and doing are one
// press. It reports that the act may go on.
func (c *Console) confirmIdentity(v *visit) (bool, error) {
	s := &signView{Step: "confirm", Kept: v.keep()}
	code, password := v.f("confirm_code"), v.form.Get("confirm_password")
	var e *identity.Session
	var err error
	switch {
	case code != "":
		e, err = identity.Commit(v.r.Context(), c.Flows.DB, func(tx *db.Tx) (db.Answer[*identity.Session], error) {
			return c.Identity.ConfirmCode(v.r.Context(), tx, v.token, code, v.origin(), c.now())
		})
	case password != "":
		e, err = c.Identity.ConfirmPassword(v.r.Context(), c.Flows.DB, v.token, password, v.origin(), c.now())
	default:
		return false, v.sign(http.StatusForbidden, s)
	}
	if err != nil {
		return false, v.refused(s, err)
	}
	v.who = e
	return true, nil
}
