package bench

import (
	"context"
	"path/filepath"
	"testing"

	"hufu/internal/db/dbtest"
)

func eachStore(t *testing.T, fn func(t *testing.T, store, keyFile string)) {
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			fn(t, dbtest.Store(t, kind), filepath.Join(t.TempDir(), "keys"))
		})
	}
}

func mustHold(t *testing.T, store, keyFile string, orders int64) {
	t.Helper()
	n, first, err := violations(t.Context(), store, keyFile)
	if err != nil || n != 0 {
		t.Fatalf("%d invariants don't hold: %s %v", n, first, err)
	}
	a, err := open(t.Context(), store, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if held, err := ordersHeld(t.Context(), a.DB); err != nil || held != orders {
		t.Fatalf("the store holds %d orders of %d: %v", held, orders, err)
	}
}

// Five thousand purchases turn pages of every walk and take several transactions.
func TestAFilledStoreHoldsEveryInvariant(t *testing.T) {
	eachStore(t, func(t *testing.T, store, keyFile string) {
		quiet := func(string) {}
		if n, err := fillPast(t.Context(), store, keyFile, 5000, quiet); err != nil || n != 5000 {
			t.Fatal(n, err)
		}
		mustHold(t, store, keyFile, 5000)
		if n, err := fillPast(t.Context(), store, keyFile, 4000, quiet); err != nil || n != 5000 {
			t.Fatalf("a store that held enough was filled to %d: %v", n, err)
		}
		if n, err := fillPast(t.Context(), store, keyFile, 6500, quiet); err != nil || n != 6500 {
			t.Fatal(n, err)
		}
		mustHold(t, store, keyFile, 6500)
	})
}

func TestAFillingGoesOnWhereItStopped(t *testing.T) {
	eachStore(t, func(t *testing.T, store, keyFile string) {
		a, err := open(t.Context(), store, keyFile)
		if err != nil {
			t.Fatal(err)
		}
		p, err := beginPast(t.Context(), a, 7000)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		if err := p.fill(ctx, func(done, _ int64) {
			if done > 0 {
				stop()
			}
		}); err == nil {
			t.Fatal("a filling that was stopped ended well")
		}
		held, err := ordersHeld(t.Context(), a.DB)
		a.Close()
		if err != nil || held == 0 || held == 7000 {
			t.Fatalf("stopped in the midst of 7000, it had filled %d: %v", held, err)
		}
		mustHold(t, store, keyFile, held)
		if n, err := fillPast(t.Context(), store, keyFile, 7000, func(string) {}); err != nil || n != 7000 {
			t.Fatal(n, err)
		}
		mustHold(t, store, keyFile, 7000)
	})
}
