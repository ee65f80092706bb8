package e2e

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"hufu/internal/app"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/i18n"
	"hufu/internal/identity"
	"hufu/internal/insight/audience"
)

// TestJourneyRules writes the rules of an offer as somebody does who doesn't write expressions,
// and as somebody who does: at a desk, on a phone, in both languages and in the dark.
func TestJourneyRules(t *testing.T) {
	s := openShop(t, dbtest.Store(t, "sqlite"), offering{codes: 3})
	home := freeAddr(t)
	setUp := s.serve("--listen", home).says(`(http://\S+/console/setup\?token=\S+)`)
	chromium := browser(t)
	d := desk
	d.dark, d.strict = false, false
	b := open(t, chromium, true, d, home)
	owner(b, setUp)
	someCustomers(t, s)
	edit := "http://" + home + "/console/offers/" + string(s.offers[0]) + "/edit"
	for _, of := range []struct {
		name string
		device
	}{
		{"desk", d}, {"desk-dark", device{lang: phone.lang, width: 1280, height: 900, dark: true}},
		{"phone", phone}, {"phone-dark", device{lang: desk.lang, width: 390, height: 844, phone: true, dark: true}},
	} {
		t.Run(of.name, func(t *testing.T) {
			b := open(t, b.ctx, false, of.device, home)
			b.t = t
			writeRules(b, edit, of.name)
		})
	}
	t.Run("without script", func(t *testing.T) {
		d := phone
		d.noScript = true
		b := open(t, b.ctx, false, d, home)
		writeRulesBare(b, edit)
	})
}

func writeRules(b *tab, edit, name string) {
	see := func(what string) {
		b.t.Helper()
		value[bool](b, "document.querySelector('#offer-rules').scrollIntoView({block: 'start', behavior: 'instant'}), true")
		b.check()
		b.shot(name + "-" + what)
	}
	b.visit(edit)
	b.says("console.rules.none")
	see("none")
	b.press("button[value='rules.add:newcomers']")
	b.await("the newcomers", "document.querySelector('[name=\"rules[0].items[0].values[0]\"]')?.value === '0'")
	see("newcomers")

	// A second fact: its operators and fields follow; a list takes values by Enter.
	b.press("button[value='rules.condition:rules[0]']")
	b.await("the second condition", "document.activeElement.name === 'rules[0].items[1].fact'")
	b.choose("[name='rules[0].items[1].fact']", b.device.lang.T("rule.fact.customer.tags"))
	b.await("its operators", "[...document.querySelector('[name=\"rules[0].items[1].op\"]').options].some(o => o.value === 'has_any')")
	b.choose("[name='rules[0].items[1].op']", b.device.lang.T("rule.op.has_any"))
	b.await("its field", "document.querySelector('[name=\"rules[0].items[1].op\"]').value === 'has_any' && !document.querySelector('[data-rules-list][aria-busy]')")
	b.fill("[name='rules[0].items[1].values[0]']", "vip")
	b.enter()
	b.await("a field for another", "document.activeElement.name === 'rules[0].items[1].values[1]'")
	b.fill("[name='rules[0].items[1].values[1]']", "老友")
	b.shows("老友")
	b.press("button[value='rules.group:rules[0]']")
	b.await("a group", "document.activeElement.name === 'rules[0].items[2].items[0].fact'")
	b.choose("[name='rules[0].items[2].items[0].fact']", b.device.lang.T("rule.fact.now"))
	b.await("a date", "document.querySelector('[name=\"rules[0].items[2].items[0].values[0]\"]')?.type === 'date'")
	see("builder-unfinished")
	value[bool](b, `(() => { const f = document.querySelector('[name="rules[0].items[2].items[0].values[0]"]'); f.value = '2026-11-11'; f.dispatchEvent(new Event('input', {bubbles: true})); return true })()`)
	b.shows("2026-11-11")
	b.await("that it is said", "document.querySelector('.rule-says:not(.rule-says-not)')")
	see("builder")

	// As a text, with a slip of the pen: marked at its place, and mended.
	b.press("button[value='rules.text:rules[0]']")
	b.await("the text", "document.querySelector('[name=\"rules[0].text\"]')?.value.includes('hasAny(customer.tags')")
	b.fill("[name='rules[0].text']", "custmer.orders == 0 and\nhour > \"10\"")
	b.await("what is wrong", "document.querySelectorAll('[data-rule-marks] mark').length === 2")
	see("text-wrong")
	b.press("[data-rule-at]")
	if got := value[string](b, "(() => { const t = document.activeElement; return t.value.slice(t.selectionStart, t.selectionEnd) })()"); got != "custmer.orders" {
		b.t.Errorf("the place leads to %q", got)
	}
	b.press("button[value^='rules.fix:']")
	b.await("the name mended", "document.querySelector('[name=\"rules[0].text\"]').value.startsWith('customer.orders')")
	b.fill("[name='rules[0].text']", "customer.orders * 30 > customer.age_days")
	b.press(".rule-edit .fold summary")
	b.press("[data-rule-insert='customer.signed_in']")
	b.await("the fact", "document.querySelector('[name=\"rules[0].text\"]').value === 'customer.orders * 30 > customer.age_days and customer.signed_in'")
	b.await("that it is said", "document.querySelector('.rule-says:not(.rule-says-not)')")
	see("facts")
	b.press("button[value='rules.form:rules[0]']")
	b.says("console.rules.unshown")
	see("unshown")

	// The author's words, what a shopper reads, and a name that is nothing but a name.
	b.fill("[name='rules[0].name.zh']", "<b>老友</b>")
	b.fill("[name='rules[0].refusal.zh']", "<img src=x onerror=alert(1)> 只给新朋友")
	b.fill("[name='rules[0].refusal.en']", "For new friends only")
	b.await("what is read", "document.querySelector('.rule-shopper').innerText.includes('<img src=x') && !document.querySelector('.rule-shopper img')")
	see("refusal")

	b.press("button[value='rules.add:channel']")
	b.await("another rule", "document.querySelectorAll('.rule').length === 2")
	b.press("button[value='rules.up:rules[1]']")
	b.await("the order", "document.querySelector('[name=\"rules[0].items[0].fact\"]')?.value === 'channel'")
	b.press("button[value='rules.remove:rules[0]']")
	b.await("it gone", "document.querySelector('.rule-gone')")
	see("removed")
	b.press("button[value='rules.restore:rules[0]']")
	b.await("it back", "!document.querySelector('.rule-gone')")
	b.press("button[value='rules.preview']")
	b.says("console.rules.preview.title", "all", "3", "n", "0", "percent", "0.0%")
	b.shows(b.device.lang.T("console.rules.reasons"))
	value[bool](b, "document.querySelector('#rules-preview').scrollIntoView({block: 'start', behavior: 'instant'}), true")
	b.check()
	b.shot(name + "-preview")

	// What was typed is still there after going away.
	b.visit(strings.TrimSuffix(edit, "/edit"))
	b.visit(edit)
	b.await("the draft", "document.querySelectorAll('.rule').length === 2 && document.querySelector('[name=\"rules[1].refusal.en\"]').value === 'For new friends only'")
	b.press("[data-draft-note] button")
	b.says("console.rules.none")
}

// enter presses Enter as a keyboard does: what the page does with the key decides whether it
// types anything.
func (b *tab) enter() {
	b.t.Helper()
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		key := input.DispatchKeyEventParams{Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13}
		if kind == input.DispatchKeyEventTypeKeyDown {
			key.Text = "\r"
		}
		if _, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, key); err != nil {
			b.t.Fatal(err)
		}
	}
}

// someCustomers makes three customers, whom the preview knows of.
func someCustomers(t *testing.T, s *shop) {
	t.Helper()
	a, err := app.Open(t.Context(), app.Config{Store: s.store, KeyFile: s.keys}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, phone := range []string{"13911110001", "13911110002", "13911110003"} {
		from := identity.Origin{Address: "192.0.2.1"}
		sent, err := identity.Commit(t.Context(), a.DB, func(tx *db.Tx) (db.Answer[identity.Sent], error) {
			return a.Identity.SendCode(t.Context(), tx, identity.SendCode{To: phone, Purpose: identity.ForSignIn, Origin: from}, a.Clock.Now())
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := identity.Commit(t.Context(), a.DB, func(tx *db.Tx) (db.Answer[identity.Opened], error) {
			return a.Identity.SignInShopper(t.Context(), tx, sent.Ticket, sent.Code, i18n.ZH, from, a.Clock.Now())
		}); err != nil {
			t.Fatal(err)
		}
	}
	for ended := false; !ended; {
		if ended, err = audience.Walk(t.Context(), a.DB, 100, a.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
}

// writeRulesBare makes a rule with nothing but buttons that send the form.
func writeRulesBare(b *tab, edit string) {
	b.visit(edit)
	b.press("button[value='rules.add']")
	b.says("console.rules.unfinished")
	b.choose("[name='rules[0].items[0].fact']", b.device.lang.T("rule.fact.device"))
	b.press("button[value='rules.change:rules[0].items[0]']")
	b.await("the devices", "[...document.querySelector('[name=\"rules[0].items[0].values[0]\"]').options].some(o => o.value === 'mobile')")
	b.choose("[name='rules[0].items[0].values[0]']", b.device.lang.T("rule.device.mobile"))
	b.check()
	b.shot("bare-builder")
	b.press("button[value='rules.text:rules[0]']")
	b.await("the text", "document.querySelector('[name=\"rules[0].text\"]')?.value === 'device == \"mobile\"'")
	b.fill("[name='rules[0].text']", "devise == \"mobile\"")
	b.press("button[value='rules.check:rules[0]']")
	b.await("the place", "document.querySelector('[data-rule-marks] mark')?.textContent === 'devise'")
	b.check()
	b.shot("bare-text")
}
