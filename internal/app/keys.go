package app

import (
	"context"
	"time"

	"hufu/internal/flow"
	"hufu/internal/vault"
)

// followKeys has the keyring learn of the keys that a rotation makes, in whichever process,
// until the app is closed.
func (a *App) followKeys(keys *vault.Keyring) {
	keys.Follow(a.DB, a.Master)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(flow.KeyRefresh)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if _, err := keys.Refresh(ctx); err != nil && ctx.Err() == nil {
					a.Log.Error("the vault's keys could not be looked up; those known go on to serve", "error", err)
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	a.stop = append(a.stop, func() {
		cancel()
		<-done
	})
}

// Master opens the file of master keys as it is now.
func (a *App) Master() (vault.Master, error) { return vault.OpenKeyFile(a.Config.KeyFile) }
