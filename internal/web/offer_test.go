package web_test

import (
	"strings"
	"testing"

	"hufu/internal/db/dbtest"
)

// On a phone the number of units is chosen in the bar that buys, which is a form of its own:
// the other one is for larger screens.
func TestTheQuantityStandsBesideTheButton(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	_, dock, found := strings.Cut(s.browser("en").get("/offers/duo").body, `class="dock-buy"`)
	dock, _, _ = strings.Cut(dock, "</form>")
	if !found || !strings.Contains(dock, `<select class="select" name="n" aria-label="`) || !strings.Contains(dock, "× 2") || !strings.Contains(dock, "<button") {
		t.Errorf("the bar holds %q", dock)
	}
}
