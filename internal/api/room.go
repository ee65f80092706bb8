package api

import (
	"context"
	"slices"
	"sync"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/waiting"
)

// QueuePlace is how a ticket to a waiting room stands.
type QueuePlace struct {
	Ticket      string        `json:"ticket" doc:"The place, signed: keep it, ask with it how it stands, and send it with the order's line"`
	State       waiting.State `json:"state" enum:"before,waiting,let_in,over" doc:"before: the sale has not begun; let_in: it may place one order, until the moment given; over: that has passed, join again"`
	Ahead       int64         `json:"ahead" doc:"How many wait before it"`
	WaitSeconds int64         `json:"wait_seconds,omitempty" doc:"About how long it will wait"`
	OpensAt     *time.Time    `json:"opens_at,omitempty" doc:"When the sale begins"`
	Until       *time.Time    `json:"until,omitempty" doc:"Until when it may place an order"`
	Paused      bool          `json:"paused,omitempty" doc:"Nobody is let in at present"`
	SoldOut     bool          `json:"sold_out" doc:"Nothing is left at present; unpaid orders may give some back"`
}

// JoinRequest asks for a place.
type JoinRequest struct {
	Device string `json:"device" minLength:"16" maxLength:"200" doc:"The random secret that the application keeps, as in an order; a member's account stands in its place. Before the sale and in its first second the place is drawn for it, the same however often it asks"`
}

type joinInput struct {
	OfferRef
	Body JoinRequest
}

type standingInput struct {
	OfferRef
	Ticket string `query:"ticket" maxLength:"100"`
}

// joinsPerSecond is how many places one address may ask of a process, in the long run: many
// people share an address.
const joinsPerSecond = 100

// roomLife is for how long what is on the shelf is taken from memory by who asks for places.
const roomLife = time.Second

// roomShelf is what was on the shelf a moment ago.
type roomShelf struct {
	mu  sync.Mutex
	at  time.Time
	all []shown
}

func (a *API) room() {
	operation(a, "join-room", a.joinRoom)
	operation(a, "room-standing", a.roomStanding)
}

// waited finds an offer and its waiting room, which costs one look into the database a second
// however many ask.
func (a *API) waited(ctx context.Context, name string) (shown, waiting.Terms, error) {
	s := &a.shelved
	s.mu.Lock()
	defer s.mu.Unlock()
	now := a.Flows.Clock.Now()
	if age := now.Sub(s.at); s.at.IsZero() || age < 0 || age >= roomLife {
		var all []shown
		if err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
			offers, err := a.Flows.Catalogue.Offers(ctx, tx, false)
			if err == nil {
				all, err = a.shelf(ctx, tx, offers)
			}
			return err
		}); err != nil {
			return shown{}, waiting.Terms{}, err
		}
		s.all, s.at = all, now
	}
	i := slices.IndexFunc(s.all, func(o shown) bool { return string(o.offer.ID) == name || o.offer.Slug == name })
	if i < 0 {
		return shown{}, waiting.Terms{}, fault.New(fault.NotFound, "order.no_offer")
	}
	found := s.all[i]
	room, has := flow.RoomOf(found.version, found.offer.StartsAt)
	if !has {
		return shown{}, waiting.Terms{}, fault.New(fault.Conflict, "room.none")
	}
	return found, room, nil
}

func (a *API) joinRoom(ctx context.Context, c *Call, in *joinInput) (*QueuePlace, error) {
	found, room, err := a.waited(ctx, in.Offer)
	if err != nil {
		return nil, err
	}
	if err := a.joins.take(c.header().Clone(), network(c.IP), a.Flows.Clock.Now()); err != nil {
		return nil, fault.New(fault.TooMany, "room.often")
	}
	device := in.Body.Device
	if c.session != nil {
		device = "member/" + string(c.session.Party.ID)
	}
	return a.stands(found, room, a.Flows.Rooms.Join(room, device, a.Flows.Clock.Now())), nil
}

func (a *API) roomStanding(ctx context.Context, _ *Call, in *standingInput) (*QueuePlace, error) {
	found, room, err := a.waited(ctx, in.Offer)
	if err != nil {
		return nil, err
	}
	ticket, err := a.Flows.Rooms.Read(found.offer.ID, in.Ticket)
	if err != nil {
		return nil, err
	}
	return a.stands(found, room, ticket), nil
}

func (a *API) stands(o shown, room waiting.Terms, t waiting.Ticket) *QueuePlace {
	st := a.Flows.Rooms.Stand(room, t, a.Flows.Clock.Now())
	return &QueuePlace{Ticket: a.Flows.Rooms.Text(t), State: st.State, Ahead: st.Ahead, WaitSeconds: int64((st.Wait + time.Second - 1) / time.Second), OpensAt: timeIf(room.Opens),
		Until: timeIf(st.Until), Paused: st.Paused, SoldOut: o.stock.State == "sold_out" || a.Flows.SoldOut("api", o.offer.ID)}
}
