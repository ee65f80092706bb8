package web

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/web/ui"
)

type walletView struct {
	ui.Page
	Tabs    []ui.Option
	Tickets []ticket
	Empty   ui.Empty
	Guest   bool
	Pager   ui.Pager
}

// shelves of the wallet, and which tickets lie in each.
var walletTabs = []struct {
	name   string
	states []ui.TicketState
}{
	{"usable", []ui.TicketState{ui.TicketHeld, ui.TicketWaiting, ui.TicketCollectible}}, {"used", []ui.TicketState{ui.TicketUsed}},
	{"expired", []ui.TicketState{ui.TicketExpired}}, {"refunded", []ui.TicketState{ui.TicketRefunded}},
}

// wallet is everything a visitor holds, by state (?s=).
func (s *Web) wallet(w http.ResponseWriter, r *http.Request) error {
	in, err := query(r)
	if err != nil {
		return err
	}
	tab := in.text("s")
	at := slices.IndexFunc(walletTabs, func(t struct {
		name   string
		states []ui.TicketState
	}) bool {
		return t.name == tab
	})
	at = max(at, 0)
	lang, now := ui.LangOf(r), s.now()
	v := &walletView{Page: ui.Page{Section: "wallet", Title: lang.T("ui.nav.wallet"), Private: true}}
	var rights []*entitlement.Right
	var versions map[id.OfferVersion]*catalogue.Version
	var marks map[id.Right]mark
	var runs map[id.Right]time.Time
	err = s.Flows.DB.View(r.Context(), func(tx *db.Tx) error {
		orders, err := s.mine(r, tx, &v.Page)
		if err != nil {
			return err
		}
		var ids []id.Order
		for _, o := range orders {
			ids = append(ids, o.ID)
		}
		all, err := s.Flows.Rights.OfOrders(r.Context(), tx, ids)
		if err != nil {
			return err
		}
		rights = nil
		var wanted []id.OfferVersion
		for _, o := range ids {
			for _, right := range all[o] {
				rights, wanted = append(rights, right), append(wanted, right.Version)
			}
		}
		if versions, err = s.Flows.Catalogue.Versions(r.Context(), tx, wanted); err != nil {
			return err
		}
		if marks, err = s.marks(r.Context(), tx, rights); err != nil {
			return err
		}
		runs, err = s.runsOn(r, tx)
		return err
	})
	if err != nil {
		return err
	}
	counts := make([]int, len(walletTabs))
	var shown []ticket
	for _, right := range rights {
		for i, t := range walletTabs {
			if slices.Contains(t.states, ticketState(right, now)) {
				if counts[i]++; i == at {
					shown = append(shown, s.ticket(lang, right, versions[right.Version], marks[right.ID], now).runsOn(lang, runs[right.ID]))
				}
			}
		}
	}
	for i, t := range walletTabs {
		v.Tabs = append(v.Tabs, ui.Option{Label: lang.T("shop.wallet." + t.name), Href: "/wallet?s=" + t.name, Selected: i == at, Count: strconv.Itoa(counts[i])})
	}
	page, ok := in.number("p", 1, 1000)
	if !ok {
		page = 1
	}
	from := min((int(page)-1)*maxTickets, len(shown))
	to := min(from+maxTickets, len(shown))
	v.Tickets = shown[from:to]
	if len(shown) > maxTickets {
		v.Pager = ui.Pager{From: from + 1, To: to, Total: int64(len(shown))}
		if page > 1 {
			v.Pager.Prev = "?s=" + walletTabs[at].name + "&p=" + strconv.Itoa(int(page)-1)
		}
		if to < len(shown) {
			v.Pager.Next = "?s=" + walletTabs[at].name + "&p=" + strconv.Itoa(int(page)+1)
		}
	}
	v.Guest = v.User == nil
	v.Empty = ui.Empty{Art: "ticket", Title: lang.T("shop.wallet.empty." + walletTabs[at].name), Text: lang.T("shop.wallet.empty.text"), Action: &ui.Action{Label: lang.T("shop.go_shopping"), Href: "/"},
		Second: &ui.Action{Label: lang.T("shop.orders.find"), Href: "/orders"}}
	s.ui.Render(w, r, http.StatusOK, "shop/wallet", v)
	return nil
}

type rightView struct {
	ui.Page
	Ticket ticket
	Order  string
	Facts  []ui.Fact
	Events []ui.Event
	Whole  bool // the chain of hashes holds
	Head   string
	Guide  termGroup
	Begin  string // what activating it begins; "" when it isn't to be activated
	Action string // of the right
}

// right is the whole path of one right: each step, by whom, when, and the proof that none
// is missing.
func (s *Web) right(w http.ResponseWriter, r *http.Request) error {
	right, version, err := s.heldRight(r)
	if err != nil {
		return err
	}
	rid := right.ID
	lang, now := ui.LangOf(r), s.now()
	var steps []entitlement.Step
	var marks map[id.Right]mark
	if err := s.Flows.DB.View(r.Context(), func(tx *db.Tx) error {
		// With its path as it stands now: the right may have moved on since.
		found, err := s.Flows.Rights.Rights(r.Context(), tx, []id.Right{rid})
		if err != nil || len(found) == 0 {
			return errors.Join(err, fault.New(fault.NotFound, "order.not_found"))
		}
		right = found[0]
		paths, err := s.Flows.Rights.Path(r.Context(), tx, []id.Right{rid})
		if err != nil {
			return err
		}
		steps = paths[rid]
		marks, err = s.marks(r.Context(), tx, found)
		return err
	}); err != nil {
		return err
	}
	b := benefitOf(right, version)
	v := &rightView{Ticket: s.ticket(lang, right, version, marks[rid], now), Order: "/orders/" + string(right.Order), Whole: entitlement.Check(*right, steps) == 0, Head: hex.EncodeToString(right.Head),
		Guide: guide(lang, b)}
	if v.Action = v.Ticket.Path; right.Allows(entitlement.StepActivated) {
		v.Begin = lang.T("shop.activate.text", "days", strconv.FormatInt(right.Clock.Days, 10))
		v.Ticket.Action = nil
	}
	v.Guide.Terms = append(v.Guide.Terms, ui.Term{Icon: "refund", Label: lang.T("shop.terms.refund"), Text: pick(lang, b.Disclosure.Refund)})
	v.Page = ui.Page{Section: "wallet", Title: lang.T("shop.right.title"), Private: true, Crumbs: []ui.Crumb{{Label: lang.T("ui.nav.wallet"), Href: "/wallet"}, {Label: lang.T("shop.right.title")}}}
	v.Facts = []ui.Fact{{Label: lang.T("shop.right.number"), Value: string(right.ID)}}
	for i := len(steps) - 1; i >= 0; i-- {
		v.Events = append(v.Events, stepEvent(lang, steps[i]))
	}
	s.ui.Render(w, r, http.StatusOK, "shop/right", v)
	return nil
}

var stepIcons = map[string]string{entitlement.StepGranted: "ticket", entitlement.StepWaiting: "clock", entitlement.StepDelivered: "check", entitlement.StepRevealed: "eye", entitlement.StepUsed: "check",
	entitlement.StepSuspended: "lock", entitlement.StepResumed: "undo", entitlement.StepExpired: "clock", entitlement.StepRefunded: "refund",
	entitlement.StepReleased: "ticket", entitlement.StepChosen: "check", entitlement.StepActivated: "clock"}

// stepEvent tells one step in words.
func stepEvent(lang i18n.Lang, st entitlement.Step) ui.Event {
	e := ui.Event{At: st.At, Icon: stepIcons[st.Kind], Title: lang.T("shop.step." + st.Kind), Tone: ui.Plain}
	switch st.Kind {
	case entitlement.StepGranted, entitlement.StepDelivered, entitlement.StepUsed, entitlement.StepReleased, entitlement.StepChosen, entitlement.StepActivated:
		e.Tone = ui.OK
	case entitlement.StepRevealed, entitlement.StepWaiting:
		e.Tone = ui.Info
	case entitlement.StepSuspended:
		e.Tone = ui.Warn
	}
	switch {
	case st.Actor == "guest" || st.Actor == "holder":
		e.By = lang.T("shop.step.by.holder")
	case st.Actor == "system":
		e.By = lang.T("shop.step.by.system")
	case st.Kind == entitlement.StepGranted || st.Kind == entitlement.StepRevealed:
		e.By = lang.T("shop.step.by.you")
	default:
		e.By = lang.T("shop.step.by.shop")
	}
	var data struct {
		Price int64          `json:"unit_price"`
		Cur   money.Currency `json:"currency"`
		For   string         `json:"for"` // of a step that waits

		Acknowledged struct {
			Text string `json:"text"`
		} `json:"acknowledged"` // of a pick
	}
	if st.Kind == entitlement.StepGranted && json.Unmarshal([]byte(st.Data), &data) == nil && data.Cur.Known() {
		e.Detail = lang.T("shop.step.price", "price", money.Of(data.Price, data.Cur).String())
	}
	if st.Kind == entitlement.StepChosen && json.Unmarshal([]byte(st.Data), &data) == nil && data.Acknowledged.Text != "" {
		e.Detail = lang.T("shop.step.acknowledged", "text", data.Acknowledged.Text)
	}
	if st.Kind == entitlement.StepWaiting && json.Unmarshal([]byte(st.Data), &data) == nil && data.For != "" {
		e.Detail = lang.T("kind.waits." + data.For)
	}
	return e
}
