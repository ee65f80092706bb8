package entitlement

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

// HadDepth is how many of a member's newest rights HadBy reads.
const HadDepth = 500

// Had is what a right of a member was given of, and for when.
type Had struct {
	ID               id.Right
	Version          id.OfferVersion
	Part             int64
	State            State
	StartsAt, EndsAt time.Time
	Coded            bool
	Waits            string // what a Waiting one waits for
}

// A member's rights come as one text, and not as rows: of fifty rights that is a third of the work.
// To count them as they are read is a third more, so it is left out for whom it isn't needed.
const (
	hadText = `string_agg(concat_ws(' ', id, version_id, part, state, starts_at, ends_at, code_id, waits), ',')`
	hadOf   = `FROM rights WHERE party_id = each.value AND party_id <> '' AND state <> 'refunded'`
)

var (
	hadBy     = db.SQL("entitlement.had_by", `SELECT each.value, COALESCE((SELECT `+hadText+` `+hadOf+`), '') FROM {{each $1 text}}`)
	newestHad = db.SQL("entitlement.newest_had", `SELECT each.value, COALESCE((SELECT `+hadText+`
FROM (SELECT id, version_id, part, state, starts_at, ends_at, code_id, waits `+hadOf+` ORDER BY id DESC LIMIT $2) AS newest), '') FROM {{each $1 text}}`)
	// SQLite takes cross joins in the order they stand in: it would walk all rights for the order of their ids otherwise.
	hadAsGuest = db.SQL("entitlement.had_as_guest", `SELECT each.value, COALESCE((SELECT `+hadText+`
FROM (SELECT r.id, r.version_id, r.part, r.state, r.starts_at, r.ends_at, r.code_id, r.waits FROM parties p CROSS JOIN orders o CROSS JOIN rights r
WHERE p.id = each.value AND p.phone <> '' AND o.phone = p.phone AND o.phone <> '' AND o.party_id = '' AND o.paid_at > 0 AND r.order_id = o.id AND r.state <> 'refunded' ORDER BY r.id DESC LIMIT $2) AS newest), '') FROM {{each $1 text}}`)
	firstShown = db.SQL("entitlement.first_shown", `SELECT right_id, MIN(at) FROM right_events WHERE right_id {{in $1 text}} AND kind = 'revealed' GROUP BY right_id`)
)

// HadBy lists what members hold and have held, without what was paid back, of each the newest
// HadDepth, and as many that they paid for as guests under the phone number that is theirs. It asks only: the map is filled by the transaction's next Flush or answer.
func (s *Service) HadBy(ctx context.Context, tx *db.Tx, parties []id.Party) (map[id.Party][]Had, error) {
	out := make(map[id.Party][]Had, len(parties))
	read := func(scan func(...any) error) error {
		var party id.Party
		var rights string
		if err := scan(&party, &rights); err != nil || rights == "" {
			return err
		}
		all := make([]Had, 0, strings.Count(rights, ",")+1)
		for one := range strings.SplitSeq(rights, ",") {
			h, err := parseHad(one)
			if err != nil {
				return err
			}
			all = append(all, h)
		}
		if len(all) > HadDepth {
			s.many.Store(party, true)
			slices.SortFunc(all, func(a, b Had) int { return cmp.Compare(b.ID, a.ID) })
			all = all[:HadDepth]
		}
		out[party] = append(out[party], all...)
		return nil
	}
	if len(parties) == 0 {
		return out, nil
	}
	if err := tx.Ask(ctx, hadAsGuest, read, db.Texts(parties), HadDepth); err != nil {
		return nil, err
	}
	var few, many []id.Party
	for _, p := range parties {
		if _, known := s.many.Load(p); known {
			many = append(many, p)
		} else {
			few = append(few, p)
		}
	}
	if len(many) > 0 {
		if err := tx.Ask(ctx, newestHad, read, db.Texts(many), HadDepth); err != nil {
			return nil, err
		}
	}
	if len(few) == 0 {
		return out, nil
	}
	return out, tx.Ask(ctx, hadBy, read, db.Texts(few))
}

// FirstShown tells when the code of each right was first shown; those of which it never was are
// left out. It asks only: the map is filled by the transaction's next Flush or answer.
func (*Service) FirstShown(ctx context.Context, tx *db.Tx, rights []id.Right) (map[id.Right]time.Time, error) {
	if len(rights) == 0 {
		return nil, nil
	}
	out := make(map[id.Right]time.Time, len(rights))
	return out, tx.Ask(ctx, firstShown, func(scan func(...any) error) error {
		var right id.Right
		var at int64
		err := scan(&right, &at)
		out[right] = db.TimeOf(at)
		return err
	}, db.Texts(rights))
}

// parseHad reads one right as hadBy writes it.
func parseHad(text string) (h Had, err error) {
	var fields [8]string
	for i := range fields {
		fields[i], text, _ = strings.Cut(text, " ")
	}
	number := func(s string) int64 {
		n, bad := strconv.ParseInt(s, 10, 64)
		err = errors.Join(err, bad)
		return n
	}
	h = Had{ID: id.Right(fields[0]), Version: id.OfferVersion(fields[1]), Part: number(fields[2]), State: State(fields[3]),
		StartsAt: db.TimeOf(number(fields[4])), EndsAt: db.TimeOf(number(fields[5])), Coded: fields[6] != "", Waits: fields[7]}
	return h, err
}

// Spent reports whether a right in state s gives nothing any more.
func (s State) Spent() bool { return s == Used || s == Expired || s == Refunded }
