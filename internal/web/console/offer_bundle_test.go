package console

import (
	"html"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/id"
	"hufu/internal/money"
)

var (
	formField  = regexp.MustCompile(`(?s)<input [^>]*>|<select [^>]*>.*?</select>|<textarea [^>]*>.*?</textarea>`)
	fieldName  = regexp.MustCompile(`\sname="([^"]*)"`)
	fieldValue = regexp.MustCompile(`\svalue="([^"]*)"`)
	chosen     = regexp.MustCompile(`<option value="([^"]*)" selected`)
	offerEdit  = regexp.MustCompile(`(?s)<form class="stack offer-form".*?</form>`)
)

// filledIn are the fields of the offer's form as a browser would send them.
func filledIn(t *testing.T, page string) url.Values {
	t.Helper()
	f := url.Values{}
	for _, el := range formField.FindAllString(offerEdit.FindString(page), -1) {
		name, head := fieldName.FindStringSubmatch(el), el[:strings.Index(el, ">")+1]
		if name == nil || strings.Contains(head, `type="checkbox"`) && !strings.Contains(head, " checked") {
			continue
		}
		value := ""
		switch {
		case strings.HasPrefix(el, "<select"):
			if m := chosen.FindStringSubmatch(el); m != nil {
				value = m[1]
			} else if m := fieldValue.FindStringSubmatch(el[len(head):]); m != nil {
				value = m[1]
			}
		case strings.HasPrefix(el, "<textarea"):
			value = strings.TrimSuffix(el[len(head):], "</textarea>")
		default:
			if m := fieldValue.FindStringSubmatch(el); m != nil {
				value = m[1]
			}
		}
		f.Set(html.UnescapeString(name[1]), html.UnescapeString(value))
	}
	if f.Get("csrf") == "" || f.Get("parts") == "" {
		t.Fatalf("no form in %.300s", text(page))
	}
	return f
}

// aBundle gives a shop an offer that has everything a form can say of its parts.
func (r *rig) aBundle(offer string) catalogue.Content {
	r.Helper()
	day := time.Date(2026, 6, 30, 16, 0, 0, 0, time.UTC)
	yuan := func(n int64) money.Amount { return money.Of(n, money.CNY) }
	var saved catalogue.Content
	r.do(func(tx *db.Tx) error {
		o, err := r.shop.Catalogue.Offer(r.Context(), tx, id.Offer(offer))
		if err != nil {
			return err
		}
		b := o.Draft.Parts[0].Benefit
		c := &o.Draft
		c.Price, c.Floor, c.Room = yuan(12000), yuan(9900), catalogue.Room{PerMinute: 60, Minutes: 5}
		c.Title, c.Summary, c.Badge = catalogue.Text{ZH: "卡", EN: "Card"}, catalogue.Text{}, catalogue.Text{}
		c.Choices = []catalogue.Choice{
			{Key: "month-gift", Name: catalogue.Text{ZH: `"><script>每月`, EN: "Each <b>month"}, Pick: 1, Later: true, Days: 20, Share: yuan(2000),
				Release: catalogue.Release{Every: catalogue.EveryMonth, Count: 12, From: day, CatchUp: true, Until: day.AddDate(1, 0, 0)}},
			{Key: "now", Name: catalogue.Text{ZH: "现在选", EN: "Now"}, Pick: 1, Share: yuan(1000)},
		}
		c.Parts = []catalogue.Part{
			{Benefit: b, Quantity: 1, Share: yuan(8000), Validity: catalogue.Validity{From: catalogue.FromWindow, Start: day, End: day.AddDate(5, 0, 0)},
				Release: catalogue.Release{Every: catalogue.EveryWeek, Count: 4, Until: day.AddDate(4, 0, 0)}},
			{Benefit: b, Quantity: 2, Choice: "month-gift", Validity: catalogue.Validity{From: catalogue.FromActivation, Days: 31, Within: 90}},
			{Benefit: b, Quantity: 3, Share: yuan(1000), Validity: catalogue.Validity{From: catalogue.FromPurchase, Days: 400}},
			{Benefit: b, Quantity: 2, Choice: "month-gift", Validity: catalogue.Validity{From: catalogue.FromFirstUse, Days: 7}},
			{Benefit: b, Quantity: 1, Choice: "now"},
			{Benefit: b, Quantity: 4, Choice: "now"},
		}
		saved = o.Draft
		_, err = r.shop.Catalogue.Save(r.Context(), tx, o, r.shop.Clock.Now())
		return err
	})
	return saved
}

func (r *rig) draft(offer string) (c catalogue.Content) {
	r.Helper()
	r.do(func(tx *db.Tx) error {
		o, err := r.shop.Catalogue.Offer(r.Context(), tx, id.Offer(offer))
		c = o.Draft
		return err
	})
	return c
}

// What the form shows of a bundle is what it saves, every field of it.
func TestABundleSurvivesItsForm(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		b := r.owner()
		ids := r.filled()
		want := r.aBundle(ids["ofr"])
		href := "/console/offers/" + ids["ofr"]
		b.get(href + "/edit")
		page := b.want(200, "data-bundle", "data-split-sum")
		sound(t, "form", page)
		f := filledIn(t, page)
		f.Set("op", "save")
		b.submit(href+"/edit", f)
		b.want(303)
		if got := r.draft(ids["ofr"]); !reflect.DeepEqual(got, want) {
			t.Errorf("it is\n%+v\ninstead of\n%+v", got, want)
		}
		b.get(href)
		sound(t, "page", b.want(200))

		// A step there and back changes nothing, and answers with the part of the page alone.
		b.headers["Hufu-Fragment"] = "1"
		b.get(href + "/edit")
		f = filledIn(t, b.want(200))
		before := f.Get("parts[0].quantity") + f.Get("parts[2].quantity")
		f.Set("op", "parts.down:0")
		b.submit("/console/offers/bundle", f)
		list := b.want(200, `data-bundle-focus="parts[2].down"`)
		if strings.Contains(list, "<main") || !strings.Contains(list, `name="parts[2].quantity" value="1"`) || before != "13" {
			t.Error(text(list), before)
		}
	})
}

// What is wrong stands beside its field, what was typed stays, and what was taken away can be
// brought back until the form is saved.
func TestABundleThatIsRefused(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	ids := r.filled()
	r.aBundle(ids["ofr"])
	href := "/console/offers/" + ids["ofr"]
	b.get(href + "/edit")
	f := filledIn(t, b.want(200))
	for name, typed := range map[string]string{"op": "save", "choices[0].pick": "x<i>", "parts[2].validity.days": "soon", "parts[0].release.count": "1000", "parts[0].share": "1,2", "floor": "low", "room.minutes": "never", "choices[1].key": "month-gift"} {
		f.Set(name, typed)
	}
	b.submit(href+"/edit", f)
	page := b.want(400, `href="#choices%5b0%5d.pick"`, `href="#parts%5b2%5d.validity.days"`, `href="#parts%5b0%5d.release.count"`, `href="#parts%5b0%5d.share"`, `href="#floor"`, `href="#room.minutes"`, `href="#choices%5b1%5d.key"`)
	sound(t, "refused", page)
	again := filledIn(t, page)
	for name := range f {
		if !strings.HasSuffix(name, ".open") && name != "op" && name != "csrf" && name != "idempotency_key" && again.Get(name) != f.Get(name) {
			t.Errorf("of %s %q became %q", name, f.Get(name), again.Get(name))
		}
	}

	b.get(href + "/edit")
	f = filledIn(t, b.want(200))
	f.Set("parts[0].share", "79.99")
	f.Set("op", "publish")
	b.submit(href+"/edit", f)
	b.want(400, `href="#shares"`, `id="shares"`)

	b.get(href + "/edit")
	f = filledIn(t, b.want(200))
	f.Set("op", "choices.remove:0")
	b.submit(href+"/edit", f)
	gone := filledIn(t, b.want(200, `value="choices.restore:0"`))
	gone.Set("op", "choices.restore:0")
	b.submit(href+"/edit", gone)
	back := filledIn(t, b.want(200))
	for name := range f {
		if strings.HasPrefix(name, "parts[") && back.Get(name) != f.Get(name) {
			t.Errorf("of %s %q came back as %q", name, f.Get(name), back.Get(name))
		}
	}
	gone.Set("op", "save")
	gone.Set("parts[0].release.every", "")
	b.submit(href+"/edit", gone)
	b.want(303)
	if c := r.draft(ids["ofr"]); len(c.Choices) != 1 || len(c.Parts) != 4 || c.Choices[0].Key != "now" {
		t.Errorf("%+v", c)
	}
}

// Shares are filled in so that they add up to the price, whatever is in it.
func TestSharesAreFilledIn(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	ids := r.filled()
	r.aBundle(ids["ofr"])
	href := "/console/offers/" + ids["ofr"]
	b.get(href + "/edit")
	f := filledIn(t, b.want(200))
	f.Set("price", "100.01")
	f.Set("floor", "")
	f.Set("op", "parts.fill")
	b.submit(href+"/edit", f)
	f = filledIn(t, b.want(200))
	sum := money.Of(0, money.CNY)
	for _, name := range []string{"parts[0].share", "parts[2].share", "choices[0].share", "choices[1].share"} {
		a, err := money.Parse(f.Get(name), money.CNY)
		if err != nil {
			t.Fatal(name, f.Get(name), err)
		}
		sum.Minor += a.Minor
	}
	if sum.Minor != 10001 {
		t.Errorf("they add up to %s", sum)
	}
	f.Set("op", "save")
	b.submit(href+"/edit", f)
	b.want(303)
	if c := r.draft(ids["ofr"]); c.Parts[0].Share.IsZero() || c.Choices[0].Share.IsZero() || !c.Parts[1].Share.IsZero() {
		t.Errorf("%+v", c)
	}
}
