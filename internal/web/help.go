package web

import (
	"net/http"

	"hufu/internal/db"
	"hufu/internal/setting"
	"hufu/internal/web/ui"
)

// Support is how people reach a person: a number, an address, hours. It is shown on the
// help page.
var Support = setting.Text("shop.support", "", 200)

type helpView struct {
	ui.Page
	Topics  []string // message keys of questions; the answer has ".text" behind it
	Support string
}

var helpTopics = []string{"shop.help.where", "shop.help.unpaid", "shop.help.late", "shop.help.reveal", "shop.help.refund", "shop.help.accounts", "shop.help.lost", "shop.help.privacy"}

// help answers what people ask most, the same on each page, and says how to reach a person.
func (s *Web) help(w http.ResponseWriter, r *http.Request) error {
	v := &helpView{Page: ui.Page{Title: say(r, "ui.help")}, Topics: helpTopics}
	err := s.Flows.DB.View(r.Context(), func(tx *db.Tx) error {
		var err error
		v.Support, err = Support.Get(r.Context(), tx)
		return err
	})
	if err != nil {
		return err
	}
	s.ui.Render(w, r, http.StatusOK, "shop/help", v)
	return nil
}
