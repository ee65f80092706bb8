package api

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/identity"
)

// Audience is who may call an operation.
type Audience string

// The audiences. There is no default: an operation without one doesn't start.
const (
	Everyone Audience = "everyone" // nobody is asked who they are
	Shopper  Audience = "shopper"  // a guest, or a member who sends the session's token
	Holder   Audience = "holder"   // who has the order's token, or the member whose order it is
	Member   Audience = "member"   // a member's session
	Step     Audience = "step"     // a console session, however far the sign-in has come
	Staff    Audience = "staff"    // a complete console session, with the right of the operation
)

// Repeat is what happens when a request is sent again.
type Repeat string

// The ways. A write that isn't Keyed says in the table why it needs no key.
const (
	Reads   Repeat = "reads"   // it changes nothing
	Keyed   Repeat = "keyed"   // an Idempotency-Key is required; the first answer is given again
	Natural Repeat = "natural" // a second time does nothing that the first hasn't, or is meant to be on record
)

// spec is everything about one operation but its handler.
type spec struct {
	Name, Method, Path string
	For                Audience
	Right              identity.Right // of Staff; "" for every member of the staff
	Fresh              bool           // asks for a proof of identity of the last minutes
	Repeat             Repeat
	Why                string // of a Natural write
	Status             int    // of success; 0 is 200
	MaxBody            int64  // bytes; 0 is maxBody
	Summary            string
	Faults             string // codes that are its own, with spaces between them
}

const (
	maxBody  = 64 << 10
	maxInOne = 1 << 20
)

// readsItself reports whether the handler takes its body piece by piece, in its own time.
func (s *spec) readsItself() bool { return s.MaxBody > maxInOne }

// admit finds out who calls and whether they may. Roles are read with the session, on every
// request (S37).
func (a *API) admit(ctx context.Context, c *Call) error {
	var err error
	if c.token, err = bearer(c.r.Header); err != nil {
		return err
	}
	switch c.spec.For {
	case Everyone, Holder:
		return nil
	case Shopper:
		if c.token == "" {
			return nil
		}
		return a.signedIn(ctx, c, identity.Shop)
	case Member:
		return a.signedIn(ctx, c, identity.Shop)
	}
	if err := a.signedIn(ctx, c, identity.Console); err != nil {
		return err
	}
	if c.spec.For == Step {
		return nil
	}
	if c.session.Stage != identity.StageFull {
		return fault.New(fault.Unauthenticated, "request.second_factor")
	}
	if c.spec.Right != "" && !c.session.May(c.spec.Right) {
		if err := a.refuse(ctx, c); err != nil {
			return err
		}
		return fault.New(fault.Forbidden, "forbidden")
	}
	if c.spec.Fresh {
		return c.session.Fresh(a.Flows.Clock.Now())
	}
	return nil
}

func (a *API) signedIn(ctx context.Context, c *Call, face identity.Face) error {
	if a.Identity == nil {
		return fault.New(fault.Unauthenticated, "unauthenticated")
	}
	now := a.Flows.Clock.Now()
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		c.session, err = a.Identity.Session(ctx, tx, face, c.token, now)
		return err
	})
	if err != nil {
		return err
	}
	if c.session.Stale(now) {
		err = a.Flows.DB.Do(ctx, func(tx *db.Tx) error { return a.Identity.Touch(ctx, tx, c.session, now) })
	}
	if err != nil {
		return err
	}
	return a.rates.take(c.header(), string(c.session.ID), now)
}

// refuse puts on record that somebody lacks a right.
func (a *API) refuse(ctx context.Context, c *Call) error {
	a.Log.Warn("a right was missing", "trace", c.Trace, "operation", c.spec.Name, "party", c.session.Party.ID)
	return a.Flows.DB.Do(ctx, func(tx *db.Tx) error {
		return a.Identity.Denied(ctx, tx, c.actor(), c.spec.Right, "api:"+c.spec.Name, a.Flows.Clock.Now())
	})
}

// mayHold fails, alike for an order that isn't there, for a wrong secret and for somebody
// else's session, unless the caller has the order's token or is the member who bought it
// (S32-S34).
func (a *API) mayHold(ctx context.Context, c *Call, o id.Order) error {
	refused := fault.New(fault.NotFound, "order.not_found")
	if _, err := id.Parse[id.Order](string(o)); err != nil || c.token == "" {
		return refused
	}
	if a.Flows.Keys.CheckLink(string(o), c.token) {
		return nil
	}
	if err := a.signedIn(ctx, c, identity.Shop); err != nil {
		if k := fault.KindOf(err); k != fault.Unauthenticated {
			return err
		}
	} else {
		var mine bool
		err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
			found, err := a.Flows.Orders.Get(ctx, tx, []id.Order{o})
			mine = found[o] != nil && found[o].Party == c.session.Party.ID
			return err
		})
		if err != nil || mine {
			return err
		}
	}
	a.Log.Warn("somebody else's order was asked for", "trace", c.Trace, "operation", c.spec.Name, "order", o)
	return refused
}
