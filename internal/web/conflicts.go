package web

import (
	"context"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/flow"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/order"
	"hufu/internal/web/ui"
)

// conflictsView is what a purchase means for what a shopper holds (权益冲突).
type conflictsView struct {
	Groups  []conflictGroup // the gravest first
	Hash    string          // of what has to be acknowledged, "" for nothing
	Blocked bool
	Note    string // what was checked; "" when no relation speaks of the offer
	SignIn  string // where a guest signs in to have it checked
}

type conflictGroup struct {
	Tone  ui.Tone
	Title string
	Lines []string
}

var conflictTones = map[catalogue.Severity]ui.Tone{catalogue.Block: ui.Stop, catalogue.Acknowledge: ui.Warn, catalogue.Inform: ui.Info}

// conflicts checks so many of a version, with some picks, against what the member holds; nobody is signed in
// when e is nil. back is the page to come back to.
func (s *Web) conflicts(ctx context.Context, lang i18n.Lang, e *identity.Session, version *catalogue.Version, n int64, picks order.Picks, back string) (conflictsView, error) {
	var v conflictsView
	var party id.Party
	if e != nil {
		party = e.Party.ID
	}
	var found []catalogue.Finding
	var touched bool
	if err := s.Flows.DB.View(ctx, func(tx *db.Tx) (err error) {
		found, touched, err = s.Flows.Conflicts(ctx, tx, party, []flow.Wanted{{Version: version, Quantity: n, Picks: picks}}, s.now())
		return err
	}); err != nil || !touched {
		return v, err
	}
	v.Groups = findingsIn(lang, found, "shop.conflicts.")
	v.Hash, v.Blocked, v.Note = flow.FindingsHash(lang, found), catalogue.Gravest(found) == catalogue.Block, lang.T("shop.conflicts.account")
	if e == nil {
		if v.Note = lang.T("shop.conflicts.guest"); s.People != nil {
			v.SignIn = "/sign-in?to=" + back
		}
	}
	return v, nil
}

// findingsIn puts findings into words, the gravest first. The messages of area are the titles of
// what forbids and of what has to be acknowledged.
func findingsIn(lang i18n.Lang, found []catalogue.Finding, area string) []conflictGroup {
	var out []conflictGroup
	for _, severity := range catalogue.Severities {
		g := conflictGroup{Tone: conflictTones[severity], Title: lang.T("shop.conflicts.inside")}
		for _, f := range catalogue.Of(found, severity) {
			g.Lines = append(g.Lines, flow.ExplainFinding(lang, f))
			if len(f.Held) > 0 {
				g.Title = lang.T("shop.conflicts.title")
			}
		}
		if severity != catalogue.Inform {
			g.Title = lang.T(area + string(severity))
		}
		if len(g.Lines) > 0 {
			out = append(out, g)
		}
	}
	return out
}
