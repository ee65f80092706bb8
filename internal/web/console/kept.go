package console

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/identity"
	"hufu/internal/web/ui"
)

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
