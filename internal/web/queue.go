package web

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/httpx"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/waiting"
	"hufu/internal/web/ui"
)

// queueCookie holds a browser's ticket to an offer; the offer's id follows.
const (
	queueCookie = "hufu_queue_"
	queueAge    = 24 * 3600
)

// queueView is the waiting room before an offer.
type queueView struct {
	ui.Page
	Slug     string
	Name     string
	Price    string
	Standing waiting.Standing
	StartsAt time.Time
	Ahead    string
	Wait     string
	Out      bool // sold out
	Every    int  // ms between two questions; not the same for everybody
}

// roomOf is how an offer is waited for; false when nobody waits for it.
func roomOf(g goods) (waiting.Terms, bool) {
	return flow.RoomOf(g.Version, g.Offer.StartsAt)
}

// ticketOf is the ticket that a browser has for an offer, and its text.
func (s *Web) ticketOf(r *http.Request, offer id.Offer) (waiting.Ticket, string, bool) {
	c, err := r.Cookie(s.cookieName(queueCookie + string(offer)))
	if err != nil {
		return waiting.Ticket{}, "", false
	}
	t, err := s.Flows.Rooms.Read(offer, c.Value)
	return t, c.Value, err == nil
}

// shown finds an offer on the shelf, which costs one look into the database a second however
// many ask.
func (s *Web) shown(ctx context.Context, slug string) (goods, error) {
	all, _, err := s.look(ctx)
	if err != nil {
		return goods{}, err
	}
	if at := slices.IndexFunc(all, func(g goods) bool { return g.Offer.Slug == slug }); at >= 0 {
		return all[at], nil
	}
	return s.onSale(ctx, slug)
}

// queued tells where a shopper is led who wants an offer with a waiting room: "" when they may
// order.
func (s *Web) queued(r *http.Request, g goods) string {
	room, waited := roomOf(g)
	if !waited || g.State != catalogue.Live {
		return ""
	}
	if ticket, _, ok := s.ticketOf(r, g.Offer.ID); ok && s.Flows.Rooms.Stand(room, ticket, s.now()).State == waiting.Let {
		return ""
	}
	return "/offers/" + g.Offer.Slug + "/queue"
}

// joinQueue gives a browser its place, once.
func (s *Web) joinQueue(w http.ResponseWriter, r *http.Request) error {
	in, err := form(r)
	if err != nil {
		return err
	}
	picks, err := in.picks()
	if err != nil {
		return err
	}
	g, err := s.shown(r.Context(), r.PathValue("slug"))
	if err != nil {
		return err
	}
	room, waited := roomOf(g)
	if !waited {
		http.Redirect(w, r, "/offers/"+g.Offer.Slug, http.StatusSeeOther)
		return nil
	}
	if ticket, _, ok := s.ticketOf(r, g.Offer.ID); !ok || s.Flows.Rooms.Stand(room, ticket, s.now()).State == waiting.Over {
		if !s.joins.allow(httpx.CallerOf(r.Context()).IP.String(), s.now()) {
			return fault.New(fault.TooMany, "room.often")
		}
		device := s.deviceOf(w, r)
		s.setCookie(w, queueCookie+string(g.Offer.ID), s.Flows.Rooms.Text(s.Flows.Rooms.Join(room, device, s.now())), queueAge)
	}
	if in.text("n") != "" { // a form of the offer's page
		x := s.wishOf(r, g)
		if x.n, _ = in.number("n", 1, g.Version.Content.MaxPerOrder); len(picks) > 0 {
			x.picks = picks
		}
		s.keepWish(w, g, x)
	}
	http.Redirect(w, r, "/offers/"+g.Offer.Slug+"/queue", http.StatusSeeOther)
	return nil
}

// queue shows a shopper's place.
func (s *Web) queue(w http.ResponseWriter, r *http.Request) error {
	v, to, err := s.place(r)
	if err != nil {
		return err
	}
	if to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	v.Page = ui.Page{Section: "home", Title: say(r, "room.title"), Private: true, Crumbs: []ui.Crumb{{Label: v.Name, Href: "/offers/" + v.Slug}, {Label: say(r, "room.title")}}}
	s.ui.Render(w, r, http.StatusOK, "shop/queue", v)
	return nil
}

// queueState is the part of the page that changes while it waits.
func (s *Web) queueState(w http.ResponseWriter, r *http.Request) error {
	v, to, err := s.place(r)
	if err != nil {
		return err
	}
	if to != "" {
		w.Header().Set("Hufu-Done", "1")
		w.Header().Set("Hufu-Location", to)
	}
	s.ui.Fragment(w, r, http.StatusOK, "shop/queue", "state", v)
	return nil
}

// place tells how a shopper stands, and where to go when there is nothing to wait for. It asks
// no database.
func (s *Web) place(r *http.Request) (*queueView, string, error) {
	g, err := s.shown(r.Context(), r.PathValue("slug"))
	if err != nil {
		return nil, "", err
	}
	lang, v := ui.LangOf(r), &queueView{Slug: g.Offer.Slug, StartsAt: g.Offer.StartsAt, Every: 2000 + rand.IntN(2000)}
	v.Name, v.Price = pick(lang, g.Version.Content.Title), g.quote().Unit.String()
	room, waited := roomOf(g)
	ticket, _, has := s.ticketOf(r, g.Offer.ID)
	if !waited || !has {
		return v, "/offers/" + v.Slug, nil
	}
	v.Standing = s.Flows.Rooms.Stand(room, ticket, s.now())
	v.Out = g.Stock.Out() || s.Flows.SoldOut(channel, g.Offer.ID)
	switch {
	case v.Standing.State == waiting.Let && !v.Out:
		return v, "/checkout/" + v.Slug, nil
	case v.Standing.State == waiting.Before:
		v.Every = 5000 + rand.IntN(5000)
	}
	v.Ahead, v.Wait = strconv.FormatInt(v.Standing.Ahead, 10), waitWords(lang, v.Standing.Wait)
	return v, "", nil
}

// waitWords says about how long something takes.
func waitWords(lang i18n.Lang, d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < 90*time.Second:
		return lang.T("room.seconds", "n", strconv.Itoa(int(d.Round(5*time.Second)/time.Second)+5))
	}
	return lang.T("room.minutes", "n", strconv.Itoa(int((d+59*time.Second)/time.Minute)))
}

// joins counts, in this process, how often an address asks for tickets. Many people share one
// address; nobody needs a thousand.
type joins struct {
	mu    sync.Mutex
	from  time.Time
	count map[string]int
}

const (
	joinWindow = 10 * time.Second
	mostJoins  = 1000
)

func (j *joins) allow(address string, now time.Time) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.count == nil || now.Sub(j.from) >= joinWindow || now.Before(j.from) {
		j.from, j.count = now, map[string]int{}
	}
	j.count[address]++
	return j.count[address] <= mostJoins
}
