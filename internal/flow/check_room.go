package flow

import (
	"context"
	"strconv"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/waiting"
)

// RoomOf is how an offer is waited for; false when it has no waiting room.
func RoomOf(v *catalogue.Version, opens time.Time) (waiting.Terms, bool) {
	r := v.Content.Room
	return waiting.Terms{Offer: v.Offer, Opens: opens, PerMinute: r.PerMinute, Stay: time.Duration(r.Minutes) * time.Minute}, r.PerMinute > 0
}

// rooms refuse what is wanted of an offer with a waiting room by who has no ticket, or whose
// turn it isn't (排队). A ticket places one order.
type rooms struct {
	*Flows
	sale    map[id.Offer]catalogue.Sale
	tickets []waiting.Ticket
	uses    map[string]id.Order
}

func (c *rooms) add(w *placing) error {
	now := c.Clock.Now()
	for i, l := range w.Lines {
		terms, waited := RoomOf(w.wanted[i].Version, c.sale[l.Offer].StartsAt)
		if !waited {
			continue
		}
		path := "lines[" + strconv.Itoa(i) + "].ticket"
		if l.Ticket == "" {
			return fault.New(fault.Conflict, "room.wait").At(path, "room.wait")
		}
		ticket, err := c.Rooms.Read(l.Offer, l.Ticket)
		if err != nil {
			return fault.New(fault.Invalid, "room.ticket").At(path, "room.ticket")
		}
		switch standing := c.Rooms.Stand(terms, ticket, now); standing.State {
		case waiting.Let:
		case waiting.Over:
			return fault.New(fault.Conflict, "room.over").At(path, "room.over")
		default:
			return fault.New(fault.Conflict, "room.wait").At(path, "room.wait")
		}
		w.uses = append(w.uses, waiting.Use{Ticket: ticket, Order: w.order.ID})
		c.tickets = append(c.tickets, ticket)
	}
	return nil
}

func (c *rooms) ask(ctx context.Context, tx *db.Tx) (err error) {
	c.uses, err = c.Rooms.Uses(ctx, tx, c.tickets)
	return err
}

func (c *rooms) load(ctx context.Context, tx *db.Tx) error {
	if len(c.tickets) == 0 {
		return nil
	}
	return tx.Flush(ctx)
}

func (c *rooms) judge(w *placing, _ time.Time) error {
	for _, u := range w.uses {
		if u.Ticket.Used(c.uses) {
			return fault.New(fault.Conflict, "room.used")
		}
	}
	for _, u := range w.uses {
		u.Ticket.Note(c.uses, u.Order)
	}
	return nil
}

// WatchRooms tells other nodes of the tickets given here and lets in who may be. It is to be
// called about once a second by whoever gives tickets.
func (f *Flows) WatchRooms(ctx context.Context) error {
	return f.Rooms.Sync(ctx, f.DB, f.soldOutEverywhere, f.Clock.Now())
}
