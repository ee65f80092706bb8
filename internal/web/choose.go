package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/terms"
	"hufu/internal/httpx"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/order"
	"hufu/internal/web/ui"
)

// chooseView is where the holder of a right picks what it is.
type chooseView struct {
	ui.Page
	Right   string
	Choice  choiceView
	Bundle  bundleView // of Choice alone
	Till    time.Time
	Default string // what it falls to
	// Conflict is what the pick means for what the holder has, once it was refused for that.
	Conflict conflictsView
}

// heldRight finds a right that the visitor may see, with what it was sold as. To who may not
// see its order it is like one that there isn't.
func (s *Web) heldRight(r *http.Request) (*entitlement.Right, *catalogue.Version, error) {
	none := fault.New(fault.NotFound, "order.not_found")
	rid, err := id.Parse[id.Right](r.PathValue("id"))
	if err != nil {
		return nil, nil, none
	}
	var right *entitlement.Right
	var version *catalogue.Version
	err = s.Flows.DB.View(r.Context(), func(tx *db.Tx) error {
		found, err := s.Flows.Rights.Rights(r.Context(), tx, []id.Right{rid})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return none
		}
		right = found[0]
		versions, err := s.Flows.Catalogue.Versions(r.Context(), tx, []id.OfferVersion{right.Version})
		version = versions[right.Version]
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	r.SetPathValue("id", string(right.Order)) // who may see the order may see its rights
	if _, err := s.mayHold(r); err != nil {
		return nil, nil, err
	}
	return right, version, nil
}

// askChoice shows what a right can be chosen to be.
func (s *Web) askChoice(w http.ResponseWriter, r *http.Request) error {
	right, version, err := s.heldRight(r)
	if err != nil {
		return err
	}
	return s.choicePage(w, r, right, version, nil, nil)
}

// choose makes of a right what its holder picked.
func (s *Web) choose(w http.ResponseWriter, r *http.Request) error {
	in, err := form(r)
	if err != nil {
		return err
	}
	picks, err := in.picks()
	if err != nil {
		return err
	}
	right, version, err := s.heldRight(r)
	if err != nil {
		return err
	}
	ch := choiceOf(right, version)
	if ch == nil {
		return fault.New(fault.Conflict, "right.no_choice")
	}
	_, err = s.Flows.Choose(r.Context(), flow.Choose{Order: right.Order, Right: right.ID, Parts: picks[ch.Key], Actor: "holder", Conflicts: in.text("conflicts")})
	switch fault.CodeOf(err) {
	case "order.picks", "right.option_sold_out", "right.conflict", "right.conflict_unread", "right.conflict_changed":
		return s.choicePage(w, r, right, version, picks, err)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/rights/"+string(right.ID), http.StatusSeeOther)
	return nil
}

// choicePage is the page of a choice. One that isn't to be made leads to its right, which says
// what it is.
func (s *Web) choicePage(w http.ResponseWriter, r *http.Request, right *entitlement.Right, version *catalogue.Version, picks order.Picks, refusal error) error {
	ch := choiceOf(right, version)
	if ch == nil || !right.Allows(entitlement.StepChosen) {
		http.Redirect(w, r, "/rights/"+string(right.ID), http.StatusSeeOther)
		return nil
	}
	lang, now, c := ui.LangOf(r), s.now(), version.Content
	g := goods{Version: version}
	pick := flow.Choose{Order: right.Order, Right: right.ID, Parts: picks[ch.Key]}
	var means map[int][]catalogue.Finding
	var found []catalogue.Finding
	if err := s.Flows.DB.View(r.Context(), func(tx *db.Tx) error {
		o, err := s.Flows.Orders.One(r.Context(), tx, right.Order) // it is taken where the order was placed
		if err != nil {
			return err
		}
		left, err := s.Flows.Inventory.StocksFor(r.Context(), tx, o.Channel, c.Stocks())
		g.Gone = goneOf(c, left, now)
		if err != nil {
			return err
		}
		if means, err = s.Flows.CheckOptions(r.Context(), tx, pick); err == nil && strings.HasPrefix(fault.CodeOf(refusal), "right.conflict") {
			found, err = s.Flows.CheckPick(r.Context(), tx, pick)
		}
		return err
	}); err != nil {
		return err
	}
	// The defaults are held for the right until it is chosen, whatever is left for others.
	defaults := c.Defaults(*ch)
	g.Gone = slices.DeleteFunc(g.Gone, func(n int) bool { return slices.Contains(defaults, n) })
	v := &chooseView{Right: "/rights/" + string(right.ID), Till: right.DueAt, Default: terms.OptionNames(lang, c, defaults)}
	all := bundleOf(lang, g, picks, now)
	v.Choice = all.Later[slices.IndexFunc(all.Later, func(one choiceView) bool { return one.Field == pickField+ch.Key })]
	v.Choice.Words, v.Choice.Dates = nil, nil
	for i, n := range c.Options(ch.Key) {
		for _, f := range means[n] {
			v.Choice.Options[i].Tells = append(v.Choice.Options[i].Tells, flow.ExplainFinding(lang, f))
		}
		v.Choice.Options[i].Barred = catalogue.Gravest(means[n]) == catalogue.Block
	}
	v.Conflict.Groups, v.Conflict.Hash = findingsIn(lang, found, "shop.choose."), flow.FindingsHash(lang, found)
	if catalogue.Gravest(found) == catalogue.Block {
		v.Conflict.Hash = ""
	}
	v.Page = ui.Page{Section: "wallet", Title: lang.T("shop.choose.title"), Private: true, Crumbs: []ui.Crumb{{Label: lang.T("ui.nav.wallet"), Href: "/wallet"}, {Label: lang.T("shop.right.title"), Href: v.Right}, {Label: lang.T("shop.choose.title")}}}
	status := http.StatusOK
	if refusal != nil {
		f := fault.From(refusal)
		if status = httpx.StatusOf(f.Kind); len(found) == 0 { // what was found says it
			v.Choice.Error = lang.Fault(f)
		}
	}
	v.Bundle.Now = []choiceView{v.Choice}
	s.ui.Render(w, r, status, "shop/choose", v)
	return nil
}

// activate begins the validity of a right.
func (s *Web) activate(w http.ResponseWriter, r *http.Request) error {
	right, _, err := s.heldRight(r)
	if err != nil {
		return err
	}
	if _, err := s.Flows.Activate(r.Context(), flow.Activate{Order: right.Order, Right: right.ID, Actor: "holder"}); err != nil {
		return err
	}
	http.Redirect(w, r, "/rights/"+string(right.ID), http.StatusSeeOther)
	return nil
}

// choiceOf is the choice that a right was sold as an option of and that is made after the
// purchase, nil for none.
func choiceOf(right *entitlement.Right, version *catalogue.Version) *catalogue.Choice {
	if version == nil || right.Part < 0 || right.Part >= int64(len(version.Content.Parts)) {
		return nil
	}
	ch := version.Content.ChoiceOf(int(right.Part))
	if ch == nil || !ch.Later {
		return nil
	}
	return ch
}

// comes tells on a ticket what its right waits for that its seller gives later, and when
// validity that hasn't begun will.
func (t *ticket) comes(lang i18n.Lang, r *entitlement.Right, v *catalogue.Version, now time.Time) {
	due, ch := ui.FormatTime(lang, r.DueAt.In(zone), now.In(zone)), choiceOf(r, v)
	if r.Waits != "" && r.State == entitlement.Waiting && ch != nil {
		t.Name = pick(lang, ch.Name)
		t.ProviderID, t.Provider = ch.Key, t.Name
	}
	switch {
	case r.State == entitlement.Waiting && r.Waits == entitlement.WaitRelease:
		t.StateLabel, t.Valid = lang.T("shop.right.unreleased"), ""
		t.Sub = lang.T("shop.right.comes", "date", dayWords(lang, r.DueAt, now))
		if ch != nil {
			t.Sub = lang.T("shop.right.comes_to_choose", "date", dayWords(lang, r.DueAt, now))
		}
	case r.State == entitlement.Waiting && r.Waits == entitlement.WaitChoice && ch != nil:
		t.StateLabel, t.Valid = lang.T("shop.right.to_choose"), ""
		t.Sub = lang.T("shop.right.choose_by", "date", due, "names", terms.OptionNames(lang, v.Content, v.Content.Defaults(*ch)))
		t.Action = &ui.Action{Label: lang.T("shop.choose.go"), Href: t.Path + "/choose", Icon: "layers"}
	case t.State == ui.TicketHeld && r.Clock.From != "" && r.EndsAt.IsZero():
		t.Valid = clockWords(lang, r)
		if !r.DueAt.IsZero() {
			t.Valid += lang.T("shop.right.begin_by", "date", due)
		}
		if r.Allows(entitlement.StepActivated) && t.Action == nil {
			t.Action = &ui.Action{Label: lang.T("shop.activate"), Href: t.Path + "#activate"}
		}
	}
}

// clockWords say what begins the validity of a right, and how long it is.
func clockWords(lang i18n.Lang, r *entitlement.Right) string {
	return lang.T("shop.bundle.valid."+r.Clock.From, "days", strconv.FormatInt(r.Clock.Days, 10))
}
