package console

import (
	"net/http"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/web/ui"
)

// seenCodes is how many codes a member of the staff has seen within the hour, of how many.
type seenCodes struct {
	Counted    bool // false of one who may see none
	Seen, Most int64
}

func (s seenCodes) stopped() bool { return s.Counted && s.Seen >= s.Most }

// Stopped reports whether the member sees no more until another allows it (S10).
func (d *memberView) Stopped() bool { return d.stopped() }

// mayReveal tells whether a member may see codes, and so be allowed more of them.
func mayReveal(m identity.Member) bool {
	return m.Active && !m.Invited && m.Roles.May(identity.CodeReveal)
}

func (v *visit) seen(tx *db.Tx, members []identity.Member) (map[id.Party]seenCodes, error) {
	var who []id.Party
	for _, m := range members {
		if mayReveal(m) {
			who = append(who, m.ID)
		}
	}
	left, most, err := v.c.Flows.RevealsLeft(v.r.Context(), tx, who)
	out := make(map[id.Party]seenCodes, len(who))
	for k, n := range left {
		out[k] = seenCodes{Counted: true, Seen: most - n, Most: most}
	}
	return out, err
}

// revealers lists, for one who doesn't manage the staff, the colleagues who may see codes:
// whom one can ask for more, or allow more.
func (v *visit) revealers(all []identity.Member, seen map[id.Party]seenCodes) error {
	l := &listView{Lead: v.t("console.staff.reveals.lead")}
	v.page(&l.Page, "staff", v.t("console.staff.reveals.list"))
	l.Table = ui.Table{Caption: l.Title, Columns: []ui.Column{{Label: v.t("console.staff.name")}, {Label: v.t("console.staff.role")}, {Label: v.t("console.state")}, {Label: v.t("console.staff.reveals.seen"), End: true, Say: true}}}
	var some []identity.Member
	for _, m := range all {
		if seen[m.ID].Counted {
			some = append(some, m)
		}
	}
	for _, m := range cut(v, some, &l.Table.Pager) {
		href := "/console/staff/" + string(m.ID)
		tone, word := v.memberState(m)
		if seen[m.ID].stopped() {
			tone, word = ui.Warn, v.t("console.staff.reveals.stopped")
		}
		sub := ""
		if m.ID == v.by() {
			sub = v.t("console.staff.you")
		}
		l.Table.Rows = append(l.Table.Rows, ui.Row{ID: string(m.ID), Href: href, Cells: []ui.Cell{ui.Link(m.Label(), href, sub), ui.Text(v.roleWords(m.Roles), ""), ui.State(tone, word), ui.Text(v.seenOf(seen[m.ID]), "")}})
	}
	return v.list(l)
}

func (v *visit) seenOf(s seenCodes) string {
	return v.t("console.staff.reveals.of", "seen", ui.FormatInt(s.Seen), "most", ui.FormatInt(s.Most))
}

// allowForm looks at what can be refused before its sender proves who they are.
func allowForm(v *visit) error {
	if v.r.PathValue("id") == string(v.by()) {
		return fault.New(fault.Forbidden, "vault.reveals_own")
	}
	if reason := v.f("reason"); reason == "" || len([]rune(reason)) > 200 {
		return fault.New(fault.Invalid, "console.form").At("reason", "vault.reason")
	}
	return nil
}

func allowRefused(v *visit, err error) error { return v.member(http.StatusBadRequest, nil, err) }

// allowReveals lets a colleague who has seen as many codes as one may in an hour see more
// (S10), with a reason, on record.
func allowReveals(c *Console, v *visit) error {
	k, err := pathID[id.Party](v, "id")
	if err != nil {
		return err
	}
	err = v.once(func(tx *db.Tx) error {
		all, err := c.Identity.Members(v.r.Context(), tx)
		if err != nil {
			return err
		}
		for _, m := range all {
			if m.ID == k && mayReveal(m) {
				return c.Flows.AllowReveals(v.r.Context(), tx, flow.AllowReveals{Party: string(k), Reason: v.f("reason"), By: string(v.by()), Origin: v.origin().Address})
			}
		}
		return fault.New(fault.NotFound, "not_found")
	})
	if err != nil {
		return err
	}
	return v.leave("/console/staff/"+string(k), "allowed")
}
