package e2e

import (
	"context"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"hufu/internal/db/dbtest"
)

// wechatAgent is WeChat's own browser.
const wechatAgent = phoneAgent + " MicroMessenger/8.0.50(0x28003237) WeChat/arm64"

// TestJourneyWeChatPay buys with WeChat Pay in each of the three ways people do: by a code at a
// desk, in a phone's browser, and within WeChat.
func TestJourneyWeChatPay(t *testing.T) {
	s, home, cashier := demo(t)
	chromium := browser(t)
	t.Run("a code at a desk", func(t *testing.T) {
		b := open(t, chromium, true, desk, home, cashier)
		payWith(b, home, "wechat")
		b.says("shop.paying.scan.wechat")
		b.check()
		b.shot("wechat-code")
		link := value[string](b, `[...document.querySelectorAll('a')].map(a => a.href).find(h => h.includes('prepay_id=')) ?? ''`)
		// Somebody else's phone reads the code and pays; the desk's page goes on by itself.
		res, err := http.PostForm(link, url.Values{"do": {"pay"}})
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		http.DefaultClient.CloseIdleConnections()
		b.at("/orders/ord_[0-9a-z]+")
		b.says("shop.order.rights")
		s.verify()
	})
	t.Run("a phone's browser", func(t *testing.T) {
		b := open(t, chromium, true, phone, home, cashier)
		payWith(b, home, "wechat")
		b.await("the cashier", "document.readyState === 'complete' && document.querySelector('button[value=pay]')")
		order := string(orderNamed(b))
		b.press("button[value=pay]")
		b.at("/orders/" + order)
		b.says("shop.order.rights")
		s.verify()
	})
	t.Run("within WeChat", func(t *testing.T) {
		d := phone
		d.dark, d.agent = true, wechatAgent
		b := open(t, chromium, true, d, home, cashier)
		// What the app gives a page: it pays when told to, and says so.
		b.do(chromedp.Func(func(ctx context.Context, at *chromedp.Target) error {
			_, err := cdp.Call(ctx, at, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
				window.bridged = [];
				window.WeixinJSBridge = {invoke: (name, params, done) => { window.bridged.push([name, params]); window.finish = done; }};`})
			return err
		}))
		payWith(b, home, "wechat")
		b.await("the app to be asked to pay", "window.bridged?.length === 1 && window.bridged[0][0] === 'getBrandWCPayRequest'")
		b.check()
		b.shot("wechat-in-app")
		// The shopper closes the app's page, then presses the button.
		value[bool](b, "window.finish({err_msg: 'get_brand_wcpay_request:cancel'}), true")
		b.press("[data-bridge]")
		b.await("the app to be asked again", "window.bridged.length === 2")
		prepay := value[string](b, "window.bridged[1][1].package")
		res, err := http.PostForm("http://"+cashier+"/pay?"+prepay, url.Values{"do": {"pay"}})
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		http.DefaultClient.CloseIdleConnections()
		if !strings.HasPrefix(prepay, "prepay_id=wx") {
			t.Error(prepay)
		}
		value[bool](b, "window.finish?.({err_msg: 'get_brand_wcpay_request:ok'}), true")
		b.at("/orders/ord_[0-9a-z]+")
		b.says("shop.order.rights")
		s.verify()
	})
}

// TestJourneyAlipay buys with Alipay at a desk and on a phone: both lead to Alipay's page and back.
func TestJourneyAlipay(t *testing.T) {
	s, home, cashier := demo(t)
	chromium := browser(t)
	for _, d := range []device{desk, phone} {
		b := open(t, chromium, true, d, home, cashier)
		payWith(b, home, "alipay")
		b.await("the cashier", "document.readyState === 'complete' && document.querySelector('button[value=pay]')")
		b.check()
		order := string(orderNamed(b))
		b.press("button[value=pay]")
		b.at("/orders/" + order)
		b.says("shop.order.rights")
		s.verify()
	}
}

// TestJourneyAChannelIsWithheld starts a shop before its channels can be reached: they take no
// order, the console says why, and they are offered once they answer (P6, S26).
func TestJourneyAChannelIsWithheld(t *testing.T) {
	s := openShop(t, dbtest.Store(t, "sqlite"))
	keys, at := t.TempDir(), freeAddr(t)
	launch(t, "sandbox", "--listen", "127.0.0.1:0", "--channels", keys).says(`http://(\S+)`) // writes the keys
	home := freeAddr(t)
	setUp := s.serve("--listen", home, "--wechat", filepath.Join(keys, "wechat.json"), "--wechat-url", "http://"+at, "--alipay", filepath.Join(keys, "alipay.json"), "--alipay-url", "http://"+at).
		says(`(http://\S+/console/setup\?token=\S+)`)
	chromium := browser(t)
	d := desk
	b := open(t, chromium, true, d, home)
	owner(b, setUp)
	b.visit("http://" + home + "/console/system")
	b.says("console.system.withheld", "gateway", "WeChat Pay", "account", "1900000109")
	b.says("console.system.withheld.silent")
	b.shot("withheld-desk")
	d = phone
	narrow := open(t, b.ctx, false, d, home)
	narrow.visit("http://" + home + "/console/system")
	narrow.says("console.system.withheld", "gateway", "支付宝", "account", "2088102147948060")
	narrow.shot("withheld-phone")

	launch(t, "sandbox", "--listen", at, "--channels", keys).says(`http://(\S+)`)
	b.press("form[action='/console/system/channels'] button")
	b.says("console.say.tested")
	if text := value[string](b, "document.body.innerText"); strings.Contains(text, "takes no order") || !strings.Contains(text, "Alipay, Sandbox, WeChat Pay") {
		t.Errorf("once they answer: %s", text)
	}
	b.check()
}

// payWith goes from an offer to the way to pay that is chosen.
func payWith(b *tab, home, gateway string) {
	b.t.Helper()
	b.visit("http://" + home + "/offers/" + twin)
	buy, pay := "#buy button", "aside button.btn-primary"
	if b.device.phone {
		buy, pay = ".dock-buy button", "button[form=checkout]"
	}
	b.press(buy)
	b.at("/checkout/" + twin)
	b.fill("#phone", "13800001234")
	b.press("label:has(input[name=pay][value=" + gateway + "])")
	b.agrees()
	b.check()
	b.shot("checkout-" + gateway)
	b.press(pay)
}
