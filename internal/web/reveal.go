package web

import (
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/catalogue"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/vault"
	"hufu/internal/web/ui"
)

type revealView struct {
	ui.Page
	Order  id.Order
	Rights []id.Right // which; empty for all
	Names  []ui.Fact  // what will be shown
	Terms  []ui.Term  // when money is given back, of each benefit
	Error  string
}

// asked is which rights a request names; every one must be of the order.
func asked(in input, o whole) ([]id.Right, []*entitlement.Right, error) {
	of := map[id.Right]*entitlement.Right{}
	for _, r := range o.rights {
		of[r.ID] = r
	}
	var ids []id.Right
	var rights []*entitlement.Right
	for _, text := range in.values["right"] {
		r := of[id.Right(text)]
		if r == nil || r.Code == "" {
			return nil, nil, fault.New(fault.NotFound, "right.none")
		}
		ids, rights = append(ids, r.ID), append(rights, r)
	}
	if ids == nil {
		for _, r := range o.rights {
			if r.Code != "" && r.State.Allows(entitlement.StepRevealed) {
				rights = append(rights, r)
			}
		}
	}
	if len(rights) == 0 {
		return nil, nil, fault.New(fault.NotFound, "right.none")
	}
	return ids, rights, nil
}

// askReveal asks for the distinct act: what is revealed counts as used.
func (s *Web) askReveal(w http.ResponseWriter, r *http.Request) error {
	in, err := query(r)
	if err != nil {
		return err
	}
	return s.revealForm(w, r, in, http.StatusOK, "")
}

func (s *Web) revealForm(w http.ResponseWriter, r *http.Request, in input, status int, problem string) error {
	oid, err := s.mayHold(r)
	if err != nil {
		return err
	}
	o, err := s.load(r.Context(), oid)
	if err != nil {
		return err
	}
	ids, rights, err := asked(in, o)
	if err != nil {
		return err
	}
	lang := ui.LangOf(r)
	v := &revealView{Order: oid, Rights: ids, Error: problem}
	v.Page = ui.Page{Section: "orders", Title: lang.T("shop.reveal.title"), Private: true, Crumbs: []ui.Crumb{{Label: lang.T("shop.order.title"), Href: "/orders/" + string(oid)}, {Label: lang.T("shop.reveal.title")}}}
	said := map[string]bool{}
	for i, right := range rights {
		b := benefitOf(right, o.versions[right.Version])
		if i < maxTickets {
			v.Names = append(v.Names, ui.Fact{Label: pick(lang, b.Name), Value: "**** " + o.marks[right.ID].Last4})
		}
		if text := pick(lang, b.Disclosure.Refund); text != "" && !said[text] {
			said[text] = true
			v.Terms = append(v.Terms, ui.Term{Icon: "refund", Label: pick(lang, b.Name), Text: text})
		}
	}
	if more := len(rights) - maxTickets; more > 0 {
		v.Names = append(v.Names, ui.Fact{Label: lang.T("shop.reveal.more", "n", strconv.Itoa(more)), Value: ""})
	}
	s.ui.Render(w, r, status, "shop/reveal", v)
	return nil
}

type codesView struct {
	ui.Page
	Order id.Order
	Codes []shownCode
	Guide []termGroup // how each benefit is used
}

// shownCode is a code in clear.
type shownCode struct {
	Name, Code, Note, Valid string
	Plain                   []plainSecret // card number, account, password
	QR                      template.HTML
}

// plainSecret is one more part of a code. Long card numbers are set in groups; what may
// hold anything, like an account, is left in one piece.
type plainSecret struct {
	Label, Value string
	Parts        []string
}

func secret(label string, value vault.Hidden) []plainSecret {
	if value == "" {
		return nil
	}
	p := plainSecret{label, string(value), []string{string(value)}}
	if len(p.Value) >= 12 && strings.Trim(p.Value, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
		p.Parts = ui.GroupCode(p.Value)
	}
	return []plainSecret{p}
}

// maxPictures is up to how many codes each has its picture.
const maxPictures = 12

// reveal shows codes. The codes are in the answer to this one request and nowhere else: in
// no address, no cache, no cookie (S15).
func (s *Web) reveal(w http.ResponseWriter, r *http.Request) error {
	oid, err := s.mayHold(r)
	if err != nil {
		return err
	}
	in, err := form(r)
	if err != nil {
		return err
	}
	if q, err := query(r); err != nil {
		return err
	} else if in.values["right"] == nil {
		in.values["right"] = q.values["right"]
	}
	o, err := s.load(r.Context(), oid)
	if err != nil {
		return err
	}
	ids, rights, err := asked(in, o)
	if err != nil {
		return err
	}
	confirmed := in.text("agree") == "1"
	for _, right := range rights {
		if right.State == entitlement.Held && !confirmed {
			return s.revealForm(w, r, in, http.StatusBadRequest, say(r, "fault.right.confirm"))
		}
	}
	lang := ui.LangOf(r)
	data, err := json.Marshal(map[string]any{"confirmed": confirmed, "text": lang.T("shop.reveal.agree"), "channel": "web"})
	if err != nil {
		return err
	}
	shown, err := s.Flows.Reveal(r.Context(), flow.Reveal{Order: oid, Rights: ids, Actor: s.actor(r, o.order), Data: string(data)})
	if err != nil {
		return err
	}
	v := &codesView{Order: oid}
	v.Page = ui.Page{Section: "orders", Title: lang.T("shop.codes.title"), Private: true, Crumbs: []ui.Crumb{{Label: lang.T("shop.order.title"), Href: "/orders/" + string(oid)}, {Label: lang.T("shop.codes.title")}}}
	now, guided := s.now(), map[id.Benefit]bool{}
	for _, sh := range shown {
		version := o.versions[sh.Right.Version]
		b := benefitOf(sh.Right, version)
		c := shownCode{Name: pick(lang, b.Name), Code: string(sh.Secret.Code), Note: string(sh.Secret.Note), Plain: slices.Concat(secret(lang.T("shop.codes.serial"), sh.Secret.Serial),
			secret(lang.T("shop.codes.account"), sh.Secret.Account), secret(lang.T("shop.codes.password"), sh.Secret.Password))}
		if sh.Right.EndsAt.IsZero() {
			c.Valid = lang.T("shop.right.as_terms")
		} else {
			c.Valid = lang.T("shop.right.until", "date", ui.FormatTime(lang, sh.Right.EndsAt.In(zone), now.In(zone)))
		}
		if c.Code != "" && len(shown) <= maxPictures {
			// What is too long for a picture is shown as text alone.
			if c.QR, err = qrImage(c.Code, lang.T("shop.codes.qr")); err != nil {
				c.QR = ""
			}
		}
		v.Codes = append(v.Codes, c)
		if !guided[b.ID] {
			guided[b.ID] = true
			v.Guide = append(v.Guide, guide(lang, b))
		}
	}
	s.ui.Render(w, r, http.StatusOK, "shop/codes", v)
	return nil
}

// guide is how a benefit is used and until when.
func guide(lang i18n.Lang, b catalogue.Benefit) termGroup {
	return termGroup{Name: pick(lang, b.Name), Provider: pick(lang, b.Provider.Name), ProviderID: b.Provider.Key, Terms: []ui.Term{
		{Icon: "key", Label: lang.T("shop.terms.how"), Text: pick(lang, b.Disclosure.HowToUse)},
		{Icon: "calendar", Label: lang.T("shop.terms.validity"), Text: pick(lang, b.Disclosure.Validity)},
	}}
}
