package e2e

import (
	"strings"
	"testing"

	"hufu/internal/db/dbtest"
)

// F28: a second server on one SQLite file ends at once and says why and what to do, and the
// first goes on; after the first was killed, another starts.
func TestASecondServerIsRefusedTheFile(t *testing.T) {
	s := openShop(t, dbtest.Store(t, "sqlite"), offering{10})
	first := s.serve()
	if second, err := s.start(); err == nil {
		t.Fatalf("two serve from one file: %s and %s", first.addr, second.addr)
	} else if !strings.Contains(err.Error(), "Another hufu process is using the database") {
		t.Errorf("the second says: %v", err)
	}
	h := newHTTP()
	if a, err := place(t.Context(), h, first.addr, "key-of-the-first-one", s.offers[0]); err != nil || a.status != 201 {
		t.Errorf("the first answers %v, %v", a, err)
	}
	first.kill()
	again := s.serve()
	if a, err := place(t.Context(), h, again.addr, "key-of-the-second-one", s.offers[0]); err != nil || a.status != 201 {
		t.Errorf("the one after it answers %v, %v", a, err)
	}
	s.verify()
}
