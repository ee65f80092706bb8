package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"

	"hufu/internal/db/dbtest"
)

// ownerPassword is what the first owner of the journey's shop chooses.
const ownerPassword = "a sentence that only the owner knows"

// TestJourneyFirstSale goes from an empty shop to its first sale: all that an operator does,
// in the console, and then what a shopper does.
func TestJourneyFirstSale(t *testing.T) {
	s := openShop(t, dbtest.Store(t, "sqlite"))
	cashier := launch(t, "sandbox", "--listen", "127.0.0.1:0", "--secret", gatewaySecret).says(`http://(\S+)`)
	home := freeAddr(t)
	p := s.serve("--listen", home, "--sandbox-url", "http://"+cashier)
	setUp := p.says(`(http://\S+/console/setup\?token=\S+)`)
	chromium := browser(t)
	d := desk
	d.dark, d.strict = false, false // its goods have Chinese names, too
	b := open(t, chromium, true, d, home)

	owner(b, setUp)
	other := open(t, chromium, true, d, home)
	other.expect("410")
	if status := other.status(setUp); status != 410 {
		t.Errorf("the set-up address, which was good once, is answered %d", status)
	}
	stock(b, home)
	codes(b, home, t.TempDir())
	benefit(b, home)
	offer(b, home)

	shopper := open(t, chromium, true, phone, home, cashier)
	shopper.visit("http://" + home + "/")
	shopper.press(`a[href="/offers/first-month"]`)
	shopper.at("/offers/first-month")
	shopper.press(".dock-buy button")
	shopper.at("/checkout/first-month")
	order := buys(shopper)
	shopper.press(`a[href^="/orders/` + order + `/reveal"]`)
	shopper.at("/orders/" + order + "/reveal")
	shopper.agrees()
	shopper.press("button[form=reveal]")
	shopper.says("shop.codes.title")
	if code := value[string](shopper, "document.querySelector('main .card [data-copy]').dataset.copy"); !strings.HasPrefix(code, "FIRST") {
		t.Errorf("the shopper gets %s", code)
	}

	b.visit("http://" + home + "/console/orders")
	b.press(`a.row-link[href="/console/orders/` + order + `"]`)
	b.at("/console/orders/" + order)
	say := b.device.lang.T
	var text string
	until(t, "the time line is whole", func() bool { // the message to the shopper is a job's work
		if status := b.status("http://" + home + "/console/orders/" + order); status != 200 {
			t.Fatalf("the order is answered %d", status)
		}
		text = value[string](b, "document.querySelector('main').innerText")
		for _, event := range []string{say("console.event.placed", "total", "¥19.90"), say("console.event.intent", "gateway", "Sandbox"), say("console.event.notice", "gateway", "Sandbox"),
			say("console.event.capture", "amount", "¥19.90"), say("console.step.granted"), say("console.step.revealed"), say("console.event.message", "to", "138****1234"), say("console.transfer.sale")} {
			if !strings.Contains(text, event) {
				return false
			}
		}
		return true
	})
	if strings.Contains(text, "13800001234") || strings.Contains(text, "FIRST") {
		t.Error("the order's page shows the phone number or the code in clear")
	}
	b.shot("order")
	b.visit("http://" + home + "/console/ledger")
	b.says("console.ledger.balanced")
	b.says("console.account.sales")
	for _, account := range []string{"income:sales:CNY", "asset:gateway:sandbox:CNY"} {
		if row := value[string](b, fmt.Sprintf("[...document.querySelectorAll('tbody tr')].find(r => r.innerText.includes(%s))?.innerText ?? ''", quoted(account))); !strings.Contains(row, "19.90") {
			t.Errorf("the account %s says %q\n%s", account, row, value[string](b, "document.querySelector('main').innerText"))
		}
	}
	b.shot("ledger")
	b.visit("http://" + home + "/console/audit")
	for _, act := range []string{"stock.create", "benefit.save", "offer.publish", "offer.state"} {
		b.shows(act)
	}
	for _, page := range value[[]string](b, "[...new Set([...document.querySelectorAll('.con-side nav a')].map(a => a.href))]") {
		b.visit(page)
	}
	b.visit("http://" + home + "/console")
	b.shot("home")
	s.verify()
}

// buys fills in the checkout that a guest's tab is at, pays at the cashier, and is back at
// the order, which it names.
func buys(b *tab) string {
	b.t.Helper()
	b.fill("#phone", "13800001234")
	b.agrees()
	b.press(payNow)
	b.await("the cashier", "document.readyState === 'complete' && document.querySelector('button[value=pay]')")
	order := string(orderNamed(b))
	b.press("button[value=pay]")
	b.await("it is paid", "document.querySelector('.sign.done')")
	b.press("a.button.main")
	b.await("the rights", "document.readyState === 'complete' && location.pathname === '/orders/"+order+"'")
	return order
}

// owner makes the first owner by the address that was printed, with password and authenticator.
func owner(b *tab, setUp string) {
	b.t.Helper()
	b.visit(setUp)
	b.says("console.sign.set-up.title")
	b.fill("#name", "Lin")
	b.fill("#email", "lin@example.com")
	b.fill("#password", ownerPassword)
	b.fill("#password_again", ownerPassword)
	b.press("form[action='/console/setup'] button.btn-primary")
	b.says("console.sign.enrol.title")
	b.check()
	b.shot("authenticator")
	secret := strings.NewReplacer("-", "", " ", "", "\n", "").Replace(value[string](b, "document.querySelector('.code-row .code-text').textContent"))
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		b.t.Fatalf("the secret %q is none: %v", secret, err)
	}
	b.fill("#totp", code)
	b.press("form[action='/console/sign-in/enrol'] button.btn-primary")
	b.says("console.sign.recovery.title")
	b.check()
	if n := value[int](b, "document.querySelectorAll('ol.codes li').length"); n < 8 {
		b.t.Errorf("there are %d recovery codes", n)
	}
	b.press("a.btn-primary")
	b.at("/console")
	b.shot("empty")
}

func stock(b *tab, home string) {
	b.t.Helper()
	b.visit("http://" + home + "/console/stocks")
	b.press("button[data-dialog='#new-stock']")
	b.fill("#new-stock input[name=name]", "First codes")
	b.press("#new-stock .dialog-foot button")
	b.at("/console/stocks/stk_[0-9a-z]+")
	b.shows("First codes")
}

// codes takes a file of codes in by the wizard: upload, dry run, run.
func codes(b *tab, home, dir string) {
	b.t.Helper()
	file := filepath.Join(dir, "codes.csv")
	text := "code,password\n"
	for i := range 30 {
		text += fmt.Sprintf("FIRST%04dXK7Q%02d,pw%06d\n", i*37, i, i*7919)
	}
	text += "FIRST0000XK7Q00,pw000000\n" // again
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.visit("http://" + home + "/console/imports/new")
	b.choose("#stock", "First codes")
	b.fill("#issuer", "iQIYI")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("input[name=file]"), []string{file}))
	b.press("form[data-upload] button.btn-primary")
	b.at("/console/imports/imp_[0-9a-z]+")
	b.shot("columns")
	b.press("form[action$='/check'] .form-foot button.btn-primary")
	b.says("console.import.checked", "n", "30")
	b.check()
	b.shot("checked")
	b.press("form:has(input[name=op][value=start]) button")
	b.says("console.import.done", "n", "30")
	b.check()
	b.shot("imported")
}

func benefit(b *tab, home string) {
	b.t.Helper()
	b.visit("http://" + home + "/console/benefits/new?kind=membership")
	for _, f := range [][2]string{{"name.zh", "黄金会员 30 天"}, {"name.en", "Gold, 30 days"}, {"slug", "gold-30"}, {"provider", "iqiyi"}, {"provider.zh", "爱奇艺"}, {"provider.en", "iQIYI"},
		{"attributes.days", "30"}, {"valid_days", "365"}} {
		b.fill("[name='"+f[0]+"']", f[1])
	}
	for _, name := range []string{"account_type", "scope", "devices", "validity", "how_to_use", "refund"} {
		b.fill("[name='disclosure."+name+".zh']", "说明："+name)
		b.fill("[name='disclosure."+name+".en']", "Said: "+name)
	}
	b.choose("#stock", "First codes")
	b.press("#coded")
	b.press(".form-foot button.btn-primary")
	b.at("/console/benefits")
	b.shows("Gold, 30 days")
}

func offer(b *tab, home string) {
	b.t.Helper()
	b.visit("http://" + home + "/console/offers/new")
	for _, f := range [][2]string{{"title.zh", "黄金会员 月卡"}, {"title.en", "Gold, one month"}, {"slug", "first-month"}, {"price", "19.90"}, {"list_price", "30.00"}} {
		b.fill("[name='"+f[0]+"']", f[1])
	}
	adds(b, "", "Gold, 30 days")
	b.shot("offer")
	b.press("button[name=op][value=publish]")
	b.at("/console/offers/ofr_[0-9a-z]+")
	b.press("form:has(input[name=to][value=live]) button")
	b.await("it is live", "!document.querySelector('form:has(input[name=to][value=live])')")
	b.check()
	b.shot("live")
}
