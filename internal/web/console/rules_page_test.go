package console

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/insight/audience"
)

// shopper makes a shopper with what the store knows of them.
func (r *rig) shopper(phone string, traits identity.Traits) {
	r.Helper()
	o := identity.Origin{Address: "192.0.2." + phone[len(phone)-2:]}
	sent, err := identity.Commit(r.Context(), r.shop.DB, func(tx *db.Tx) (db.Answer[identity.Sent], error) {
		return r.people.SendCode(r.Context(), tx, identity.SendCode{To: phone, Purpose: identity.ForSignIn, Origin: o}, r.shop.Clock.Now())
	})
	if err != nil {
		r.Fatal(err)
	}
	in, err := identity.Commit(r.Context(), r.shop.DB, func(tx *db.Tx) (db.Answer[identity.Opened], error) {
		return r.people.SignInShopper(r.Context(), tx, sent.Ticket, sent.Code, i18n.ZH, o, r.shop.Clock.Now())
	})
	if err != nil {
		r.Fatal(err)
	}
	r.do(func(tx *db.Tx) error {
		_, err := r.people.SetTraits(r.Context(), tx, identity.System, id.Party(in.Party.ID), traits, nil, r.shop.Clock.Now())
		return err
	})
}

// offerWithRules is the form of an offer as the page sends it, with rules.
func offerWithRules(ids map[string]string, revision, op string, rules ...string) []string {
	return append([]string{"title.zh", "卡", "title.en", "Card", "category", "video", "position", "3", "currency", "CNY", "price", "18.80", "max_per_order", "2", "revision", revision, "parts", "2",
		"parts[0].benefit", ids["ben"], "parts[0].quantity", "1", "limits", "1", "op", op}, rules...)
}

var revisionField = regexp.MustCompile(`name="revision" value="(\d+)"`)

// A rule is written, looked at, refused at its place, published and shown again, and nothing
// that somebody types into it is markup.
func TestRulesOfAnOffer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		b := r.owner()
		ids := r.filled()
		href := "/console/offers/" + ids["ofr"]
		edit := func() string {
			b.get(href + "/edit")
			return revisionField.FindStringSubmatch(b.want(200, `id="offer-rules"`))[1]
		}
		rev := edit()
		sound(t, "none", b.want(200, "人人可以买"))
		evil := `<script>alert("1")</script>`
		named := []string{"rules", "1", "rules[0].name.zh", evil, "rules[0].name.en", evil, "rules[0].as", "text", "rules[0].refusal.zh", evil, "rules[0].refusal.en", evil}
		b.post(href+"/edit", offerWithRules(ids, rev, "save", append(named, "rules[0].text", `custmer.orders == 0 or region == "`+evil[:8]+`"`)...)...)
		body := b.want(400, "customer.orders", "<mark>custmer.orders</mark>", `href="#rules%5b0%5d.text"`)
		sound(t, "refused", body)
		if strings.Contains(body, "<script>alert") {
			t.Error("what was typed is markup")
		}
		b.post(href+"/edit", offerWithRules(ids, rev, "publish", append(named, "rules[0].text", `region == "<b>x</b>"`)...)...)
		b.want(303)
		for _, path := range []string{href, href + "/edit", href + "/preview"} {
			b.get(path)
			body := b.want(200)
			sound(t, path, body)
			if strings.Contains(body, "<script>alert") || strings.Contains(body, "<b>x</b>") {
				t.Errorf("%s shows what was typed as markup", path)
			}
		}
		rev = edit()
		b.want(200, `name="rules[0].items[0].fact"`, "&lt;b&gt;x&lt;/b&gt;")

		// Without a value a condition is told of beside its field, and everything stands.
		b.post(href+"/edit", offerWithRules(ids, rev, "save", "rules", "1", "rules[0].name.zh", "老客", "rules[0].name.en", "Old", "rules[0].as", "form", "rules[0].mode", "all", "rules[0].items", "1",
			"rules[0].items[0].fact", "order.amount", "rules[0].items[0].op", "at_least", "rules[0].items[0].values[0]", "9x", "rules[0].items[0].unit[0]", "USD")...)
		body = b.want(400, `id="rules[0].items[0].values[0]-error"`, `value="9x"`, `value="USD" selected`, `value="老客"`)
		sound(t, "a wrong value", body)

		// A member who may only look has no business here.
		looker := r.member("look@example.com", identity.Support)
		looker.get("/console/profile")
		looker.post("/console/offers/rules", "op", "rules.add")
		looker.want(403)
	})
}

// The script's own requests answer with parts of the page; without the header they lead to one.
func TestRulesAreAskedInParts(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	ids := r.filled()
	b.get("/console/offers/" + ids["ofr"] + "/edit")
	proof := b.proof()
	ask := func(fields ...string) {
		b.headers["Hufu-Fragment"] = "1"
		b.post("/console/offers/rules", append(fields, "=csrf", proof)...)
		delete(b.headers, "Hufu-Fragment")
	}
	ask("op", "rules.add:channel", "rules", "0")
	body := b.want(200, `name="rules" value="1"`, `data-rules-focus="rules[0].name.zh"`)
	if strings.Contains(body, "<html") {
		t.Error("a whole page")
	}
	ask("op", "rules.said:rules[0]", "rules", "1", "rules[0].as", "text", "rules[0].text", "custmer.orders == 0")
	b.want(200, "<mark>custmer.orders</mark>", "rules.fix:rules[0]:0")
	ask("op", "rules.said:rules[4]", "rules", "1")
	b.want(404)
	b.post("/console/offers/rules", "op", "rules.add", "=csrf", proof)
	b.want(303)
}

// The preview counts every customer by all rules together, tells which condition leaves out how
// many, and shows nobody's number.
func TestWhoQualifies(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		b := r.owner()
		ids := r.filled()
		for i := range 6 {
			level := "plain"
			if i%2 == 0 {
				level = "gold"
			}
			tags := []string{"vip"}
			if i == 0 {
				tags = nil
			}
			r.shopper(fmt.Sprintf("138000012%02d", 10+i), identity.Traits{Level: level, Tags: identity.NewTags(tags)})
		}
		b.get("/console/offers/" + ids["ofr"] + "/edit")
		proof := b.proof()
		ask := func(more ...string) string {
			b.headers["Hufu-Fragment"] = "1"
			b.post("/console/offers/rules", append(append(offerWithRules(ids, "1", "rules.preview"), more...), "=csrf", proof)...)
			return text(b.want(200))
		}
		if got := ask("rules", "0"); !strings.Contains(got, "第一次整理") {
			t.Error(got)
		}
		for ended := false; !ended; {
			var err error
			if ended, err = audience.Walk(t.Context(), r.shop.DB, 100, r.shop.Clock.Now()); err != nil {
				t.Fatal(err)
			}
		}
		two := []string{"rules", "2", "rules[0].as", "text", "rules[0].text", `customer.level == "gold"`, "rules[1].as", "text", "rules[1].text", `"vip" in customer.tags and channel == "web"`}
		got := ask(append(two, "rules.channel", "web")...)
		for _, want := range []string{"6 位顾客里有 2 位够格（33.3%）", "138****1212", "138****1214", "会员等级为 gold 规则 1 3 3", "客户标签中有 vip 规则 2 1 1"} {
			if !strings.Contains(got, want) {
				t.Errorf("no %s in %s", want, got)
			}
		}
		if strings.Contains(got, "13800001212") {
			t.Error("a number is shown")
		}
		if got := ask(append(two, "rules.channel", "api")...); !strings.Contains(got, "有 0 位够格") {
			t.Error(got)
		}
		if got := ask("rules", "1", "rules[0].as", "text", "rules[0].text", `region == "CN-31"`); !strings.Contains(got, "有 0 位够格") || !strings.Contains(got, "规则 1 6 6") {
			t.Error(got)
		}
		if got := ask("rules", "1", "rules[0].as", "text", "rules[0].text", `order.amount >= "18.80 CNY" and hour == 3`, "rules.at", "2026-11-25T03:30"); !strings.Contains(got, "有 6 位够格") {
			t.Error(got)
		}
		if got := ask("rules", "1", "rules[0].as", "text", "rules[0].text", "oops"); !strings.Contains(got, "先改好再数") {
			t.Error(got)
		}
		if got := ask("rules", "1", "rules[0].as", "text", "rules[0].text", "customer.orders == 0 and stock.available > 0"); !strings.Contains(got, "位够格") {
			t.Error(got)
		}
	})
}
