package e2e

import (
	"regexp"
	"testing"

	"hufu/internal/app"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/id"
	"hufu/internal/notify"
)

// TestJourneyRelations declares, in the console, that the times of a membership add up.
func TestJourneyRelations(t *testing.T) {
	s := openShop(t, dbtest.Store(t, "sqlite"))
	home := freeAddr(t)
	setUp := s.serve("--listen", home).says(`(http://\S+/console/setup\?token=\S+)`)
	chromium := browser(t)
	d := desk
	d.dark, d.strict = false, false
	b := open(t, chromium, true, d, home)
	owner(b, setUp)
	b.visit("http://" + home + "/console/benefits/new?kind=membership")
	for _, f := range [][2]string{{"name.zh", "影视月卡"}, {"name.en", "Films, a month"}, {"slug", "films-month"}, {"provider", "films"}, {"provider.zh", "影视"}, {"provider.en", "Films"}, {"attributes.days", "31"}} {
		b.fill("[name='"+f[0]+"']", f[1])
	}
	for _, name := range []string{"account_type", "scope", "devices", "validity", "how_to_use", "refund"} {
		b.fill("[name='disclosure."+name+".zh']", "说明："+name)
		b.fill("[name='disclosure."+name+".en']", "Said: "+name)
	}
	b.press(".form-foot button.btn-primary")
	b.at("/console/benefits")
	b.press("a[href='/console/relations']")
	b.at("/console/relations")
	b.says("console.relations.empty")
	b.check()
	b.shot("none")
	b.visit("http://" + home + "/console/relations/new")
	b.fill("[name='name.zh']", "影视会员")
	b.fill("[name='name.en']", "Films membership")
	b.fill("[name='key']", "films")
	b.choose("[name='from.provider']", "Films")
	b.press("button[name=op][value=look]")
	b.shows("Your Films membership runs to")
	b.check()
	b.shot("form")
	b.press(".form-foot button[value=save]")
	b.at("/console/relations")
	b.shows("Your Films membership runs to")
	b.check()
	b.shot("list")
	for _, other := range []device{{lang: phone.lang, width: 390, height: 844, phone: true}, {lang: phone.lang, width: 390, height: 844, phone: true, dark: true}, {lang: desk.lang, width: 1280, height: 900, dark: true}} {
		again := open(t, b.ctx, false, other, home)
		name := "phone"
		if !other.phone {
			name = "desk"
		}
		if other.dark {
			name += "-dark"
		}
		for _, page := range []string{"", "/new", "/films"} {
			again.visit("http://" + home + "/console/relations" + page)
			again.check()
			again.shot(name + "-" + regexp.MustCompile(`\W`).ReplaceAllString(page, ""))
		}
	}
	s.verify()
}

// sentCode is the code that was sent to a phone.
func sentCode(t *testing.T, a *app.App, to string) (code string) {
	t.Helper()
	if err := a.DB.View(t.Context(), func(tx *db.Tx) error {
		all, err := notify.Newest(t.Context(), tx, "", 1)
		if err == nil && len(all) > 0 {
			code = regexp.MustCompile(`\d{6}`).FindString(all[0].Body)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if code == "" {
		t.Fatalf("no code was sent to %s", to)
	}
	return code
}

// bought buys one of an offer and comes back to its order. What has to be acknowledged is
// refused without its box first.
func bought(b *tab, home, slug string, warned bool) id.Order {
	b.t.Helper()
	b.visit("http://" + home + "/checkout/" + slug)
	pay := "aside button.btn-primary"
	if b.device.phone {
		pay = "button[form=checkout]"
	}
	b.fill("#phone", "13800001234")
	b.agrees()
	if warned {
		b.before("#conflicts", pay, 1)
		b.check()
		b.shot("checkout")
		b.expect("400")
		b.press(pay)
		b.says("fault.shop.conflicts_unread")
		b.shot("unread")
		b.press("#conflicts")
	}
	b.press(pay)
	b.await("the cashier", "document.readyState === 'complete' && document.querySelector('button[value=pay]')")
	order := orderNamed(b)
	b.press("button[value=pay]")
	b.await("the cashier says it is paid", "document.querySelector('.sign.done')")
	b.press("a.button.main")
	b.at("/orders/" + string(order))
	return order
}
