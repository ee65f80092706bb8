package console

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"hufu/internal/identity"
)

func revisionOf(t *testing.T, body string) string {
	t.Helper()
	m := regexp.MustCompile(`name="revision" value="(\d+)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatal("the page names no revision")
	}
	return m[1]
}

// An operator schedules a version, sees what it changes, compares, and gives it up.
func TestAVersionIsScheduledOnThePage(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	ids := r.filled()
	href := "/console/offers/" + ids["ofr"]
	b.get(href + "/edit")
	rev := revisionOf(t, b.want(200))
	b.post(href+"/edit", "title.zh", "卡", "title.en", "Card", "category", "video", "position", "3", "currency", "CNY", "price", "12.34", "max_per_order", "2", "revision", rev, "parts", "2",
		"parts[0].benefit", ids["ben"], "parts[0].quantity", "1", "limits", "1", "op", "save")
	b.want(303)
	b.get(href)
	page := b.want(200, "12.34", "定时换版")
	sound(t, "offer", page)
	rev = revisionOf(t, page)

	b.post(href+"/schedule", "revision", rev, "at", "2020-01-01T10:00")
	sound(t, "past", b.want(400, `href="#at"`, "2020-01-01T10:00"))
	at := r.shop.Clock.Now().Add(48 * time.Hour).In(time.FixedZone("", 8*3600)).Format("2006-01-02T15:04")
	b.post(href+"/schedule", "revision", rev, "at", at)
	b.want(303)
	b.get(href)
	sound(t, "scheduled", b.want(200, "自动上架", "已定时"))
	b.get(href + "/compare?from=1&to=2")
	sound(t, "compare", b.want(200, "售价", "12.34"))
	b.get(href + "/compare?from=2&to=draft")
	b.want(200, "完全相同")
	b.get(href + "/compare?from=7")
	b.want(404)

	b.post(href + "/unschedule")
	b.want(303)
	b.get(href)
	if strings.Contains(b.want(200), "自动上架") {
		t.Error("what was given up is still announced")
	}
	b.post(href + "/unschedule")
	b.want(409)
}

func TestAnOfferIsDuplicatedOnThePage(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	ids := r.filled()
	href := "/console/offers/" + ids["ofr"]
	b.get(href)
	b.want(200, `id="duplicate"`, "-copy")
	b.post(href+"/duplicate", "slug", "Not A Slug")
	sound(t, "refused", b.want(400, "Not A Slug"))
	b.post(href+"/duplicate", "slug", "second-card")
	b.want(303)
	b.get("/console/offers?q=second-card&state=draft")
	b.want(200, "second-card")
	b.post(href+"/duplicate", "slug", "second-card")
	b.want(400)
}

// Two people at one form are told of each other, and of what was saved.
func TestTwoEditorsAreTold(t *testing.T) {
	r := sqliteRig(t)
	owner := r.owner()
	ids := r.filled()
	other := r.member("li@example.com", identity.Operator)
	href := "/console/offers/" + ids["ofr"]
	owner.get(href + "/edit")
	rev := revisionOf(t, owner.want(200))
	if strings.Contains(owner.want(200), "也在编辑") {
		t.Error("nobody else is there")
	}
	other.get(href + "/edit")
	sound(t, "second", other.want(200, "也在编辑这个商品"))
	owner.get(href + "/editing/state?revision=" + rev) // a browser without the script's header goes back to the form
	owner.want(303)
	fragment := func() string {
		owner.headers["Hufu-Fragment"] = "1"
		defer delete(owner.headers, "Hufu-Fragment")
		owner.get(href + "/editing/state?revision=" + rev)
		return owner.want(200)
	}
	if !strings.Contains(fragment(), "li@example.com 也在编辑") {
		t.Errorf("the first is told of nobody: %s", fragment())
	}
	other.post(href+"/edit", "title.zh", "卡", "title.en", "Card", "category", "video", "position", "3", "currency", "CNY", "price", "12.34", "max_per_order", "2", "revision", rev, "parts", "2",
		"parts[0].benefit", ids["ben"], "parts[0].quantity", "1", "limits", "1", "op", "save")
	other.want(303)
	if got := fragment(); !strings.Contains(got, "被别人保存过") {
		t.Errorf("the first isn't told that somebody saved: %s", got)
	}
	r.shop.Time.Advance(2 * time.Minute)
	rev = "99"
	if got := fragment(); strings.TrimSpace(got) != "" {
		t.Errorf("who left long ago is still there: %s", got)
	}
}
