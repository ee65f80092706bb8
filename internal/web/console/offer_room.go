package console

import (
	"net/http"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/web/ui"
)

// roomCard is what an offer's page tells of its waiting room.
type roomCard struct {
	Facts     []ui.Fact
	PerMinute string // as typed
	Paused    bool
}

// room loads the waiting room of what is sold of an offer, nil for none.
func (v *visit) room(tx *db.Tx, o catalogue.Offer, all []*catalogue.Version) (*roomCard, error) {
	sold := versionOf(all, o.VersionID)
	if sold == nil || sold.Content.Room.PerMinute == 0 {
		return nil, nil
	}
	n, _, err := v.c.Flows.Rooms.Look(v.r.Context(), tx, o.ID)
	if err != nil {
		return nil, err
	}
	rate := n.PerMinute
	if rate == 0 {
		rate = sold.Content.Room.PerMinute
	}
	d := &roomCard{PerMinute: decimal(rate), Paused: n.Paused}
	if typed := v.f("per_minute"); typed != "" {
		d.PerMinute, d.Paused = typed, v.f("paused") != ""
	}
	state := v.t("console.room.open")
	if n.Paused {
		state = v.t("console.room.paused")
	}
	d.Facts = []ui.Fact{{Label: v.t("console.room.waiting"), Value: decimal(n.Waiting)}, {Label: v.t("console.room.admitted"), Value: decimal(n.Admitted)},
		{Label: v.t("console.room.rate"), Value: decimal(rate)}, {Label: v.t("console.room.published"), Value: decimal(sold.Content.Room.PerMinute)},
		{Label: v.t("console.room.state"), Value: state}}
	return d, nil
}

// steerRoom changes how fast a waiting room lets in, or pauses it.
func steerRoom(c *Console, v *visit) error {
	o, err := v.offer()
	if err != nil {
		return err
	}
	rate, ok := whole(v.f("per_minute"), 1, 1<<40)
	if !ok {
		return v.offerPage(http.StatusBadRequest, fault.New(fault.Invalid, "bundle.room_rate").At("per_minute", "bundle.room_rate"))
	}
	err = v.once(func(tx *db.Tx) error {
		o, err := c.Flows.Catalogue.Offer(v.r.Context(), tx, o.ID)
		if err != nil {
			return err
		}
		o = o.Settled(c.now())
		all, err := c.Flows.Catalogue.VersionsOf(v.r.Context(), tx, o.ID)
		if err != nil {
			return err
		}
		sold := versionOf(all, o.VersionID)
		if sold == nil || sold.Content.Room.PerMinute == 0 {
			return fault.New(fault.Conflict, "room.none")
		}
		if rate == sold.Content.Room.PerMinute {
			rate = 0 // as the offer says, also when that changes
		}
		return c.Flows.SteerRoom(v.r.Context(), tx, flow.SteerRoom{Offer: o.ID, PerMinute: rate, Paused: v.f("paused") != "", Actor: string(v.by()), Origin: v.origin().Address})
	})
	if fault.KindOf(err) == fault.Invalid {
		return v.offerPage(http.StatusBadRequest, err)
	}
	if err != nil {
		return err
	}
	return v.leave("/console/offers/"+string(o.ID), "state")
}
