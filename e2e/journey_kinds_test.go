package e2e

import (
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db/dbtest"
)

// TestJourneyKinds opens the form of every kind of benefit, sells a top-up, and sees what
// its buyer is told before and after paying: that it waits, and what for (A1, A5).
func TestJourneyKinds(t *testing.T) {
	s := openShop(t, dbtest.Store(t, "sqlite"))
	cashier := launch(t, "sandbox", "--listen", "127.0.0.1:0", "--secret", gatewaySecret).says(`http://(\S+)`)
	home := freeAddr(t)
	setUp := s.serve("--listen", home, "--sandbox-url", "http://"+cashier).says(`(http://\S+/console/setup\?token=\S+)`)
	chromium := browser(t)
	d := desk
	d.dark, d.strict = false, false // what is sold has Chinese names, too
	b := open(t, chromium, true, d, home)
	owner(b, setUp)

	for _, kind := range catalogue.Kinds() {
		b.visit("http://" + home + "/console/benefits/new?kind=" + kind)
		b.says("console.kind." + kind)
		b.check()
		b.shot(kind)
	}

	b.visit("http://" + home + "/console/benefits/new?kind=topup")
	for _, f := range [][2]string{{"name.zh", "话费 50 元"}, {"name.en", "Phone credit, 50 yuan"}, {"slug", "credit-50"}, {"provider", "mobile"}, {"provider.zh", "移动"}, {"provider.en", "Mobile"},
		{"attributes.face", "5000"}} {
		b.fill("[name='"+f[0]+"']", f[1])
	}
	for _, name := range []string{"account_type", "scope", "devices", "validity", "how_to_use", "refund"} {
		b.fill("[name='disclosure."+name+".zh']", "说明："+name)
		b.fill("[name='disclosure."+name+".en']", "Said: "+name)
	}
	b.expect("400")
	b.press(".form-foot button.btn-primary")
	b.says("fault.catalogue.required")
	b.choose("[name='attributes.account_type']", "Phone number")
	b.press(".form-foot button.btn-primary")
	b.at("/console/benefits")
	b.visit("http://" + home + "/console/offers/new")
	for _, f := range [][2]string{{"title.zh", "话费 50 元"}, {"title.en", "Phone credit, 50 yuan"}, {"slug", "credit-50"}, {"price", "49.50"}} {
		b.fill("[name='"+f[0]+"']", f[1])
	}
	adds(b, "", "Phone credit, 50 yuan")
	b.press("button[name=op][value=publish]")
	b.at("/console/offers/ofr_[0-9a-z]+")
	b.press("form:has(input[name=to][value=live]) button")
	b.says("console.offer.state.live")

	shopper := open(t, chromium, true, phone, home, cashier)
	shopper.visit("http://" + home + "/offers/credit-50")
	shopper.says("kind.waits.top_up.terms")
	shopper.check()
	shopper.visit("http://" + home + "/checkout/credit-50")
	buys(shopper)
	shopper.says("shop.moment.waits")
	shopper.says("kind.waits.top_up")
	shopper.check()
	shopper.shot("waiting")
	shopper.press(`a[href^="/rights/"]`)
	shopper.at("/rights/rgt_[0-9a-z]+")
	shopper.says("shop.step.waiting")
	shopper.check()
	shopper.shot("path")
}
