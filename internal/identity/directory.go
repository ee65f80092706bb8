package identity

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/id"
)

var (
	newestShoppers  = db.SQL("identity.newest_shoppers", `SELECT `+partyColumns+` FROM parties p WHERE p.kind = 'shopper' AND (p.id < $1 OR $1 = '') ORDER BY p.id DESC LIMIT $2`)
	shoppersEnding  = db.SQL("identity.shoppers_ending", `SELECT `+partyColumns+` FROM parties p WHERE p.kind = 'shopper' AND p.phone LIKE $1 ORDER BY p.id DESC LIMIT $2`)
	shopperContacts = db.SQL("identity.shopper_contacts", `SELECT `+partyColumns+` FROM parties p WHERE p.kind = 'shopper' AND (p.phone = $1 OR p.email = $1) ORDER BY p.id`)
)

// Shoppers lists shoppers, the newest first, from before the one named ("" for all), at
// most n. Who shows them masks their contacts (Contact.Mask).
func (s *Service) Shoppers(ctx context.Context, tx *db.Tx, before id.Party, n int) ([]Party, error) {
	return loadParties(ctx, tx, newestShoppers, string(before), n)
}

// FindShoppers finds shoppers by a whole contact as typed, or by the last four digits of a
// phone number; at most n.
func (s *Service) FindShoppers(ctx context.Context, tx *db.Tx, typed string, n int) ([]Party, error) {
	if len(typed) == 4 && allDigits(typed) {
		return loadParties(ctx, tx, shoppersEnding, "%"+typed, n)
	}
	to, err := ParseContact(typed)
	if err != nil {
		return nil, nil // nobody's
	}
	return loadParties(ctx, tx, shopperContacts, string(to))
}

func allDigits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}
