package api

import (
	"context"
	"errors"
	"net/http"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/idem"
)

// kept is the answer that a request got when it was carried out before. It is an error so
// that it ends the transaction that found it.
type kept struct {
	status int
	body   []byte
}

// Error implements error.
func (*kept) Error() string { return "api: carried out before" }

// scope keeps senders, and operations, from meeting in one key.
func (c *Call) scope() string { return "api:" + c.spec.Name + ":" + c.party() }

// begin claims the request's key in the transaction of its effect. It fails with *kept when
// the request was carried out before.
func (a *API) begin(ctx context.Context, tx *db.Tx, c *Call) error {
	r, err := idem.Begin(ctx, tx, a.Flows.Clock.Now(), c.scope(), c.key, c.hash())
	if err != nil || r == nil {
		return err
	}
	body, err := a.Flows.Keys.OpenAnswer(c.place(), r.Body)
	if err != nil {
		return fault.Wrap(err, fault.Conflict, "idempotency.lost")
	}
	return &kept{status: r.Status, body: body}
}

// place is what a kept answer is sealed for: it may hold a link or a contact, and the
// database shows neither.
func (c *Call) place() string { return "answer:" + c.scope() + ":" + c.key }

// finish keeps the answer.
func (a *API) finish(ctx context.Context, tx *db.Tx, c *Call, out any) error {
	status := c.status
	var err error
	if _, empty := out.(*none); empty || out == nil {
		status, c.done = http.StatusNoContent, nil
	} else if c.done, err = encode(out); err != nil {
		return err
	}
	return idem.Finish(ctx, tx, c.scope(), c.key, idem.Response{Status: status, Body: a.Flows.Keys.SealAnswer(c.place(), c.done)})
}

// also is begin and finish for a flow that makes its own transaction and calls this at its
// end: what was carried out before rolls back there.
func (a *API) also(ctx context.Context, tx *db.Tx, c *Call, out any) error {
	if err := a.begin(ctx, tx, c); err != nil {
		return err
	}
	return a.finish(ctx, tx, c, out)
}

// knows reports whether an answer is kept under the request's key, whatever its content was.
// It is for a body that is too large to be read before it is used.
func (a *API) knows(ctx context.Context, c *Call) (bool, error) {
	err := a.Flows.DB.Do(ctx, func(tx *db.Tx) error {
		if _, err := idem.Begin(ctx, tx, a.Flows.Clock.Now(), c.scope(), c.key, []byte("no content has this hash")); err != nil {
			return err
		}
		return errUnknownKey // nothing is claimed
	})
	switch {
	case errors.Is(err, errUnknownKey):
		return false, nil
	case fault.CodeOf(err) == "idempotency.reused":
		return true, nil
	}
	return false, err
}

var errUnknownKey = errors.New("api: nothing is kept under the key")
