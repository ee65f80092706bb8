package console

import (
	"html"
	"regexp"
	"slices"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/rule"
)

var wasField = regexp.MustCompile(`name="was" value="([^"]*)"`)

// A customer's level, tags and region are set on their page; what is wrong stands beside its
// field, and who was too late is told and loses nothing.
func TestCustomersAreGivenTraits(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	r.shopper("13800000042", identity.Traits{Level: "silver", Tags: identity.NewTags([]string{"old"})})
	var who identity.Party
	r.do(func(tx *db.Tx) error {
		found, err := r.people.FindShoppers(r.Context(), tx, "13800000042", 1)
		who = found[0]
		return err
	})
	href := "/console/customers/" + string(who.ID)
	open := func() string {
		b.get(href)
		page := b.want(200, "silver", `name="level"`)
		sound(t, "customer", page)
		return html.UnescapeString(wasField.FindStringSubmatch(page)[1])
	}
	was := open()
	b.post(href+"/traits", "was", was, "level", "gold", "tags", "vip，team", "region", "Shanghai")
	sound(t, "refused", b.want(400, `href="#region"`, `value="gold"`, "vip，team", "<details class=\"fold\" open"))
	b.post(href+"/traits", "was", was, "level", " gold ", "tags", "vip，team\r\nvip\r\n", "region", "cn-31")
	b.want(303)
	traits := func() identity.Traits {
		t.Helper()
		r.do(func(tx *db.Tx) (err error) {
			who, err = r.people.Party(r.Context(), tx, who.ID)
			return err
		})
		return who.Traits
	}
	want := identity.Traits{Level: "gold", Tags: identity.NewTags([]string{"team", "vip"}), Region: "CN-31"}
	if got := traits(); got.Level != want.Level || got.Tags != want.Tags || got.Region != want.Region {
		t.Errorf("%+v", got)
	}
	b.get(href)
	b.post(href+"/traits", "was", was, "level", "platinum", "tags", "", "region", "") // from the page of before
	sound(t, "late", b.want(409, `value="platinum"`, "没有保存您的修改"))
	if got := traits(); got.Level != "gold" {
		t.Errorf("the later one overwrote the earlier: %+v", got)
	}
	b.post(href+"/traits", "was", was, "level", "gold", "tags", "vip,team", "region", "CN-31") // the same again
	b.want(303)
	b.get(href)
	b.post(href+"/traits", "was", "[", "level", "gold")
	b.want(400)
	b.get(href)
	b.post("/console/customers/"+string(id.New[id.Party]())+"/traits", "was", was, "level", "gold")
	b.want(404)
	var kept int
	r.do(func(tx *db.Tx) error {
		return tx.Query(r.Context(), countTraits, func(scan func(...any) error) error { return scan(&kept) })
	})
	if kept != 2 {
		t.Errorf("%d changes are on record", kept)
	}
}

var countTraits = db.SQL("test.console_traits", `SELECT COUNT(*) FROM audit_rows WHERE action = 'customer.traits'`)

func TestWhatRulesAskForIsSuggested(t *testing.T) {
	rules := func(texts ...string) (o catalogue.Offer) {
		for _, text := range texts {
			o.Draft.Rules = append(o.Draft.Rules, catalogue.Issuing{Source: rule.Source{Text: text}})
		}
		return o
	}
	got := askedFor([]catalogue.Offer{
		rules(`customer.level in ["silver", "gold"] or (hasAny(customer.tags, ["vip"]) and customer.orders > 3)`, `not a rule`),
		rules(`customer.level == "gold"`, `hasNone(customer.tags, ["staff"])`)})
	if !slices.Equal(got["customer.level"], []string{"gold", "silver"}) || !slices.Equal(got["customer.tags"], []string{"staff", "vip"}) {
		t.Errorf("%v", got)
	}
}
