package verify

import (
	"context"

	"hufu/internal/db"
)

// Pages are small, so that every walk turns some.
func init() { page, pageOfCodes, perStretch = 3, 7, 2 }

// Within checks inside a transaction, so that a test can tamper, look, and undo.
func Within(ctx context.Context, tx *db.Tx, o Options) ([]Result, error) {
	return check(ctx, []*db.Tx{tx}, o, 1, 1)
}

// IDs lists the invariants.
func IDs() []string {
	var out []string
	for _, inv := range invariants {
		out = append(out, inv.id)
	}
	return out
}

// Rules lists every rule that is a query or a condition in one, "I1.account".
func Rules() []string {
	var out []string
	for _, inv := range invariants {
		for _, q := range inv.rules {
			out = append(out, inv.id+"."+q.name)
		}
	}
	for _, s := range append(sweeps, codesSweep) {
		for _, q := range s.rules {
			out = append(out, q.invariant+"."+q.name)
		}
	}
	return out
}
