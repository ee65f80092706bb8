package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"hufu/internal/app"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/id"
	"hufu/internal/money"
)

// twin is the demo's offer of two memberships on two platforms.
const twin = "iqiyi-tencent-twin"

// demo starts `hufu demo` with an empty folder.
func demo(t *testing.T) (s *shop, home, cashier string) {
	t.Helper()
	data, home := t.TempDir(), freeAddr(t)
	p := launch(t, "demo", "--listen", home, "--sandbox-listen", "127.0.0.1:0", "--data", data)
	cashier = p.says(`sandbox +http://(\S+)`)
	if said := p.says(`shop +http://(\S+)`); said != home {
		t.Errorf("the demo says it is at %s", said)
	}
	return &shop{t: t, store: "sqlite:" + filepath.Join(data, "hufu.db"), keys: filepath.Join(data, "hufu.keys")}, home, cashier
}

// TestJourneyShopper buys in the demo shop as people do: on a phone in Chinese, at a desk in
// English in the dark, and without scripts up to the cashier's button.
func TestJourneyShopper(t *testing.T) {
	s, home, cashier := demo(t)
	chromium := browser(t)
	t.Run("phone", func(t *testing.T) {
		b := open(t, chromium, true, phone, home, cashier)
		b.visit("http://" + home + "/")
		b.weigh(60_000)
		wholePurchase(t, b, home)
		s.verify()
	})
	t.Run("desk", func(t *testing.T) {
		b := open(t, chromium, true, desk, home, cashier)
		b.visit("http://" + home + "/")
		type paint struct{ Back, Text float64 }
		p := value[paint](b, `(() => {
			const light = c => c.match(/[\d.]+/g).slice(0, 3).reduce((a, x) => a + Number(x) / 765, 0), style = getComputedStyle(document.body);
			return {back: light(style.backgroundColor), text: light(style.color)};
		})()`)
		if p.Back > 0.2 || p.Text < 0.7 {
			t.Errorf("in the dark the page is %.2f light and its text %.2f", p.Back, p.Text)
		}
		wholePurchase(t, b, home)
		s.verify()
	})
	t.Run("without scripts", func(t *testing.T) {
		d := phone
		d.noScript = true
		b := open(t, chromium, true, d, home, cashier)
		b.visit("http://" + home + "/offers/" + twin)
		order := toCashier(t, b, home)
		b.press("button[value=pay]")
		b.await("the cashier says it is paid", "document.querySelector('.sign.done')")
		b.press("a.button.main")
		b.at("/orders/" + order)
		b.says("shop.order.rights")
		s.verify()
	})
}

// weigh compares what the first page has transferred, without pictures, with a limit.
func (b *tab) weigh(limit float64) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	sum := 0.0
	for kind, n := range b.bytes {
		if kind != network.ResourceTypeImage {
			sum += n
		}
	}
	b.t.Logf("the first page transfers %.1f KB without pictures: %v", sum/1000, b.bytes)
	if sum == 0 || sum >= limit {
		b.t.Errorf("the first page transfers %.0f bytes without pictures", sum)
	}
}

// toCashier goes from an offer's page to the cashier's and gives the order's id.
func toCashier(t *testing.T, b *tab, home string) string {
	t.Helper()
	b.at("/offers/" + twin)
	pay := "#buy button"
	if b.device.phone {
		pay = ".dock-buy button"
	}
	b.says("shop.terms.accounts")
	b.before(".banner.tone-warn", pay, 1)
	b.before(".term-group", pay, 2)
	b.before(".terms li", pay, 10)
	b.shot("offer")
	b.press(pay)

	b.at("/checkout/" + twin)
	pay = "aside button.btn-primary"
	if b.device.phone {
		pay = "button[form=checkout]"
	}
	b.before(".terms li", pay, 10)
	b.before("#phone", pay, 1)
	b.before("#agree", pay, 1)
	b.fill("#phone", "13800001234")
	b.agrees()
	b.shot("checkout")
	b.press(pay)

	b.await("the cashier", "document.readyState === 'complete' && document.querySelector('button[value=pay]')")
	b.check()
	b.shot("cashier")
	return string(orderNamed(b))
}

// orderNamed is the order that the cashier's page leads back to.
func orderNamed(b *tab) id.Order {
	b.t.Helper()
	back := value[string](b, "document.querySelector('.acts a').href")
	order, err := id.Parse[id.Order](regexp.MustCompile(`ord_[0-9a-z]+`).FindString(back))
	if err != nil {
		b.t.Fatalf("the cashier doesn't lead back to the order: %s", back)
	}
	return order
}

// link is the link of the order whose page is shown.
func (b *tab) link() string {
	b.t.Helper()
	link := value[string](b, `[...document.querySelectorAll('[data-copy]')].map(e => e.dataset.copy).find(c => c.includes('/orders/')) ?? ''`)
	if u, err := url.Parse(link); err != nil || !slices.Contains(b.hosts, u.Host) || u.Path != value[string](b, "location.pathname") || u.Query().Get("k") == "" {
		b.t.Fatalf("the order's link is %q", link)
	}
	return link
}

// wholePurchase goes from the shop's first page to the codes, and to what follows from them.
func wholePurchase(t *testing.T, b *tab, home string) {
	b.shot("home")
	b.press(`.offers a[href="/offers/` + twin + `"]`)
	order := toCashier(t, b, home)
	page := "http://" + home + "/orders/" + order

	waiting := b.beside()
	waiting.visit(page + "/paying")
	waiting.says("shop.paying.title")
	until(t, "the page listens", func() bool { _, _, streams := waiting.heard(); return streams == 1 })
	waiting.shot("paying")

	began := time.Now()
	b.press("button[value=pay]")
	waiting.at("/orders/" + order)
	waiting.says("shop.moment")
	told := time.Since(began)
	asked, pushed, _ := waiting.heard()
	if want := []string{page + "/paying", page}; !slices.Equal(asked, want) {
		t.Errorf("the waiting page asked for %v instead of %v", asked, want)
	}
	if !slices.Contains(pushed, "done") {
		t.Errorf("the waiting page was told by %v", pushed)
	}
	waiting.shot("delivered")

	waiting.press(`a[href^="/orders/` + order + `/reveal"]`)
	waiting.at("/orders/" + order + "/reveal")
	waiting.says("shop.reveal.warn")
	show := "#reveal button"
	if b.device.phone {
		show = "button[form=reveal]"
	}
	if n := value[int](waiting, "document.querySelectorAll('.code-text, .code-plain').length"); n != 0 {
		t.Errorf("%d codes are shown before anybody agreed", n)
	}
	waiting.expect("400")
	waiting.press(show)
	waiting.says("fault.right.confirm")
	if n := value[int](waiting, "document.querySelectorAll('.code-text, .code-plain').length"); n != 0 {
		t.Errorf("%d codes are shown to who didn't agree", n)
	}
	waiting.agrees()
	waiting.press(show)
	waiting.says("shop.codes.title")
	codes := value[[]string](waiting, "[...document.querySelectorAll('main .card [data-copy]')].map(e => e.dataset.copy)")
	t.Logf("from the press of pay to the rights %v, to the codes %v", told.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	waiting.check()
	waiting.shot("codes")
	if len(codes) != 4 || slices.Contains(codes, "") {
		t.Fatalf("%d parts of two cards are shown, and each has a number and a password", len(codes))
	}
	if kept := value[string](waiting, "location.href + document.cookie + JSON.stringify({...localStorage, ...sessionStorage})"); strings.Contains(kept, codes[0]) || strings.Contains(kept, codes[1]) {
		t.Error("a code is in the address or in what the browser keeps")
	}

	// The tab that paid goes back by itself, too.
	b.await("the cashier says it is paid", "document.querySelector('.sign.done')")
	b.press("a.button.main")
	b.at("/orders/" + order)
	b.visit("http://" + home + "/wallet")
	b.says("shop.right.revealed")
	if n := value[int](b, fmt.Sprintf("[...document.querySelectorAll('.ticket-state')].filter(e => e.innerText.includes(%s)).length", quoted(b.device.lang.T("shop.right.revealed")))); n != 2 {
		t.Errorf("%d tickets are shown as revealed", n)
	}
	b.shot("wallet")

	b.visit(page)
	link := b.link()
	other := open(t, b.ctx, true, b.device, b.hosts...)
	other.expect("404")
	if status := other.status(page); status != 404 {
		t.Errorf("without the link the order is answered %d", status)
	}
	other.check()
	if text := value[string](other, "document.body.innerText"); strings.Contains(text, "138") {
		t.Errorf("without the link the page says %s", text)
	}
	other.visit(link)
	other.at("/orders/" + order)
	if query := value[string](other, "location.search"); query != "" {
		t.Errorf("the link's secret stays in the address: %s", query)
	}
	other.says("shop.order.rights")
}

// faulty opens a small shop with a real gateway beside it.
func faulty(t *testing.T, sells ...offering) (s *shop, home, cashier string) {
	t.Helper()
	s = openShop(t, dbtest.Store(t, "sqlite"), sells...)
	cashier = launch(t, "sandbox", "--listen", "127.0.0.1:0", "--secret", gatewaySecret).says(`http://(\S+)`)
	home = freeAddr(t)
	s.serve("--listen", home, "--sandbox-url", "http://"+cashier)
	return s, home, cashier
}

// fillIn opens the checkout of an offer and fills it in, up to the button.
func fillIn(b *tab, home, slug string) {
	b.t.Helper()
	b.visit("http://" + home + "/checkout/" + slug)
	b.fill("#phone", "13800001234")
	b.agrees()
}

const payNow = "button[form=checkout]"

// TestJourneyFaults is what a shopper sees when something is different from what the page said.
func TestJourneyFaults(t *testing.T) {
	s, home, cashier := faulty(t, offering{1}, offering{5}, offering{5})
	chromium := browser(t)
	h := newHTTP()
	typed := func(b *tab) {
		b.t.Helper()
		if got := value[string](b, "document.querySelector('#phone').value"); got != "13800001234" {
			b.t.Errorf("of what was typed %q is left", got)
		}
	}
	t.Run("sold out", func(t *testing.T) {
		b := open(t, chromium, true, phone, home, cashier)
		fillIn(b, home, "offer-0")
		if a, err := place(t.Context(), h, home, "the-last-one-goes", s.offers[0]); err != nil || a.status != 201 {
			t.Fatalf("%v, %v", err, a)
		}
		b.expect("409")
		b.press(payNow)
		b.says("fault.order.sold_out")
		b.says("shop.offer.out")
		typed(b)
		if value[bool](b, "!!document.querySelector('"+payNow+"')") {
			t.Error("what is sold out can be bought")
		}
		b.check()
		b.shot("said")
	})
	t.Run("price changed", func(t *testing.T) {
		b := open(t, chromium, true, phone, home, cashier)
		fillIn(b, home, "offer-1")
		s.reprice(s.offers[1], 2490)
		b.expect("409")
		b.press(payNow)
		b.says("shop.price_changed", "price", "¥24.90")
		typed(b)
		b.check()
		if total := value[string](b, "document.querySelector('.dock-price').innerText"); !strings.Contains(total, "24.90") {
			t.Errorf("beside the button the price is %s", total)
		}
		if value[bool](b, "document.querySelector('#agree').checked") {
			t.Error("what was agreed to at the old price is taken as agreed to at the new one")
		}
		b.shot("said")
		b.agrees()
		b.press(payNow)
		b.await("the cashier asks for the new price", "document.querySelector('button[value=pay]')?.innerText.includes('24.90')")
	})
	t.Run("paid twice and forgotten", func(t *testing.T) {
		b := open(t, chromium, true, phone, home, cashier)
		fillIn(b, home, "offer-2")
		b.press(payNow)
		b.await("the cashier", "document.readyState === 'complete' && document.querySelector('button[value=pay]')")
		order := orderNamed(b)
		again := b.beside()
		again.visit(value[string](b, "location.href"))
		// The second press is made on a page that was there before the first.
		b.press("button[value=pay]")
		b.await("it is paid", "document.querySelector('.sign.done')")
		again.press("button[value=pay]")
		again.await("it is paid already", "document.querySelector('.sign.done')")
		again.press("a.button.main")
		again.at("/orders/" + string(order))
		again.says("shop.order.rights")
		s.look(func(ctx context.Context, tx *db.Tx) error {
			n := 0
			err := tx.Query(ctx, captures, func(scan func(...any) error) error {
				var of id.Order
				var times, sum int64
				err := scan(&of, &times, &sum)
				if of == order {
					n++
					if times != 1 || sum != price {
						t.Errorf("%d payments of %d are booked", times, sum)
					}
				}
				return err
			})
			if n != 1 {
				t.Errorf("the payment is booked %d times", n)
			}
			return err
		})

		link := again.link()
		if _, err := chromedp.Call(again.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
		again.expect("404")
		if status := again.status("http://" + home + "/orders/" + string(order)); status != 404 {
			t.Errorf("who is no longer known is answered %d", status)
		}
		again.check()
		again.shot("forgotten")
		again.visit(link)
		again.at("/orders/" + string(order))
		again.says("shop.order.rights")
	})
	s.verify()
}

// reprice publishes an offer at another price, in fen, from a process of its own.
func (s *shop) reprice(offer id.Offer, fen int64) {
	s.t.Helper()
	ctx := s.t.Context()
	a, err := app.Open(ctx, app.Config{Store: s.store, KeyFile: s.keys}, slog.New(slog.DiscardHandler))
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Close()
	if err := a.DB.Do(ctx, func(tx *db.Tx) error {
		o, err := a.Flows.Catalogue.Offer(ctx, tx, offer)
		if err != nil {
			return err
		}
		o.Draft.Price = money.Of(fen, money.CNY)
		_, _, err = a.Flows.Catalogue.Publish(ctx, tx, o, "system", a.Clock.Now())
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
}
