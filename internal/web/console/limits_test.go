package console

import (
	"regexp"
	"testing"
)

// A purchase limit is added, changed and taken away without script, and what is wrong with one
// stands beside it.
func TestPurchaseLimitsOfAnOffer(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	ids := r.filled()
	href := "/console/offers/" + ids["ofr"]
	edit := func() string {
		b.get(href + "/edit")
		return regexp.MustCompile(`name="revision" value="(\d+)"`).FindStringSubmatch(b.want(200, `name="limits[0].max"`))[1]
	}
	form := func(revision, op, rows string, more ...string) []string {
		return append([]string{"title.zh", "卡", "title.en", "Card", "category", "video", "position", "3", "currency", "CNY", "price", "18.80", "max_per_order", "2", "revision", revision, "parts", "2",
			"parts[0].benefit", ids["ben"], "parts[0].quantity", "1", "limits", rows, "op", op}, more...)
	}
	rev := edit()
	b.post(href+"/edit", form(rev, "more_limits", "1", "limits[0].max", "2", "limits[0].window", "day", "limits[0].of", "person", "limits[0].channel", "")...)
	sound(t, "more", b.want(200, `name="limits" value="2"`, `name="limits[1].max"`, `value="day" selected`))
	b.post(href+"/edit", form(rev, "publish", "3", "limits[0].max", "2", "limits[0].window", "day", "limits[0].of", "person", "limits[0].channel", "",
		"limits[1].max", "", "limits[2].max", "100", "limits[2].window", "ever", "limits[2].of", "everybody", "limits[2].channel", "web")...)
	b.want(303)
	b.get(href)
	sound(t, "page", b.want(200, "每人每天限购", "总共限售", "（网店）"))

	rev = edit()
	b.post(href+"/edit", form(rev, "publish", "3", "limits[0].max", "", "limits[1].max", "5", "limits[1].window", "week", "limits[1].of", "person",
		"limits[2].max", "5", "limits[2].window", "week", "limits[2].of", "person")...)
	sound(t, "refused", b.want(400, `href="#limits%5b0%5d.window"`, `href="#limits%5b1%5d.max"`))
	b.post(href+"/edit", form(rev, "save", "1", "limits[0].max", "0", "limits[0].window", "day", "limits[0].of", "person")...)
	b.want(400, `href="#limits%5b0%5d.max"`)
	b.post(href+"/edit", form(rev, "publish", "2", "limits[0].max", "", "limits[1].max", "")...)
	b.want(303)
	b.get(href + "/versions/3")
	b.want(200, "每人每天限购") // what it had before
}
