package flow

import (
	"context"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
)

// RunOn gives until when rights of a party run that extend others of theirs, as its purchases
// were told; see catalogue.RunOn.
func (f *Flows) RunOn(ctx context.Context, tx *db.Tx, party id.Party) (map[id.Right]time.Time, error) {
	relations, err := f.Catalogue.Relations(ctx, tx)
	if err != nil || len(relations) == 0 || party == "" {
		return nil, err
	}
	c := conflicts{Flows: f, relations: relations, parties: []id.Party{party}}
	if err := c.ask(ctx, tx); err != nil {
		return nil, err
	}
	if err := c.load(ctx, tx); err != nil {
		return nil, err
	}
	return catalogue.RunOn(c.holdings[party], relations), nil
}
