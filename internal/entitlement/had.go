package entitlement

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

// HadDepth is how many of a member's newest rights HadBy reads.
const HadDepth = 500

// Had is what a right of a member was given of, for when, and when its code was first shown, zero
// for never.
type Had struct {
	ID               id.Right
	Version          id.OfferVersion
	Part             int64
	State            State
	StartsAt, EndsAt time.Time
	RevealedAt       time.Time
}

// A right without a code shows none, and its steps needn't be looked through.
var hadBy = db.SQL("entitlement.had_by", `SELECT party_id, id, version_id, part, state, starts_at, ends_at,
CASE WHEN code_id = '' THEN 0 ELSE COALESCE((SELECT MIN(e.at) FROM right_events e WHERE e.right_id = rights.id AND e.kind = 'revealed'), 0) END
FROM rights WHERE id IN (SELECT newest.id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY party_id ORDER BY id DESC) AS n FROM rights WHERE party_id {{in $1 text}} AND party_id <> '') AS newest WHERE newest.n <= $2)
AND state <> 'refunded' ORDER BY id`)

// HadBy lists what members hold and have held, without what was paid back, of each the newest
// HadDepth. It asks only: the map is filled by the transaction's next Flush or answer.
func (*Service) HadBy(ctx context.Context, tx *db.Tx, parties []id.Party) (map[id.Party][]Had, error) {
	out := make(map[id.Party][]Had, len(parties))
	return out, tx.Ask(ctx, hadBy, func(scan func(...any) error) error {
		var h Had
		var party id.Party
		err := scan(&party, &h.ID, &h.Version, &h.Part, &h.State, db.Time(&h.StartsAt), db.Time(&h.EndsAt), db.Time(&h.RevealedAt))
		out[party] = append(out[party], h)
		return err
	}, db.Texts(parties), HadDepth)
}

// Spent reports whether a right in state s gives nothing any more.
func (s State) Spent() bool { return s == Used || s == Expired || s == Refunded }
