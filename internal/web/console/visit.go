package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/httpx"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/web/ui"
)

// The cookies. The session's is ended by the server; the one before it only ties a sign-in
// form to the browser it was made for; the device's outlives both.
const (
	sessionCookie = "hufu_console"
	preCookie     = "hufu_console_pre"
	deviceCookie  = "hufu_device"
	deviceAge     = 180 * 24 * time.Hour
)

// cookieName has the prefix that makes browsers insist on https and this very host, which
// plain http on a developer's machine can't have (S41).
func (c *Console) cookieName(name string) string {
	if c.secure {
		return "__Host-" + name
	}
	return name
}

func (v *visit) cookie(name string) string {
	k, err := v.r.Cookie(v.c.cookieName(name))
	if err != nil {
		return ""
	}
	return k.Value
}

func (v *visit) setCookie(name, value string, age time.Duration) {
	k := &http.Cookie{Name: v.c.cookieName(name), Value: value, Path: "/", MaxAge: int(age / time.Second), HttpOnly: true, Secure: v.c.secure, SameSite: http.SameSiteLaxMode}
	if value == "" {
		k.MaxAge = -1
	}
	http.SetCookie(v.w, k)
}

func (v *visit) origin() identity.Origin {
	address := ""
	if ip := httpx.CallerOf(v.r.Context()).IP; ip.IsValid() {
		address = ip.String()
	}
	return identity.Origin{Address: address, Agent: v.r.UserAgent(), Device: v.cookie(deviceCookie)}
}

func (v *visit) actor() identity.Actor { return v.who.Actor(v.origin()) }

// by is the signed-in person, as flows write it down.
func (v *visit) by() id.Party { return v.who.Party.ID }

// t is a message in the visit's language.
func (v *visit) t(key string, params ...string) string { return v.lang.T(key, params...) }

// pick is a text of the catalogue in the visit's language.
func (v *visit) pick(t catalogue.Text) string { return v.lang.Pick(t.ZH, t.EN) }

// q is a field of the query, f one of the posted form; "" when it is missing or came twice.
func (v *visit) q(name string) string { return single(v.r.URL.Query(), name) }
func (v *visit) f(name string) string { return single(v.form, name) }

func single(values url.Values, name string) string {
	if all := values[name]; len(all) == 1 {
		return strings.TrimSpace(all[0])
	}
	return ""
}

// whole reads a whole number written in digits alone, within min and max.
func whole(text string, min, max int64) (int64, bool) {
	if text == "" || len(text) > 15 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= min && n <= max
}

// page fills what every page tells its shell.
func (v *visit) page(p *ui.Page, section, title string) {
	p.Section, p.Title, p.Private, p.TraceID = section, title, true, v.trace()
	p.DraftDone = v.q("done")
	if v.who == nil {
		p.Proof = identity.CSRF(v.pre())
		return
	}
	p.Proof = identity.CSRF(v.token)
	p.User = &ui.User{Name: v.who.Party.Label(), Role: v.roleWords(v.who.Roles), Href: "/console/profile"}
	p.Hidden = map[string]bool{}
	for s, right := range rightOf {
		p.Hidden[s] = !v.who.May(right) && (orRightOf[s] == "" || !v.who.May(orRightOf[s]))
	}
	if n := v.c.openCases(v); n > 0 {
		p.Counts = map[string]int{"exceptions": n}
	}
	if say := v.q("say"); sayable(say) {
		p.Flash = append(p.Flash, ui.Flash{Tone: ui.OK, Text: v.t("console.say." + say), Toast: true})
	}
}

// says are the short confirmations that a redirect may carry in its address.
var says = []string{"saved", "published", "closed", "created", "sent", "asked", "cancelled", "received", "voided", "credited", "refunding", "refunded", "invited", "ended", "revived", "started", "undone", "state", "allowed", "proposed", "scheduled", "unscheduled", "tested"}

func sayable(s string) bool { return slices.Contains(says, s) }

func (v *visit) roleWords(roles identity.Roles) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = v.t("identity.role." + string(r))
	}
	return strings.Join(words, v.t("console.comma"))
}

// pre is the secret that ties forms to this browser before it has a session.
func (v *visit) pre() string {
	if s := v.cookie(preCookie); len(s) >= 20 && len(s) < 100 {
		return s
	}
	s := newSecret()
	v.setCookie(preCookie, s, time.Hour)
	v.r.AddCookie(&http.Cookie{Name: v.c.cookieName(preCookie), Value: s})
	return s
}

// render writes a page of the console.
func (v *visit) render(status int, name string, data ui.Data) error {
	v.c.ui.Render(v.w, v.r, status, "console/"+name, data)
	return nil
}

// leave redirects after an act, with a word of confirmation.
func (v *visit) leave(to, say string) error {
	if say != "" {
		join := "?"
		if strings.Contains(to, "?") {
			join = "&"
		}
		to += join + "say=" + say
	}
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// view reads the database.
func (v *visit) view(fn func(tx *db.Tx) error) error { return v.c.Flows.DB.View(v.r.Context(), fn) }

// do writes to it.
func (v *visit) do(fn func(tx *db.Tx) error) error { return v.c.Flows.DB.Do(v.r.Context(), fn) }

// pathID reads an identifier of the path. What isn't one doesn't exist.
func pathID[K id.Kind](v *visit, name string) (K, error) {
	k, err := id.Parse[K](v.r.PathValue(name))
	if err != nil {
		return "", fault.New(fault.NotFound, "not_found")
	}
	return k, nil
}

// formError is what a form that was refused shows: a text at each field, and the links of the
// summary.
type formError struct {
	Errors  map[string]string // by path, for the fields
	Summary map[string]string // by id, for ui/error-summary
	Text    string            // what has no field
}

// refused puts what a form was refused for beside its fields; nil is no refusal. ids maps a
// path to the id of its field where they differ. It gives back what isn't about input.
func (e *formError) refused(lang i18n.Lang, err error, ids func(string) string) error {
	if err == nil {
		return nil
	}
	if !aboutInput(err) {
		return err
	}
	f := fault.From(err)
	*e = formError{Errors: map[string]string{}, Summary: map[string]string{}}
	for _, field := range f.Fields {
		name := field.Path
		if ids != nil {
			name = ids(name)
		}
		if _, has := e.Errors[name]; !has {
			e.Errors[name], e.Summary[name] = lang.Field(field), lang.Field(field)
		}
	}
	if len(f.Fields) == 0 {
		e.Text = lang.Fault(f)
	}
	return nil
}

// aboutInput tells whether an error is one that a form can show and a person can mend.
func aboutInput(err error) bool {
	k := fault.KindOf(err)
	return k == fault.Invalid || k == fault.Conflict
}

// live answers for a part of a page that keeps itself up to date: its block, and when the
// work is done, where to go.
func (v *visit) live(done bool, href, page, block string, data any) error {
	if done {
		v.w.Header().Set("Hufu-Done", "1")
		v.w.Header().Set("Hufu-Location", href)
	}
	v.c.ui.Fragment(v.w, v.r, http.StatusOK, page, block, data)
	return nil
}

// plainLines is typed text with the line ends of one kind.
func plainLines(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// words reads a text that was typed in both languages: fields NAME.zh and NAME.en.
func words(f url.Values, name string) catalogue.Text {
	return catalogue.Text{ZH: plainLines(single(f, name+".zh")), EN: plainLines(single(f, name+".en"))}
}

// setWords fills the fields that words reads.
func setWords(f url.Values, name string, t catalogue.Text) {
	f.Set(name+".zh", t.ZH)
	f.Set(name+".en", t.EN)
}

// short is an identifier as a list shows it: its kind and its end.
func short[K ~string](k K) string {
	s := string(k)
	if kind, body, ok := strings.Cut(s, "_"); ok && len(body) > 8 {
		return kind + "_…" + body[len(body)-6:]
	}
	return s
}
