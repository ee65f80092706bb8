package console

import (
	"net/http/httptest"
	"strings"
	"testing"

	"hufu/internal/vault"
)

// A file whose rows nobody has counted yet is neither at 0 % nor done.
func TestAnImportOfUnknownSizeShowsNoShare(t *testing.T) {
	r := sqliteRig(t)
	live := func(total int64) string {
		w := httptest.NewRecorder()
		r.console.ui.Fragment(w, httptest.NewRequest("GET", "/", nil), 200, "console/import", "import-live", &importView{Import: &vault.Import{Done: 61, Total: total}, Label: "Checking"})
		return w.Body.String()
	}
	if body := live(0); strings.Contains(body, "%") || strings.Contains(body, "max=") || !strings.Contains(body, "<progress aria-label") {
		t.Error(body)
	}
	if body := live(122); !strings.Contains(body, "50%") || !strings.Contains(body, `value="61" max="122"`) {
		t.Error(body)
	}
}
