package flow

import (
	"context"
	"strconv"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
)

// SteerRoom changes how many a waiting room lets in a minute (zero is as the offer says), or
// pauses it. It acts from the next second on, on all nodes, and is on record.
type SteerRoom struct {
	Offer     id.Offer
	PerMinute int64
	Paused    bool
	Actor     string
	Origin    string
}

// maxRoomRate is the most that a room may let in a minute, as of an offer's content.
const maxRoomRate = 600_000

// SteerRoom carries the change out. Without one it does nothing.
func (f *Flows) SteerRoom(ctx context.Context, tx *db.Tx, c SteerRoom) error {
	if c.PerMinute < 0 || c.PerMinute > maxRoomRate {
		return fault.New(fault.Invalid, "bundle.room_rate").At("per_minute", "bundle.room_rate")
	}
	was, _, err := f.Rooms.Room(ctx, tx, c.Offer)
	if err != nil || was.PerMinute == c.PerMinute && was.Paused == c.Paused {
		return err
	}
	now := f.Clock.Now()
	if err := f.Rooms.Steer(ctx, tx, c.Offer, c.PerMinute, c.Paused, now); err != nil {
		return err
	}
	return audit.Write(ctx, tx, audit.Row{At: now, Actor: c.Actor, Action: "room.steer", Subject: string(c.Offer), Origin: c.Origin, Data: map[string]string{
		"before": roomWords(was.PerMinute, was.Paused), "after": roomWords(c.PerMinute, c.Paused)}})
}

func roomWords(perMinute int64, paused bool) string {
	if paused {
		return "paused"
	}
	return strconv.FormatInt(perMinute, 10) + "/min"
}
