package e2e

import (
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"hufu/internal/app"
	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/i18n"
)

// packed is a membership of the pack: what its provider says of it, in both languages.
type packed struct {
	slug, zh, en, key, providerZH, providerEN, tier, worth, use string
}

func (p packed) name(lang i18n.Lang) string { return lang.Pick(p.zh, p.en) }

var packOf = []packed{
	{"tencent-month", "腾讯视频 VIP 月卡", "Tencent Video VIP, a month", "tencent-video", "腾讯视频", "Tencent Video", "VIP", "25.00", "v.qq.com"},
	{"iqiyi-month", "爱奇艺黄金会员 月卡", "iQIYI Gold, a month", "iqiyi", "爱奇艺", "iQIYI", "Gold", "25.00", "vip.iqiyi.com"},
}

// TestJourneyPack composes the pack of two providers from nothing in the console, with what is to
// be told of each, their relation and the split of the price, looks at it beforehand, and puts it on sale. Who
// already holds one of the two buys it: is warned, acknowledges, pays, and has both rights,
// which run as long as the warning said (A1, A2, A5, A6).
func TestJourneyPack(t *testing.T) {
	s := openShop(t, dbtest.Store(t, "sqlite"))
	cashier := launch(t, "sandbox", "--listen", "127.0.0.1:0", "--secret", gatewaySecret).says(`http://(\S+)`)
	home := freeAddr(t)
	setUp := s.serve("--listen", home, "--sandbox-url", "http://"+cashier).says(`(http://\S+/console/setup\?token=\S+)`)
	a, err := app.Open(t.Context(), app.Config{Store: s.store, KeyFile: s.keys}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	chromium := browser(t)
	d := desk
	d.dark, d.strict = false, false
	staff := open(t, chromium, true, d, home)
	owner(staff, setUp)
	for _, p := range packOf {
		membership(staff, home, p)
	}
	addsUp(staff, home)
	composed(staff, home, "tencent-month-card", "腾讯视频月卡", "Tencent Video, a month", "22.00", packOf[:1])
	composed(staff, home, "two-platforms", "双平台会员月卡", "Two platforms, a month", "39.90", packOf)

	for name, d := range map[string]device{"phone": phone, "desk": desk} {
		t.Run(name, func(t *testing.T) {
			buysPack(open(t, chromium, true, d, home, cashier), a, home, map[string]string{"phone": "13911110009", "desk": "13911110010"}[name])
			s.verify()
		})
	}
}

// buysPack signs a shopper in, who buys one membership and then the pack that has it too.
func buysPack(b *tab, a *app.App, home, number string) {
	t := b.t
	t.Helper()
	b.visit("http://" + home + "/sign-in?to=/offers/two-platforms")
	b.fill("#phone", number)
	b.press("form[action='/sign-in/code'] button")
	b.await("the code is asked for", "document.querySelector('#code')")
	b.fill("#code", sentCode(t, a, number))
	b.press("form[action='/sign-in'] button")
	b.at("/offers/two-platforms")
	bought(b, home, "tencent-month-card", false)

	// What is held runs for 31 days and the pack adds as many.
	today := time.Now().In(catalogue.Zone)
	until, then := today.AddDate(0, 0, 31).Format(time.DateOnly), today.AddDate(0, 0, 62).Format(time.DateOnly)
	b.visit("http://" + home + "/offers/two-platforms")
	b.says("shop.conflicts.acknowledge")
	b.says("shop.terms.accounts")
	warning := b.device.lang.T("conflict.extends.then", "line", b.device.lang.Pick("腾讯视频会员", "Tencent Video membership"), "until", until, "then", then)
	b.shows(warning)
	buy := "#buy button"
	if b.device.phone {
		buy = ".dock-buy button"
	}
	b.before(".banner.tone-warn", buy, 1)
	both(b, "offer")
	order := bought(b, home, "two-platforms", true)
	b.says("shop.order.rights")
	both(b, "order")
	b.visit("http://" + home + "/wallet")
	tickets := value[[]string](b, "[...document.querySelectorAll('main .ticket')].map(e => e.innerText)")
	if len(tickets) != 3 {
		t.Errorf("the wallet has %d rights: %q", len(tickets), tickets)
	}
	label, longer := b.device.lang.T("shop.right.runs_on"), 0
	for _, ticket := range tickets {
		if strings.Contains(ticket, label) && strings.Contains(ticket, then) && strings.Contains(ticket, packOf[0].name(b.device.lang)) {
			longer++
		}
	}
	if longer != 1 || strings.Count(strings.Join(tickets, ""), packOf[1].name(b.device.lang)) != 1 {
		t.Errorf("the warning promised %s, and the wallet says %q", then, tickets)
	}
	both(b, "wallet")
	if err := a.DB.View(t.Context(), func(tx *db.Tx) error {
		kept, found, err := a.Flows.Orders.Acknowledged(t.Context(), tx, order)
		if !found || kept.Text != warning || kept.Lang != string(b.device.lang) {
			t.Errorf("of what was acknowledged %+v is kept, want %s", kept, warning)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// both takes pictures of the page a tab shows: as it stands there, and beside it on the other
// width.
func both(b *tab, name string) {
	b.t.Helper()
	b.check()
	b.shot(name)
	if os.Getenv("HUFU_SHOTS") == "" {
		return
	}
	d := b.device
	if d.width, d.height, d.phone = 1280, 900, false; !b.device.phone {
		d.width, d.height, d.phone = 390, 844, true
	}
	other := open(b.t, b.ctx, false, d, b.hosts...)
	other.visit(value[string](b, "location.href"))
	other.shot(name + "-other")
}

// membership adds a membership with all that has to be told of it.
func membership(b *tab, home string, p packed) {
	b.t.Helper()
	b.visit("http://" + home + "/console/benefits/new?kind=membership")
	for _, f := range [][2]string{{"name.zh", p.zh}, {"name.en", p.en}, {"slug", p.slug}, {"provider", p.key}, {"provider.zh", p.providerZH}, {"provider.en", p.providerEN},
		{"attributes.days", "31"}, {"attributes.tier", p.tier}, {"valid_days", "31"}, {"worth", p.worth},
		{"disclosure.account_type.zh", "充入您本人的" + p.providerZH + "账号，与其他平台账号互不通用。"}, {"disclosure.account_type.en", "For your own " + p.providerEN + " account; accounts of other platforms don't share it."},
		{"disclosure.scope.zh", "会员专享影视内容；部分新片、体育赛事及演出直播需另行付费。"}, {"disclosure.scope.en", "Films and series for members; some premieres, sports and live shows cost extra."},
		{"disclosure.devices.zh", "手机、平板与电脑，同时最多两台设备播放；不含电视端。"}, {"disclosure.devices.en", "Phones, tablets and computers, two at the same time; televisions aren't included."},
		{"disclosure.validity.zh", "自到账起 31 天；已有会员时自动顺延。"}, {"disclosure.validity.en", "31 days from when it arrives; added to a membership you have."},
		{"disclosure.how_to_use.zh", "到账后在 " + p.use + " 或 App 登录即可使用。"}, {"disclosure.how_to_use.en", "Sign in at " + p.use + " or in its app once it has arrived."},
		{"disclosure.refund.zh", "到账前可全额退款；到账后不支持退款。"}, {"disclosure.refund.en", "Refunded in full before it arrives, not after."}} {
		b.fill("[name='"+f[0]+"']", f[1])
	}
	both(b, p.slug)
	b.press(".form-foot button.btn-primary")
	b.at("/console/benefits")
	b.shows(p.en)
}

// addsUp declares that the times of one of the two add up, and that a buyer has to know.
func addsUp(b *tab, home string) {
	b.t.Helper()
	b.visit("http://" + home + "/console/relations/new")
	b.fill("[name='name.zh']", "腾讯视频会员")
	b.fill("[name='name.en']", "Tencent Video membership")
	b.fill("[name='key']", "tencent-video")
	b.choose("[name='severity']", b.device.lang.T("relation.severity.acknowledge"))
	b.choose("[name='from.provider']", "Tencent Video")
	b.press("button[name=op][value=look]")
	b.shows("Your Tencent Video membership runs to")
	b.shot("relation")
	b.press(".form-foot button[value=save]")
	b.at("/console/relations")
	both(b, "relations")
}

// composed makes an offer of memberships with its price split among them, looks at it as
// shoppers will see it, and puts it on sale.
func composed(b *tab, home, slug, zh, en, price string, of []packed) {
	b.t.Helper()
	say := b.device.lang.T
	b.visit("http://" + home + "/console/offers/new")
	for _, f := range [][2]string{{"title.zh", zh}, {"title.en", en}, {"slug", slug}, {"price", price}} {
		b.fill("[name='"+f[0]+"']", f[1])
	}
	for _, p := range of {
		adds(b, strings.ReplaceAll(p.slug, "-", " "), p.en)
	}
	if len(of) == 2 {
		b.press("#parts\\.fill")
		b.await("the price is split", "[0, 1].reduce((sum, i) => sum + Math.round(Number(document.querySelector(`[name='parts[${i}].share']`).value) * 100), 0) === 3990")
	}
	look(b, "#offer-bundle", slug+"-form")
	b.press(".form-foot button[name=op][value=save]")
	b.at("/console/offers/ofr_[0-9a-z]+")
	at := value[string](b, "location.origin + location.pathname")
	both(b, slug+"-draft")
	b.visit(at + "/preview")
	for _, p := range of {
		b.shows(p.en)
		b.shows("For your own " + p.providerEN + " account")
	}
	both(b, slug+"-preview")
	b.visit(at + "/as")
	both(b, slug+"-as")
	b.visit(at)
	b.press("form[action$='/publish'] button")
	b.await("it is published", "document.readyState === 'complete' && document.querySelector('form:has(input[name=to][value=live])')")
	b.press("form:has(input[name=to][value=live]) button")
	b.await("it is live", "document.readyState === 'complete' && !document.querySelector('form:has(input[name=to][value=live])')")
	b.shows(say("console.offer.on_sale"))
	both(b, slug+"-live")
}
