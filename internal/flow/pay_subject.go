package flow

import (
	"context"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/order"
)

// maxSubject is how many bytes a subject has at most: the shortest limit of the channels
// (WeChat Pay's description, 127) with room to spare.
const maxSubject = 120

// PaySubject is what a channel's cashier says is bought: the first offer's title in the
// order's language, and how many more there are. It is the same each time it is asked for,
// as channels refuse a number that comes back with another subject.
func (f *Flows) PaySubject(ctx context.Context, o *order.Order) (string, error) {
	if len(o.Lines) == 0 {
		return string(o.ID), nil
	}
	l := o.Lines[0]
	seen, _ := f.Catalogue.LastSeen(l.Offer)
	v := seen.Sale.Version
	if v == nil || v.ID != l.Version {
		if err := f.DB.View(ctx, func(tx *db.Tx) error {
			found, err := f.Catalogue.Versions(ctx, tx, []id.OfferVersion{l.Version})
			v = found[l.Version]
			return err
		}); err != nil {
			return "", err
		}
	}
	if v == nil {
		return string(o.ID), nil
	}
	return paySubject(o, v), nil
}

func paySubject(o *order.Order, first *catalogue.Version) string {
	title := i18n.Match(o.Lang).Pick(first.Content.Title.ZH, first.Content.Title.EN)
	title = strings.Join(strings.FieldsFunc(title, func(r rune) bool { return unicode.IsControl(r) || r == ' ' }), " ")
	if title == "" {
		return string(o.ID)
	}
	more := ""
	if n := o.Lines[0].Quantity; n > 1 {
		more = " × " + strconv.FormatInt(n, 10)
	}
	if n := len(o.Lines) - 1; n > 0 {
		more += " +" + strconv.Itoa(n)
	}
	if len(title)+len(more) > maxSubject {
		cut := maxSubject - len(more) - len("…")
		for cut > 0 && !utf8.RuneStart(title[cut]) {
			cut--
		}
		title = title[:cut] + "…"
	}
	return title + more
}
