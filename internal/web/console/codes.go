package console

import (
	"net/http"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/vault"
	"hufu/internal/web/ui"
)

type findView struct {
	ui.Page
	Asked bool
	Found ui.Table
}

func findPage(_ *Console, v *visit) error { return v.findCodes(http.StatusOK, &findView{}) }

func (v *visit) findCodes(status int, d *findView) error {
	v.page(&d.Page, "batches", v.t("console.codes.find"))
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.batches"), Href: "/console/batches"}, {Label: d.Title}}
	return v.render(status, "find", d)
}

// findCode looks for a code by its whole text, which is posted so that it stands in no
// address and no log.
func findCode(c *Console, v *visit) error {
	text := v.f("secret")
	if text == "" || len(text) > 512 {
		return v.findCodes(http.StatusBadRequest, &findView{Asked: true})
	}
	found, err := c.Flows.FindCode(v.r.Context(), text)
	if err != nil {
		return err
	}
	return v.foundCodes(found)
}

// leastCode is from how many bytes what is searched for is looked up as a code.
const leastCode = 6

// codesNamed finds the codes that a text is, whole, for who may look for codes. A part finds
// none: to find a code by its end, every code stored would cost a write to an index in random
// order, which costs more than all the rest of storing it.
func (v *visit) codesNamed(text string) ([]vault.Shown, error) {
	if !v.who.May(identity.StockView) || len(text) < leastCode || len(text) > 512 {
		return nil, nil
	}
	return v.c.Flows.FindCode(v.r.Context(), text)
}

// foundCodes leads to the code that was found, or lists them.
func (v *visit) foundCodes(found []vault.Shown) error {
	if len(found) == 1 {
		return v.leave("/console/codes/"+string(found[0].ID), "")
	}
	d := &findView{Asked: true}
	d.Found = ui.Table{Caption: v.t("console.codes.find"), Columns: []ui.Column{{Label: v.t("console.code")}, {Label: v.t("console.state")}, {Label: v.t("console.code.delivered_at"), End: true}}}
	for _, s := range found {
		tone, word := v.codeState(s.State)
		href := "/console/codes/" + string(s.ID)
		d.Found.Rows = append(d.Found.Rows, ui.Row{Href: href, Cells: []ui.Cell{ui.Link("•••• "+s.Last4, href, short(s.Batch)), ui.State(tone, word), ui.At(s.DeliveredAt)}})
	}
	d.Found.Empty = ui.Empty{Art: "search", Title: v.t("console.codes.none"), Text: v.t("console.codes.none.text")}
	return v.findCodes(http.StatusOK, d)
}

type codeView struct {
	ui.Page
	formError
	Code      vault.Shown
	BatchName string
	Tone      ui.Tone
	State     string
	Facts     []ui.Fact
	Right     *entitlement.Right
	MayReveal bool
	MayVoid   bool
	Secret    []ui.Fact // only right after a reveal
	Whole     string
	Trail     []ui.Event
	Reason    string
	PerHour   int64
}

func codePage(_ *Console, v *visit) error { return v.code(http.StatusOK, nil, nil) }

func (v *visit) code(status int, secret *vault.Record, refusal error) error {
	k, err := pathID[id.Code](v, "id")
	if err != nil {
		return err
	}
	d := &codeView{MayReveal: v.who.May(identity.CodeReveal), Reason: v.f("reason")}
	if fault.CodeOf(refusal) == "vault.reveals" {
		d.Text = v.lang.Fault(fault.From(refusal))
	} else if err := d.refused(v.lang, refusal, nil); err != nil {
		return err
	}
	var rows []audit.Row
	var names map[id.Party]string
	var batch *vault.Batch
	err = v.view(func(tx *db.Tx) error {
		if d.Code, _, err = vault.CodeByID(v.r.Context(), tx, k); err != nil {
			return err
		}
		if batch, err = vault.BatchByID(v.r.Context(), tx, d.Code.Batch); err != nil {
			return err
		}
		if d.PerHour, err = flow.RevealsPerHour.Get(v.r.Context(), tx); err != nil {
			return err
		}
		if rows, err = audit.Of(v.r.Context(), tx, string(k)); err != nil {
			return err
		}
		if d.Code.Right != "" {
			found, err := v.c.Flows.Rights.Rights(v.r.Context(), tx, []id.Right{d.Code.Right})
			if err != nil {
				return err
			}
			if len(found) > 0 {
				d.Right = found[0]
			}
		}
		names, err = v.names(tx, actorsOf(rows))
		return err
	})
	if err != nil {
		return err
	}
	d.BatchName = batch.Name
	d.Tone, d.State = v.codeState(d.Code.State)
	d.MayVoid = v.who.May(identity.StockEdit) && (d.Code.State == vault.CodeAvailable || d.Code.State == vault.CodeFilling)
	expires := v.t("console.never")
	if !d.Code.ExpiresAt.IsZero() {
		expires = v.when(d.Code.ExpiresAt)
	}
	d.Facts = []ui.Fact{{Label: v.t("console.code.last4"), Value: "•••• " + d.Code.Last4}, {Label: v.t("console.batch.issuer"), Value: batch.Issuer}, {Label: v.t("console.expires"), Value: expires},
		{Label: v.t("console.code.delivered_at"), Value: v.when(d.Code.DeliveredAt)}, {Label: "ID", Value: string(d.Code.ID), Mono: true}}
	for i := len(rows) - 1; i >= 0; i-- {
		d.Trail = append(d.Trail, v.auditEvent(rows[i], names))
	}
	if secret != nil {
		for _, p := range []struct {
			key  string
			text vault.Hidden
		}{{"console.code", secret.Code}, {"console.code.serial", secret.Serial}, {"console.code.account", secret.Account}, {"console.code.password", secret.Password}, {"console.code.note", secret.Note}} {
			if p.text == "" {
				continue
			}
			if text := string(p.text); d.Whole == "" && p.key == "console.code" {
				d.Whole = batch.Format.Display(text)
			} else {
				d.Secret = append(d.Secret, ui.Fact{Label: v.t(p.key), Value: text})
			}
		}
	}
	title := v.t("console.code") + " •••• " + d.Code.Last4
	v.page(&d.Page, "batches", title)
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.batches"), Href: "/console/batches"}, {Label: batch.Name, Href: "/console/batches/" + string(batch.ID)}, {Label: title}}
	return v.render(status, "code", d)
}

// revealCode shows a code in clear: with the right, a fresh proof of identity, a reason, an
// audit row written before, and a limit for each person.
func revealCode(c *Console, v *visit) error {
	k, err := pathID[id.Code](v, "id")
	if err != nil {
		return err
	}
	if v.f("reason") == "" || len([]rune(v.f("reason"))) > 200 {
		return v.code(http.StatusBadRequest, nil, fault.New(fault.Invalid, "console.form").At("reason", "vault.reason"))
	}
	_, secret, err := c.Flows.RevealCode(v.r.Context(), flow.RevealCode{Code: k, Reason: v.f("reason"), By: string(v.by()), Origin: v.origin().Address})
	if fault.CodeOf(err) == "vault.reveals" {
		return v.code(http.StatusTooManyRequests, nil, err)
	}
	if err != nil {
		return err
	}
	return v.code(http.StatusOK, &secret, nil)
}

func voidCode(c *Console, v *visit) error {
	k, err := pathID[id.Code](v, "id")
	if err != nil {
		return err
	}
	err = c.Flows.VoidCodes(v.r.Context(), flow.VoidCodes{Codes: []id.Code{k}, Reason: v.f("void_reason"), By: string(v.by()), Origin: v.origin().Address})
	switch fault.CodeOf(err) {
	case "", "vault.code_void": // pressed twice
		return v.leave("/console/codes/"+string(k), "voided")
	case "vault.reason":
		return v.code(http.StatusBadRequest, nil, fault.New(fault.Invalid, "console.form").At("void_reason", "vault.reason"))
	}
	if fault.KindOf(err) == fault.Conflict {
		return v.code(http.StatusConflict, nil, err)
	}
	return err
}
