package console

import (
	"net/http"
	"slices"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/httpx"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/web/ui"
)

func staff(c *Console, v *visit) error {
	var all []identity.Member
	var seen map[id.Party]seenCodes
	if err := v.view(func(tx *db.Tx) (err error) {
		if all, err = c.Identity.Members(v.r.Context(), tx); err == nil {
			seen, err = v.seen(tx, all)
		}
		return err
	}); err != nil {
		return err
	}
	if !v.who.May(identity.StaffManage) {
		return v.revealers(all, seen)
	}
	l := &listView{Lead: v.t("console.staff.lead"), Actions: []ui.Action{{Label: v.t("console.staff.roles"), Href: "/console/staff/roles", Kind: "secondary", Icon: "shield"}, {Label: v.t("console.staff.invite"), Href: "/console/staff/invite", Icon: "plus"}}}
	v.page(&l.Page, "staff", v.t("ui.nav.staff"))
	l.Table = ui.Table{Caption: v.t("ui.nav.staff"), Columns: []ui.Column{{Label: v.t("console.staff.name")}, {Label: v.t("console.staff.role")}, {Label: v.t("console.state")}, {Label: v.t("console.staff.second")}, {Label: v.t("console.customer.since"), End: true}}}
	for _, m := range cut(v, all, &l.Table.Pager) {
		href := "/console/staff/" + string(m.ID)
		tone, word := v.memberState(m)
		if seen[m.ID].stopped() {
			tone, word = ui.Warn, v.t("console.staff.reveals.stopped")
		}
		second := v.t("console.staff.second.no")
		if m.Enrolled {
			second = v.t("console.staff.second.yes")
		}
		l.Table.Rows = append(l.Table.Rows, ui.Row{ID: string(m.ID), Href: href, Cells: []ui.Cell{ui.Link(m.Label(), href, m.Email), ui.Text(v.roleWords(m.Roles), ""), ui.State(tone, word), ui.Text(second, ""), ui.On(m.CreatedAt)}})
	}
	return v.list(l)
}

func (v *visit) memberState(m identity.Member) (ui.Tone, string) {
	switch {
	case !m.Active:
		return ui.Stop, v.t("console.disabled")
	case m.Invited:
		return ui.Info, v.t("console.staff.invited")
	}
	return ui.OK, v.t("console.active")
}

type memberView struct {
	ui.Page
	formError
	Fresh  bool
	Member identity.Member
	Tone   ui.Tone
	State  string
	Roles  []roleChoice
	Langs  []ui.Option
	Values map[string]string
	Self   bool
	Link   string // just made; it can't be had again
	Ends   string
	Facts  []ui.Fact
	Lead   string
	Narrow bool // for one who doesn't manage the staff: no contact, no sessions, nothing to manage
	seenCodes
	MayAllow bool
}

type roleChoice struct {
	Name, Label, Rights string
	Checked             bool
}

func (v *visit) roleChoices(has func(identity.Role) bool) []roleChoice {
	out := make([]roleChoice, len(identity.AllRoles))
	for i, r := range identity.AllRoles {
		words := ""
		for _, right := range identity.AllRights {
			if r.May(right) {
				if words != "" {
					words += v.t("console.comma")
				}
				words += v.t("identity.right." + string(right))
			}
		}
		out[i] = roleChoice{string(r), v.t("identity.role." + string(r)), words, has(r)}
	}
	return out
}

func invitePage(_ *Console, v *visit) error { return v.invite(http.StatusOK, nil, nil) }

func (v *visit) invite(status int, made *identity.Invited, refusal error) error {
	d := &memberView{Fresh: true, Values: map[string]string{"email": v.f("email"), "name": v.f("name"), "lang": v.f("lang")}}
	if err := d.refused(v.lang, refusal, nil); err != nil {
		return err
	}
	chosen := v.form["role"]
	d.Roles = v.roleChoices(func(r identity.Role) bool { return slices.Contains(chosen, string(r)) })
	d.Langs = langOptions(d.Values["lang"])
	v.page(&d.Page, "staff", v.t("console.staff.invite"))
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.staff"), Href: "/console/staff"}, {Label: d.Title}}
	if made != nil {
		d.Link, d.Ends, d.DraftDone = v.c.joinLink(made.Token), v.when(made.ExpiresAt), "invite"
	}
	return v.render(status, "member", d)
}

func langOptions(chosen string) []ui.Option {
	var out []ui.Option
	for _, l := range []i18n.Lang{i18n.ZH, i18n.EN} {
		out = append(out, ui.Option{Value: string(l), Label: langName(l), Selected: (l == i18n.EN) == (chosen == string(i18n.EN))})
	}
	return out
}

// langName is a language as its speakers call it.
func langName(l i18n.Lang) string {
	switch l {
	case i18n.ZH:
		return "简体中文"
	case i18n.EN:
		return "English"
	}
	return string(l)
}

// joinLink is the address at which an invited person chooses a password.
func (c *Console) joinLink(token string) string { return c.PublicURL + "/console/join?token=" + token }

func inviteStaff(c *Console, v *visit) error {
	roles, err := identity.ParseRoles(v.form["role"])
	if err != nil {
		return err
	}
	var made identity.Invited
	err = v.once(func(tx *db.Tx) (err error) {
		made, err = c.Identity.Invite(v.r.Context(), tx, v.actor(), identity.Invite{Email: v.f("email"), Name: v.f("name"), Lang: i18n.Match(v.f("lang")), Roles: roles}, c.now())
		return err
	})
	if place := map[string]string{"identity.email": "email", "identity.email_taken": "email", "identity.role_none": "role"}[fault.CodeOf(err)]; place != "" {
		return v.invite(http.StatusBadRequest, nil, fault.New(fault.Invalid, "console.form").At(place, fault.CodeOf(err)))
	}
	if err != nil {
		return err
	}
	if made.Token == "" { // sent twice: the link was shown and can't be had again
		return v.leave("/console/staff", "invited")
	}
	return v.invite(http.StatusOK, &made, nil)
}

func memberPage(_ *Console, v *visit) error { return v.member(http.StatusOK, nil, nil) }

func (v *visit) member(status int, made *identity.Invited, refusal error) error {
	k, err := pathID[id.Party](v, "id")
	if err != nil {
		return err
	}
	d := &memberView{Self: k == v.by(), Narrow: !v.who.May(identity.StaffManage), Values: map[string]string{"reason": v.f("reason")}}
	if err := d.refused(v.lang, refusal, nil); err != nil {
		return err
	}
	var sessions []identity.Session
	err = v.view(func(tx *db.Tx) error {
		all, err := v.c.Identity.Members(v.r.Context(), tx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(m identity.Member) bool { return m.ID == k })
		if i < 0 || d.Narrow && !mayReveal(all[i]) {
			return fault.New(fault.NotFound, "not_found")
		}
		d.Member = all[i]
		seen, err := v.seen(tx, all[i:i+1])
		if err != nil {
			return err
		}
		d.seenCodes = seen[k]
		sessions, err = v.c.Identity.Sessions(v.r.Context(), tx, k, v.c.now())
		return err
	})
	if err != nil {
		return err
	}
	d.Tone, d.State = v.memberState(d.Member)
	d.MayAllow = d.Counted && !d.Self && v.who.May(identity.CodeReveal)
	d.Roles = v.roleChoices(func(r identity.Role) bool { return slices.Contains(d.Member.Roles, r) })
	last := v.t("console.never")
	if len(sessions) > 0 {
		last = v.when(sessions[0].SeenAt)
	}
	d.Facts = []ui.Fact{{Label: v.t("console.sign.email"), Value: d.Member.Email}, {Label: v.t("console.customer.since"), Value: v.when(d.Member.CreatedAt)}, {Label: v.t("console.staff.sessions"), Value: ui.FormatInt(int64(len(sessions)))},
		{Label: v.t("console.staff.last_seen"), Value: last}, {Label: "ID", Value: string(k), Mono: true}}
	if d.Narrow {
		d.Facts, d.Lead = nil, v.roleWords(d.Member.Roles)
	}
	if made != nil {
		d.Link, d.Ends = v.c.joinLink(made.Token), v.when(made.ExpiresAt)
	}
	v.page(&d.Page, "staff", d.Member.Label())
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.staff"), Href: "/console/staff"}, {Label: d.Title}}
	return v.render(status, "member", d)
}

// steerMember changes roles, disables, enables, or makes a link to start anew.
func steerMember(c *Console, v *visit) error {
	k, err := pathID[id.Party](v, "id")
	if err != nil {
		return err
	}
	var made *identity.Invited
	err = v.once(func(tx *db.Tx) error {
		ctx, by, now := v.r.Context(), v.actor(), c.now()
		switch v.f("op") {
		case "roles":
			roles, err := identity.ParseRoles(v.form["role"])
			if err != nil {
				return err
			}
			return c.Identity.SetRoles(ctx, tx, by, k, roles, now)
		case "disable":
			return c.Identity.Disable(ctx, tx, by, k, now)
		case "enable":
			return c.Identity.Enable(ctx, tx, by, k, now)
		case "reset":
			link, err := c.Identity.Reset(ctx, tx, by, k, now)
			made = &link
			return err
		}
		return fault.New(fault.Invalid, "http.form")
	})
	if kind := fault.KindOf(err); err != nil && (kind == fault.Conflict || kind == fault.Invalid && fault.CodeOf(err) != "http.form") {
		return v.member(httpx.StatusOf(kind), nil, err)
	}
	if err != nil {
		return err
	}
	if made != nil {
		return v.member(http.StatusOK, made, nil)
	}
	return v.leave("/console/staff/"+string(k), "saved")
}

type matrixView struct {
	ui.Page
	Roles []string
	Rows  []matrixRow
}

type matrixRow struct {
	Label string
	Has   []bool
}

func rolesPage(_ *Console, v *visit) error {
	d := &matrixView{}
	for _, r := range identity.AllRoles {
		d.Roles = append(d.Roles, v.t("identity.role."+string(r)))
	}
	for _, right := range identity.AllRights {
		row := matrixRow{Label: v.t("identity.right." + string(right))}
		for _, r := range identity.AllRoles {
			row.Has = append(row.Has, r.May(right))
		}
		d.Rows = append(d.Rows, row)
	}
	v.page(&d.Page, "staff", v.t("console.staff.roles"))
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.staff"), Href: "/console/staff"}, {Label: d.Title}}
	return v.render(http.StatusOK, "roles", d)
}
