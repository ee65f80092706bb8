package web

import (
	"net/http"
	"time"

	"hufu/internal/db"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/web/ui"
)

// runsOn gives until when rights of who is signed in run that extend others of theirs.
func (s *Web) runsOn(r *http.Request, tx *db.Tx) (map[id.Right]time.Time, error) {
	e, err := s.member(r, tx)
	if err != nil || e == nil {
		return nil, err
	}
	return s.Flows.RunOn(r.Context(), tx, e.Party.ID)
}

// runsOn tells on a ticket until when its right runs after those it extends, as the warning before its
// purchase did; the zero time is none.
func (t ticket) runsOn(lang i18n.Lang, until time.Time) ticket {
	if !until.IsZero() {
		t.Facts = append(t.Facts, ui.Fact{Label: lang.T("shop.right.runs_on"), Value: until.In(zone).Format(time.DateOnly)})
	}
	return t
}
