package app

import (
	"context"

	"hufu/internal/db"
)

// SetUpAddress is the address that makes the first owner, good once; "" when there are
// staff already. It is printed where only who runs the machine reads.
func (a *App) SetUpAddress(ctx context.Context) (string, error) {
	var token string
	err := a.DB.Do(ctx, func(tx *db.Tx) error {
		var err error
		token, err = a.Identity.SetUpToken(ctx, tx)
		return err
	})
	if err != nil || token == "" {
		return "", err
	}
	return a.Config.PublicURL + "/console/setup?token=" + token, nil
}
