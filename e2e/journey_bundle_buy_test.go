package e2e

import (
	"testing"

	"hufu/internal/i18n"
)

// TestJourneyBundleBuy buys, on a phone, a pack of which three of six are picked
// when ordering, and a year card whose platform is chosen each month: the first in the wallet.
func TestJourneyBundleBuy(t *testing.T) {
	s, home, cashier := demo(t)
	chromium := browser(t)
	b := open(t, chromium, true, device{lang: i18n.ZH, width: 390, height: 844, phone: true}, home, cashier)
	b.visit("http://" + home + "/offers/pick-three-of-six")
	b.before(".choice", "button[form=buy]", 6)
	b.check()
	b.shot("offer")
	for _, n := range []string{"1", "2"} {
		b.press("[name='pick.three'][value='" + n + "']")
	}
	b.press("button[form=buy]")
	b.at("/checkout/pick-three-of-six")
	b.says("fault.order.picks", "count", "3", "choice", "挑三样")
	b.shot("too-few")
	b.press("[name='pick.three'][value='0']")
	b.shot("checkout")
	order := pays(b)
	b.check()
	b.shot("order")
	b.visit("http://" + home + "/offers/video-year-of-choice")
	b.check()
	b.shot("year")
	b.press(".dock-buy button")
	pays(b)
	b.visit("http://" + home + "/wallet")
	b.check()
	b.shot("wallet")
	b.press("a[href$='/choose']")
	b.await("the options", "document.readyState === 'complete' && document.querySelector('[name=\"pick.platform\"]')")
	b.check()
	b.shot("choose")
	b.press("[name='pick.platform'][value='1']")
	b.press("button[form=choose]")
	b.says("shop.step.chosen")
	b.check()
	b.shot("chosen")
	for _, of := range []struct {
		name string
		device
	}{{"desk", device{lang: i18n.ZH, width: 1280, height: 900}}, {"desk-dark", device{lang: i18n.EN, width: 1280, height: 900, dark: true}}, {"phone-dark", device{lang: i18n.ZH, width: 390, height: 844, phone: true, dark: true}}} {
		again := open(t, b.ctx, false, of.device, home)
		for page, at := range map[string]string{"three": "/offers/pick-three-of-six", "year": "/offers/video-year-of-choice", "checkout": "/checkout/pick-three-of-six", "wallet": "/wallet", "order": order} {
			again.visit("http://" + home + at)
			again.check()
			again.shot(of.name + "-" + page)
		}
	}
	s.verify()
}

// pays fills the form of a purchase, pays at the cashier, and comes back to the order.
func pays(b *tab) string {
	b.t.Helper()
	b.fill("#phone", "13800001234")
	b.agrees()
	b.press("button[form=checkout]")
	b.await("the cashier", "document.readyState === 'complete' && document.querySelector('button[value=pay]')")
	order := "/orders/" + string(orderNamed(b))
	b.press("button[value=pay]")
	b.await("the cashier says it is paid", "document.querySelector('.sign.done')")
	b.press("a.button.main")
	b.at(order)
	return order
}
