package e2e

import (
	"log/slog"
	"testing"

	"hufu/internal/app"
	demoshop "hufu/internal/app/demo"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/i18n"
)

// stocked opens a shop with the demo's catalogue.
func stocked(t *testing.T) *shop {
	t.Helper()
	s := openShop(t, dbtest.Store(t, "sqlite"))
	a, err := app.Open(t.Context(), app.Config{Store: s.store, KeyFile: s.keys, PublicURL: "http://127.0.0.1"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := a.Flows.ImportCatalogue(t.Context(), demoshop.Catalogue, flow.ImportOptions{Source: "catalogue.json"}); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestJourneyBundle composes, from nothing and at a desk, a year card with a choice every month,
// and on a phone without script a pack of two providers; both are published.
func TestJourneyBundle(t *testing.T) {
	s := stocked(t)
	home := freeAddr(t)
	setUp := s.serve("--listen", home).says(`(http://\S+/console/setup\?token=\S+)`)
	chromium := browser(t)
	d := desk
	d.dark, d.strict = false, false
	b := open(t, chromium, true, d, home)
	owner(b, setUp)
	year := yearCard(b, home)

	for _, of := range []struct {
		name string
		device
	}{{"desk-dark", device{lang: i18n.ZH, width: 1280, height: 900, dark: true}}, {"phone", phone}, {"phone-dark", device{lang: i18n.EN, width: 390, height: 844, phone: true, dark: true}}} {
		again := open(t, b.ctx, false, of.device, home)
		again.visit("http://" + home + year + "/edit")
		for _, at := range []string{"#offer-bundle", ".bundle-choice", ".bundle-add", ".offer-aside"} {
			look(again, at, of.name+"-"+at[1:])
		}
		again.visit("http://" + home + year)
		again.shot(of.name + "-page")
	}
	bare := phone
	bare.noScript = true
	twoProviders(open(t, b.ctx, false, bare, home), home)
	s.verify()
}

// look takes a picture of a part of the page.
func look(b *tab, at, name string) {
	b.t.Helper()
	value[bool](b, "document.querySelector("+quoted(at)+").scrollIntoView({block: 'start', behavior: 'instant'}), true")
	b.check()
	b.shot(name)
}

// adds searches for a benefit and adds it to the offer.
func adds(b *tab, words, name string) {
	b.t.Helper()
	// A step whose answer didn't come in time is sent as the whole form, and the page loads anew.
	b.await("the form", "document.readyState === 'complete' && document.querySelector('[name=parts]')")
	parts := value[string](b, "document.querySelector('[name=parts]').value")
	b.fill("[name='parts.find']", words)
	found := ".bundle-found[data-found=" + quoted(words) + "] button"
	if name != "" {
		found += "[aria-label*=" + quoted(name) + "]"
	}
	b.press(found)
	b.await("it is added", "document.querySelector('[name=parts]')?.value == "+parts+" + 1")
}

func yearCard(b *tab, home string) string {
	b.t.Helper()
	b.visit("http://" + home + "/console/offers/new")
	for _, f := range [][2]string{{"title.zh", "影音年卡"}, {"title.en", "Screen and sound, a year"}, {"slug", "year-of-months"}, {"price", "199.00"}} {
		b.fill("[name='"+f[0]+"']", f[1])
	}
	look(b, "#offer-bundle", "empty")
	adds(b, "tencent month", "Tencent Video VIP")
	look(b, "#offer-bundle", "one")
	b.press("#choices\\.add")
	b.await("a choice", "document.querySelector('[name=\"choices[0].pick\"]')")
	for _, words := range []string{"iqiyi month", "youku month", "mango month", "bilibili month"} {
		adds(b, words, "")
	}
	b.fill("[name='choices[0].name.zh']", "每月任选")
	b.fill("[name='choices[0].name.en']", "One each month")
	b.press("[name='choices[0].later']")
	b.fill("[name='choices[0].days']", "20")
	b.press("[data-bundle-fold='choices[0]'] > summary")
	b.choose("[name='choices[0].release.every']", "month")
	b.fill("[name='choices[0].release.count']", "12")
	b.shows("released every month from the day of purchase, 12 times")
	b.press("[data-bundle-fold='parts[0]'] > summary")
	b.choose("[name='parts[0].validity.from']", "From activation")
	b.fill("[name='parts[0].validity.days']", "31")
	b.fill("[name='parts[0].validity.within']", "90")
	b.shows("to be activated within 90 days")

	// The last option becomes the first; what was open stays open.
	b.press("#parts\\[4\\]\\.up")
	b.await("it moved", "document.activeElement.id === 'parts[3].up'")
	b.press("#parts\\[3\\]\\.up")
	b.await("it moved", "document.activeElement.id === 'parts[2].up'")
	b.press("#parts\\.fill")
	b.await("the shares add up", "(() => { const n = x => Math.round(Number(document.querySelector('[name=\"' + x + '.share\"]').value) * 100); return n('parts[0]') + n('choices[0]') === 19900; })()")
	b.shows("One by one")
	look(b, "#offer-bundle", "desk")
	look(b, ".bundle-choice", "desk-choice")

	// A wrong share is told at its field, and nothing that was typed is lost.
	share := value[string](b, "document.querySelector('[name=\"choices[0].share\"]').value")
	b.fill("[name='choices[0].share']", "1.00")
	b.expect("400")
	b.press("button[name=op][value=publish]")
	b.says("ui.error.form")
	b.check()
	b.shot("refused")
	if got := value[string](b, "[...document.querySelectorAll('#offer-bundle input:not([type=hidden])')].filter(e => e.checkVisibility()).map(e => e.value).filter(Boolean).join()"); got == "" {
		b.t.Error("what was typed is gone")
	}
	b.fill("[name='choices[0].share']", share)
	b.press("button[name=op][value=publish]")
	b.at("/console/offers/ofr_[0-9a-z]+")
	b.shows("One each month (1 of 4)")
	b.shot("published")
	return value[string](b, "location.pathname")
}

// twoProviders does with posts alone what yearCard does within the page.
func twoProviders(b *tab, home string) {
	b.t.Helper()
	b.visit("http://" + home + "/console/offers/new")
	for _, f := range [][2]string{{"title.zh", "双平台会员"}, {"title.en", "Two memberships"}, {"slug", "two-platforms"}, {"price", "39.90"}} {
		b.fill("[name='"+f[0]+"']", f[1])
	}
	for _, words := range []string{"优酷 月", "芒果 月"} {
		b.fill("[name='parts.find']", words)
		b.press("button[value='parts.find']")
		n := value[string](b, "document.querySelector('[name=parts]').value")
		b.press(".bundle-found[data-found=" + quoted(words) + "] button")
		b.await("added", "document.readyState === 'complete' && document.querySelector('[name=parts]')?.value == "+n+" + 1")
	}
	if got := value[string](b, "document.querySelector('#price').value"); got != "39.90" {
		b.t.Errorf("of the price %q is left", got)
	}
	look(b, "#offer-bundle", "bare")
	b.press("button[name=op][value=publish]")
	b.at("/console/offers/ofr_[0-9a-z]+")
	b.shows("双平台会员")
}
