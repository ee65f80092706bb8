package e2e

import (
	"log/slog"
	"testing"
	"time"

	"hufu/internal/app"
	shopfile "hufu/internal/app/demo"
	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
)

// TestJourneyVersions has an operator change prices in the grid, publish one of them later,
// compare, look as a shopper would then, and duplicate.
func TestJourneyVersions(t *testing.T) {
	s := openShop(t, dbtest.Store(t, "sqlite"))
	a, err := app.Open(t.Context(), app.Config{Store: s.store, KeyFile: s.keys}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	if done, err := a.Flows.ImportCatalogue(t.Context(), shopfile.Catalogue, flow.ImportOptions{}); err != nil || len(done.Problems) > 0 {
		t.Fatal(err, done.Problems)
	}
	var month catalogue.Offer
	if err := a.DB.View(t.Context(), func(tx *db.Tx) (err error) {
		month, err = a.Flows.Catalogue.OfferBySlug(t.Context(), tx, "tencent-video-vip-month")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	home := freeAddr(t)
	setUp := s.serve("--listen", home).says(`(http://\S+/console/setup\?token=\S+)`)
	d := desk
	d.dark, d.strict = false, false
	b := open(t, browser(t), true, d, home)
	owner(b, setUp)
	at := "http://" + home + "/console/offers/" + string(month.ID)

	b.visit("http://" + home + "/console/offers/grid?q=tencent")
	b.check()
	b.shot("grid")
	price := "[name='rows[0].price']"
	b.fill(price, "1.23")
	b.await("the change is marked", "document.querySelector(\""+price+"\").classList.contains('grid-changed')")
	b.press(".form-foot button[value=save]")
	b.await("it is saved", "document.readyState === 'complete' && document.querySelector('main .banner')")
	b.check()
	b.shot("grid-saved")

	b.visit(at)
	b.check()
	b.shot("offer")
	when := time.Now().In(catalogue.Zone).Add(48 * time.Hour).Format("2006-01-02T15:04")
	if _, ok := eval[bool](b, "(document.querySelector('#at').value = '"+when+"', true)"); !ok {
		t.Fatal("no field for the time")
	}
	b.press("form[action$='/schedule'] button")
	b.await("it is scheduled", "document.readyState === 'complete' && document.querySelector('form[action$=\"/unschedule\"]')")
	b.check()
	b.shot("scheduled")
	b.press("form[action$='/unschedule'] a")
	b.await("the comparison", "document.readyState === 'complete' && location.pathname.endsWith('/compare')")
	b.check()
	b.shot("compare")
	b.visit(at + "/as?at=" + time.Now().In(catalogue.Zone).Add(72*time.Hour).Format("2006-01-02T15:04"))
	b.check()
	b.shot("as")
	for _, other := range []device{{lang: phone.lang, width: 390, height: 844, phone: true}, {lang: phone.lang, width: 390, height: 844, phone: true, dark: true}, {lang: desk.lang, width: 1280, height: 900, dark: true}} {
		again := open(t, b.ctx, false, other, home)
		name := map[bool]string{true: "phone", false: "desk"}[other.phone]
		if other.dark {
			name += "-dark"
		}
		for page, path := range map[string]string{"grid": "http://" + home + "/console/offers/grid?q=tencent", "offer": at, "compare": at + "/compare", "as": at + "/as", "edit": at + "/edit"} {
			again.visit(path)
			again.check()
			again.shot(page + "-" + name)
		}
	}
	s.verify()
}
