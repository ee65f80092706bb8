package console

import (
	"net/http"
	"strings"

	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/payment"
	"hufu/internal/web/ui"
)

// owedRefund is a refund that failed, with what may be done about it.
type owedRefund struct {
	ID                           id.Refund
	Page                         string // its acts are posted under
	Amount, To                   string
	Facts                        []ui.Fact
	May                          bool
	Reason, Reference, HowReason string // what was typed
	Ways                         []ui.Option
	ByHand                       bool // that form was refused
	Errors                       map[string]string
}

// owed offers, on a page, to send failed refunds again or to record how they were paid.
func (v *visit) owed(page string, failed []payment.Refund, errors map[string]string) []owedRefund {
	out := make([]owedRefund, len(failed))
	for i, r := range failed {
		o := owedRefund{ID: r.ID, Page: page, Amount: r.Amount.String(), To: v.gateway(r.Provider), May: v.who.May(identity.OrderRefund), Errors: errors,
			Facts: []ui.Fact{{Label: v.t("console.refund"), Value: string(r.ID), Mono: true}, {Label: v.t("console.owed.failed"), Value: v.when(r.FailedAt)}, {Label: v.t("console.owed.why"), Value: v.known("fault."+r.Note, dash(r.Note))}}}
		typed := v.f("refund") == string(r.ID)
		if typed {
			o.Reason, o.Reference, o.HowReason = v.f("reason"), v.f("reference"), v.f("paid_reason")
			o.ByHand = strings.HasSuffix(v.r.URL.Path, "/paid")
		}
		o.Ways = []ui.Option{{Label: v.t("console.owed.way.choose")}}
		for _, w := range []payment.Way{payment.ByBank, payment.ByGateway} {
			o.Ways = append(o.Ways, ui.Option{Value: string(w), Label: v.way(w, r.Provider), Selected: typed && v.f("way") == string(w)})
		}
		out[i] = o
	}
	return out
}

func (v *visit) way(w payment.Way, provider string) string {
	return v.t("console.owed.way."+string(w), "to", v.gateway(provider))
}

// owedField is the id of a field of a form about a failed refund; several may be on a page.
func (v *visit) owedField(name string) string {
	if r := v.f("refund"); r != "" {
		return name + "-" + r
	}
	return name
}

// required tells which of a form's fields are empty.
func (v *visit) required(names ...string) error {
	f := fault.New(fault.Invalid, "console.form")
	for _, name := range names {
		if plainLines(v.f(name)) == "" {
			f.At(name, "console.required")
		}
	}
	if len(f.Fields) > 0 {
		return f
	}
	return nil
}

func againForm(v *visit) error { return v.required("reason") }

func paidForm(v *visit) error { return v.required("way", "reference", "paid_reason") }

func owedRefused(v *visit, err error) error { return v.owedPage(http.StatusBadRequest, err) }

// owedPage shows the page again that an act about a failed refund was posted on.
func (v *visit) owedPage(status int, err error) error {
	if strings.HasPrefix(v.r.URL.Path, "/console/orders/") {
		return v.orderPage(status, "", err)
	}
	return v.exceptionPage(status, err)
}

// owedDone leads back to the page of an act about a refund, or shows why it was refused.
func (v *visit) owedDone(r payment.Refund, err error) error {
	switch {
	case fault.CodeOf(err) == "refund.silent":
		return v.owedPage(http.StatusServiceUnavailable, fault.New(fault.Conflict, "refund.silent"))
	case fault.KindOf(err) == fault.Conflict:
		return v.owedPage(http.StatusConflict, err)
	case err != nil:
		return err
	}
	say := "refunding"
	if r.State == payment.RefundDone {
		say = "refunded"
	}
	page := v.r.URL.Path[:strings.LastIndexByte(v.r.URL.Path, '/')]
	return v.leave(page+"?done=refund-"+v.f("refund"), say)
}

// refundAgain sends a failed refund again. Pressed twice it is sent once.
func refundAgain(c *Console, v *visit) error {
	r, err := id.Parse[id.Refund](v.f("refund"))
	if err != nil {
		return fault.New(fault.NotFound, "refund.not_found")
	}
	out, err := c.Flows.RefundAgain(v.r.Context(), flow.RefundAgain{Refund: r, Reason: clip(plainLines(v.f("reason")), 200), By: v.by(), Origin: v.origin().Address})
	return v.owedDone(out, err)
}

// paidByHand records how a failed refund was paid. Pressed twice it is booked once.
func paidByHand(c *Console, v *visit) error {
	r, err := id.Parse[id.Refund](v.f("refund"))
	if err != nil {
		return fault.New(fault.NotFound, "refund.not_found")
	}
	out, err := c.Flows.RefundByHand(v.r.Context(), flow.RefundByHand{Refund: r, Way: payment.Way(v.f("way")), Reference: clip(plainLines(v.f("reference")), 80),
		Reason: clip(plainLines(v.f("paid_reason")), 200), By: v.by(), Origin: v.origin().Address})
	return v.owedDone(out, err)
}
