package web_test

import (
	"strings"
	"testing"

	"hufu/internal/catalogue"
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

// Who types the sound of a Chinese name finds it, as do who types its first letters.
func TestAChineseNameIsFoundByItsSound(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.sell("video", "腾讯视频月卡", catalogue.Live, 1990, s.benefit("video", "tx", "video", 3))
	s.sell("music", "音乐周卡", catalogue.Live, 990, s.benefit("music", "yy", "music", 3))
	for query, found := range map[string]string{"tengxun": "video", "TXSP": "video", "yinyue": "music", "zhouka": "music"} {
		body := s.browser("en").get("/search?q=" + query).body
		for _, slug := range []string{"video", "music"} {
			if strings.Contains(body, `href="/offers/`+slug+`"`) != (slug == found) {
				t.Errorf("%s: %s", query, slug)
			}
		}
	}
}
