package console

import (
	"net/http"
	"slices"
	"strings"

	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/notify"
	"hufu/internal/web/ui"
)

type noticesView struct {
	ui.Page
	Messages []noticeRow
	Pager    ui.Pager
	Empty    ui.Empty
	Dev      bool
}

type noticeRow struct {
	Message   notify.Message
	To        string
	Body      string
	Link      string
	OrderHref string
	Secret    bool // for its reader alone
}

// notices shows what was written to people. Where messages leave the house by no other way
// (the development adapter), this page is how the owner reads them: links, codes and all,
// with which they could be anybody. Nobody else's page has them, there or anywhere.
func notices(c *Console, v *visit) error {
	d := &noticesView{Dev: c.ShowMessages && slices.Contains(v.who.Roles, identity.Owner)}
	var all []notify.Message
	if err := v.view(func(tx *db.Tx) (err error) {
		all, err = notify.Newest(v.r.Context(), tx, id.Notification(v.q("before")), perPage+1)
		return err
	}); err != nil {
		return err
	}
	all, d.Pager = onward(v, all, perPage, func(m notify.Message) string { return string(m.ID) })
	for _, m := range all {
		row := noticeRow{Message: m, To: maskTarget(m), Body: m.Body}
		if m.Order != "" {
			row.OrderHref = "/console/orders/" + string(m.Order)
		}
		switch {
		case d.Dev:
			row.To = m.Target
			if m.Order != "" {
				row.Link = c.PublicURL + "/orders/" + string(m.Order) + "?k=" + c.Flows.Keys.LinkSecret(string(m.Order))
			}
		case m.Confidential():
			row.Body, row.Secret = "", true
		}
		row.Body = strings.ReplaceAll(row.Body, "{link}", "")
		d.Messages = append(d.Messages, row)
	}
	d.Empty = ui.Empty{Art: "bell", Title: v.t("console.notices.empty"), Text: v.t("console.notices.empty.text")}
	v.page(&d.Page, "notices", v.t("ui.nav.notices"))
	return v.render(http.StatusOK, "notices", d)
}
