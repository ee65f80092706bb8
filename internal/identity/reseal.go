package identity

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/id"
)

var (
	sealedTOTP = db.SQL("identity.sealed_totp", `SELECT party_id, totp, totp_key FROM staff WHERE totp_key <> '' ORDER BY party_id {{for update}}`)
	resealTOTP = db.SQL("identity.reseal_totp", `UPDATE staff SET totp = $1, totp_key = $2 WHERE party_id = $3`)
)

// Reseal seals every second factor under the key that is active now, so that a rotation of
// keys can retire the one before.
func (s *Service) Reseal(ctx context.Context, tx *db.Tx) error {
	var all []account
	if err := tx.Query(ctx, sealedTOTP, func(scan func(...any) error) error {
		var a account
		err := scan(&a.ID, &a.totp, &a.totpKey)
		all = append(all, a)
		return err
	}); err != nil {
		return err
	}
	for _, a := range all {
		if err := s.resealOne(ctx, tx, a.ID, a.totpKey, a.totp); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) resealOne(ctx context.Context, tx *db.Tx, party id.Party, key id.Key, sealed []byte) error {
	secret, err := s.sealer.OpenBytes(s.totpPlace(party), key, sealed)
	if err != nil {
		return err
	}
	fresh, body, err := s.sealer.SealBytes(s.totpPlace(party), secret)
	if err != nil || fresh == key {
		return err
	}
	return tx.ExecOne(ctx, resealTOTP, body, string(fresh), string(party))
}
