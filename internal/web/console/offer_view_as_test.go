package console

import (
	"strings"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/rule"
)

// A merchandiser sees what a shopper will find at a time: the version sold then, and what is
// asked of them.
func TestAnOfferIsViewedAsAShopperAtATime(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	ids := r.filled()
	shopper := r.customer()
	href := "/console/offers/" + ids["ofr"] + "/as"
	at := r.shop.Clock.Now().Add(time.Hour)
	r.do(func(tx *db.Tx) error {
		o, err := r.shop.Catalogue.Offer(t.Context(), tx, id.Offer(ids["ofr"]))
		if err != nil {
			return err
		}
		o.Draft.Price = money.Of(456, money.CNY)
		o.Draft.Rules = []catalogue.Issuing{
			{Name: catalogue.Text{ZH: "网页可买", EN: "Web only"}, Source: rule.Source{Text: `channel == "web"`}},
			{Name: catalogue.Text{ZH: "老客", EN: "Regulars"}, Source: rule.Source{Text: `customer.orders >= 7`, RefusalZH: "仅限老顾客", RefusalEN: "For regulars only"}},
		}
		o.Draft.Limits = []catalogue.Limit{{Max: 3, Window: catalogue.Day, Of: catalogue.Person}}
		_, _, err = r.shop.Catalogue.Schedule(t.Context(), tx, o, at, "pty_1", r.shop.Clock.Now())
		return err
	})
	typed := func(x time.Time) string {
		return x.In(time.FixedZone("", 8*3600)).Format("2006-01-02T15:04")
	}
	b.get(href)
	sound(t, "guest now", b.want(200, "访客"))
	b.get(href + "?at=" + typed(at.Add(time.Minute)))
	sound(t, "guest later", b.want(200, "¥4.56", "每人每天限购"))
	b.get(href + "?of=draft")
	b.want(200, "¥4.56")
	b.get(href)
	b.post(href, "who", "13812344444", "at", typed(at.Add(time.Minute)), "channel", "web")
	to := b.last.Header().Get("Location")
	b.want(303)
	b.get(to)
	sound(t, "shopper", b.want(200, "138****4444", "还可买 3 件", "符合发放规则：网页可买", "仅限老顾客"))
	b.get(href)
	b.post(href, "who", "nobody@example.com")
	sound(t, "unknown", b.want(400, "nobody@example.com", `href="#who"`))
	b.get(href + "?who=" + shopper)
	b.want(200, "138****4444")
	b.get("/console/audit?q=offer.view_as")
	b.want(200, shopper)
	b.get(href + "?who=pty_nobody")
	b.want(404)
}

// Of a bundle it is said what a pick gives, on which device, and when what comes later comes.
func TestAPickIsViewedAsAShopper(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	ids := r.filled()
	href := "/console/offers/" + ids["ofr"] + "/as"
	r.do(func(tx *db.Tx) error {
		o, err := r.shop.Catalogue.Offer(t.Context(), tx, id.Offer(ids["ofr"]))
		if err != nil {
			return err
		}
		one := o.Draft.Parts[0]
		one.Choice = "now"
		other, later := one, one
		other.Benefit.Name, other.Benefit.Slug = catalogue.Text{ZH: "另一项", EN: "Another"}, "another"
		later.Choice = "later"
		o.Draft.Parts = []catalogue.Part{one, other, later}
		o.Draft.Choices = []catalogue.Choice{{Key: "now", Name: catalogue.Text{ZH: "任选", EN: "Pick"}, Pick: 1},
			{Key: "later", Name: catalogue.Text{ZH: "每月", EN: "Monthly"}, Pick: 1, Later: true, Days: 5, Release: catalogue.Release{Every: catalogue.EveryMonth, Count: 12}}}
		o.Draft.Rules = []catalogue.Issuing{{Name: catalogue.Text{ZH: "电脑", EN: "Desktop"}, Source: rule.Source{Text: `device == "desktop"`, RefusalZH: "仅限电脑", RefusalEN: "On a computer only"}}}
		_, err = r.shop.Catalogue.Save(t.Context(), tx, o, r.shop.Clock.Now())
		return err
	})
	b.get(href + "?of=draft")
	page := b.want(200, `name="pick.now" value="0" checked`, "每月（以后选）", "仅限电脑", "→")
	sound(t, "default", page)
	if strings.Contains(page, "<span>另一项</span></h2>") {
		t.Error("what isn't picked is given")
	}
	b.post(href, "of", "draft", "device", "desktop", "pick.now", "1")
	to := b.last.Header().Get("Location")
	b.want(303)
	b.get(to)
	sound(t, "picked", b.want(200, `value="1" checked`, "<span>另一项</span></h2>", "符合发放规则：电脑"))
	b.get(href + "?of=draft&pick.now=0&pick.now=1")
	sound(t, "two of one", b.want(200, `href="#pick.now"`, `value="0" checked`))
	b.get(href + "?of=draft&pick.now=99")
	b.want(200, `href="#pick.now"`)
}
