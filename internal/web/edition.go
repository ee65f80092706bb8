package web

import (
	"context"
	"strconv"
	"strings"

	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/flow"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/inventory"
)

// NumberWords are the numbers of editions that a right has, as people read them; "" for none.
func NumberWords(lang i18n.Lang, all []inventory.Number) string {
	words := make([]string, len(all))
	for i, n := range all {
		words[i] = lang.T("edition.label", "number", n.Digits(), "of", strconv.FormatInt(n.Of, 10))
	}
	return strings.Join(words, " · ")
}

func numbersOf(ctx context.Context, tx *db.Tx, f *flow.Flows, rights []*entitlement.Right) (map[id.Right][]inventory.Number, error) {
	ids := make([]id.Right, len(rights))
	for i, r := range rights {
		ids[i] = r.ID
	}
	return f.Inventory.NumbersOf(ctx, tx, ids)
}
