package vault

import (
	"context"
	"sync"

	"hufu/internal/db"
)

// source is where a keyring learns of new keys.
type source struct {
	mu   sync.Mutex
	db   *db.DB
	open func() (Master, error)
}

// Follow tells the keyring where its keys are kept, so that Refresh finds those that
// another process made. open gives the master keys as they are now.
func (k *Keyring) Follow(d *db.DB, open func() (Master, error)) {
	k.follow.Store(&source{db: d, open: open})
}

// Refresh looks for keys that a rotation has made, moved or retired, and reports whether
// there were any. A process calls it every few seconds, and when a key is unknown. On a
// fault the keyring stays as it was.
func (k *Keyring) Refresh(ctx context.Context) (bool, error) {
	s := k.follow.Load()
	if s == nil {
		return false, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []WrappedKey
	err := s.db.View(ctx, func(tx *db.Tx) error {
		var err error
		keys, err = LoadKeys(ctx, tx)
		return err
	})
	if err != nil {
		return false, err
	}
	mark := ""
	for _, w := range keys {
		mark += w.mark()
	}
	if mark == k.set.Load().mark {
		return false, nil
	}
	m, err := s.open()
	if err != nil {
		return false, err
	}
	return true, k.Reload(ctx, m, keys)
}

// mark changes with whatever a keyring must learn of.
func (w WrappedKey) mark() string { return string(w.ID) + string(w.MasterID) + string(w.State) }
