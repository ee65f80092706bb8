package console

import (
	"net/http"

	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/vault"
	"hufu/internal/web"
	"hufu/internal/web/ui"
)

type rightView struct {
	ui.Page
	Ticket ui.Ticket
	Facts  []ui.Fact
	Events []ui.Event
	Bad    int64 // first step that doesn't fit, 0 when all do
	Steps  int64
	Right  *entitlement.Right
	Code   id.Code
	Head   string
}

var ticketStates = map[entitlement.State]ui.TicketState{entitlement.Waiting: ui.TicketWaiting, entitlement.Held: ui.TicketHeld, entitlement.Revealed: ui.TicketHeld, entitlement.Used: ui.TicketUsed, entitlement.Suspended: ui.TicketWaiting,
	entitlement.Expired: ui.TicketExpired, entitlement.Refunded: ui.TicketRefunded}

// rightPage is the whole path of a right (流转路径), checked along its chain.
func rightPage(c *Console, v *visit) error {
	k, err := pathID[id.Right](v, "id")
	if err != nil {
		return err
	}
	d := &rightView{}
	var steps []entitlement.Step
	var names map[id.Party]string
	name, provider, providerID := "", "", ""
	var code vault.Delivered
	var numbers map[id.Right][]inventory.Number
	err = v.view(func(tx *db.Tx) error {
		found, err := c.Flows.Rights.Rights(v.r.Context(), tx, []id.Right{k})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fault.New(fault.NotFound, "not_found")
		}
		d.Right = found[0]
		paths, err := c.Flows.Rights.Path(v.r.Context(), tx, []id.Right{k})
		if err != nil {
			return err
		}
		steps = paths[k]
		versions, err := c.Flows.Catalogue.Versions(v.r.Context(), tx, []id.OfferVersion{d.Right.Version})
		if err != nil {
			return err
		}
		if x := versions[d.Right.Version]; x != nil && int(d.Right.Part) < len(x.Content.Parts) && d.Right.Part >= 0 {
			b := x.Content.Parts[d.Right.Part].Benefit
			name, provider, providerID = v.pick(b.Name), v.pick(b.Provider.Name), b.Provider.Key
		}
		if d.Right.Code != "" {
			codes, err := c.Flows.Codes.SealedOf(v.r.Context(), tx, []id.Right{k})
			if err != nil {
				return err
			}
			code = codes[k]
		}
		if numbers, err = c.Flows.Inventory.NumbersOf(v.r.Context(), tx, []id.Right{k}); err != nil {
			return err
		}
		var who []id.Party
		for _, s := range steps {
			who = append(who, id.Party(s.Actor))
		}
		names, err = v.names(tx, who)
		return err
	})
	if err != nil {
		return err
	}
	r := d.Right
	d.Bad, d.Steps, d.Code = entitlement.Check(*r, steps), int64(len(steps)), code.Code
	_, word := v.rightState(r.State)
	valid := v.t("console.right.no_end")
	if !r.EndsAt.IsZero() {
		valid = v.t("console.right.ends") + " " + v.when(r.EndsAt)
	}
	d.Ticket = ui.Ticket{State: ticketStates[r.State], StateLabel: word, Name: orSlug(name, short(r.Benefit)), Sub: v.known("console.kind."+r.Kind, r.Kind), Provider: provider, ProviderID: providerID, Valid: valid,
		Facts: []ui.Fact{{Label: v.t("console.right.granted"), Value: v.when(r.GrantedAt)}}}
	if no := web.NumberWords(v.lang, numbers[k]); no != "" {
		d.Ticket.Edition = no
		d.Ticket.Facts = append(d.Ticket.Facts, ui.Fact{Label: v.t("edition.number"), Value: no})
	}
	if code.Last4 != "" {
		d.Ticket.Facts = append(d.Ticket.Facts, ui.Fact{Label: v.t("console.code"), Value: "•••• " + code.Last4})
	}
	for i := len(steps) - 1; i >= 0; i-- {
		e := v.stepEvent(steps[i], names, "")
		e.Detail = "#" + ui.FormatInt(steps[i].N) + " · " + hexShort(steps[i].Hash)
		d.Events = append(d.Events, e)
	}
	d.Head = hexShort(r.Head)
	d.Facts = []ui.Fact{{Label: "ID", Value: string(r.ID), Mono: true}, {Label: v.t("console.right.steps"), Value: ui.FormatInt(r.Steps)}, {Label: v.t("console.right.head"), Value: d.Head, Mono: true}}
	v.page(&d.Page, "orders", d.Ticket.Name)
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.all_orders"), Href: "/console/orders"}, {Label: short(r.Order), Href: "/console/orders/" + string(r.Order)}, {Label: d.Ticket.Name}}
	return v.render(http.StatusOK, "right", d)
}

const hexDigits = "0123456789abcdef"

// hexShort is the beginning of a hash.
func hexShort(b []byte) string {
	out := make([]byte, 0, 16)
	for _, x := range b[:min(len(b), 8)] {
		out = append(out, hexDigits[x>>4], hexDigits[x&15])
	}
	return string(out)
}
