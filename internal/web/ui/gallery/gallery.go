// Package gallery shows every component in every state, for the eyes of whoever changes
// the design and for tests. It is no part of the program that runs in a shop.
package gallery

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"time"

	"hufu/internal/clock"
	"hufu/internal/i18n"
	"hufu/internal/money"
	"hufu/internal/web/assets"
	"hufu/internal/web/ui"
)

//go:embed pages
var pages embed.FS

// Now is the moment at which the gallery stands.
var Now = time.Date(2026, 11, 22, 12, 15, 0, 0, time.UTC)

// Pages are its pages, each at "/" + name.
var Pages = []string{"shop", "product", "console", "parts", "auth", "error"}

// New is a handler of all of the gallery: its pages, the assets and the covers. The query
// decides language and theme: ?lang=en&theme=dark.
func New() (http.Handler, error) {
	sub, err := fs.Sub(pages, "pages")
	if err != nil {
		return nil, err
	}
	rd, err := ui.New(ui.Options{Clock: clock.NewFake(Now), Environment: "demo"}, sub)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(assets.Prefix, assets.Handler())
	mux.Handle(ui.CoverPrefix, ui.CoverHandler())
	mux.HandleFunc("/-/prefs", ui.Prefs)
	for _, name := range Pages {
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, r *http.Request) {
			v := sample()
			v.Lang, v.Theme = ui.LangOf(r), ui.ThemeOf(r)
			if l := r.FormValue("lang"); l != "" {
				v.Lang = i18n.Match(l)
			}
			if t := r.FormValue("theme"); t != "" {
				v.Theme = t
			}
			w.Header().Set("Content-Security-Policy", ui.CSP)
			page, status := "gallery/"+name, http.StatusOK
			switch name {
			case "shop":
				v.Shell, v.Section = "shop", "home"
				v.Flash = []ui.Flash{{Text: "已收藏", Toast: true, UndoLabel: "撤销", UndoHref: "#"}}
			case "product":
				v.Shell, v.Title = "shop", "极光影视年卡"
				v.Crumbs = []ui.Crumb{{Label: "首页", Href: "/"}, {Label: "影视会员", Href: "#"}, {Label: "极光影视年卡"}}
			case "console":
				v.Shell, v.Section, v.Title = "console", "orders", "订单"
			case "parts":
				v.Shell, v.Title = "console", "组件"
			case "error":
				rd.Render(w, r, 404, "shared/error", &ui.ErrorPage{Page: ui.Page{Lang: v.Lang, Theme: v.Theme, TraceID: "01jd8x3vx8f8ps6v4p2h4k7q9e"}, Heading: "没有找到您要的内容", Text: "链接可能不完整，或内容已经下架。", Art: "search", Action: &ui.Action{Label: "回首页", Href: "/"}})
				return
			}
			rd.Render(w, r, status, page, v)
		})
	}
	return mux, nil
}

type view struct {
	ui.Page
	Hero                    string
	Chips, Pays, Tabs, Segs []ui.Option
	Opts                    []ui.Option
	Offers                  []ui.Offer
	Tickets                 []ui.Ticket
	Terms                   []ui.Term
	Price, List             money.Amount
	Stock                   ui.Stock
	Stats                   []ui.Stat
	Todos                   []ui.Todo
	Parts                   []ui.Part
	Steps                   []ui.Step
	Table, Bulk             ui.Table
	Facts                   []ui.Fact
	Events                  []ui.Event
	Now, Soon               time.Time
	Kinds, Arts, Icons      []string
	Monos, Covers           []string
	Tones                   []ui.Tone
	Fields                  map[string]string
	Empty                   ui.Empty
	Act                     *ui.Action
	QR                      template.HTML
}

func yuan(fen int64) money.Amount { return money.Of(fen, money.CNY) }

func sample() *view {
	v := &view{Now: Now, Soon: Now.Add(3*time.Hour + 25*time.Minute), Hero: "ofr_hero_07"}
	v.User = &ui.User{Name: "林店长", Role: "店主"}
	v.Counts = map[string]int{"exceptions": 3, "orders": 12}
	v.Chips = []ui.Option{{Label: "全部", Selected: true}, {Label: "影视会员", Count: "12"}, {Label: "音乐", Count: "6"}, {Label: "电影票", Count: "8"}, {Label: "阅读", Count: "5"}, {Label: "外卖", Count: "9"}, {Label: "数字藏品", Count: "3"}, {Label: "联合会员", Count: "7"}}
	names := []struct {
		name, sub, provider string
		now, list           int64
		stock               ui.Stock
		ribbon              string
	}{
		{"极光影视年卡", "12 个月 · 电视端通用", "极光影视", 19800, 25800, ui.Stock{Left: 812}, "热卖"},
		{"海鸥视频季卡", "3 个月 · 手机、平板、电脑", "海鸥视频", 4500, 6800, ui.Stock{Left: 12}, ""},
		{"云杉音乐月卡", "无损音质，可下载", "云杉音乐", 1290, 1500, ui.Stock{Unlimited: true}, ""},
		{"星幕影院 2D/3D 通兑券", "全国 600 家影院，周末可用", "星幕影院", 3290, 6000, ui.Stock{Left: 0}, ""},
		{"青鸟阅读年卡", "八十万册，含有声书", "青鸟阅读", 9900, 16800, ui.Stock{Left: 96}, "新"},
		{"橙意外卖会员", "每月 6 张 5 元红包", "橙意外卖", 990, 0, ui.Stock{Left: 5}, ""},
		{"影视 + 音乐联合年卡", "极光影视与云杉音乐，一次开通", "虎符", 25800, 39800, ui.Stock{Unlimited: true}, "联合"},
		{"《长夜将明》数字票根", "限量 5000，付编号", "星幕影院", 6600, 0, ui.Stock{Left: 214}, "限量"},
	}
	for i, n := range names {
		v.Offers = append(v.Offers, ui.Offer{ID: fmt.Sprintf("ofr_sample_%02d", i), Href: "/product", Name: n.name, Sub: n.sub, Provider: n.provider, ProviderID: n.provider, Price: yuan(n.now), ListPrice: yuan(n.list), Stock: n.stock, Ribbon: n.ribbon})
	}
	facts := []ui.Fact{{Label: "编号", Value: "**** 8B3N"}, {Label: "来自订单", Value: "11月22日 20:15"}}
	show := &ui.Action{Label: "查看卡密", Href: "#", Icon: "eye"}
	v.Tickets = []ui.Ticket{
		{State: ui.TicketHeld, Name: "极光影视年卡", Sub: "12 个月 · 电视端通用", Provider: "极光影视", ProviderID: "极光影视", Facts: facts, Valid: "2027年11月22日前有效", Action: show},
		{State: ui.TicketWaiting, Name: "海鸥视频季卡", Sub: "供应商正在充值", Provider: "海鸥视频", ProviderID: "海鸥视频", Facts: []ui.Fact{{Label: "充值账号", Value: "138****1234"}}, Valid: "最晚 20:25，否则自动退款"},
		{State: ui.TicketUsed, Name: "星幕影院通兑券", Sub: "上海 · 人民广场店", Provider: "星幕影院", ProviderID: "星幕影院", Facts: []ui.Fact{{Label: "使用时间", Value: "11月20日 19:02"}}, Valid: "已核销", Action: &ui.Action{Label: "再买一张", Href: "#", Kind: "secondary"}},
		{State: ui.TicketExpired, Name: "橙意外卖红包", Sub: "满 30 减 5", Provider: "橙意外卖", ProviderID: "橙意外卖", Facts: []ui.Fact{{Label: "面值", Value: "¥5.00"}}, Valid: "11月15日 已过期"},
		{State: ui.TicketGifted, Name: "云杉音乐月卡", Sub: "送给 139****5678", Provider: "云杉音乐", ProviderID: "云杉音乐", Facts: facts, Valid: "对方 24 小时内领取", Action: &ui.Action{Label: "收回", Href: "#", Kind: "secondary"}},
		{State: ui.TicketRefunded, Name: "青鸟阅读年卡", Sub: "未查看卡密", Provider: "青鸟阅读", ProviderID: "青鸟阅读", Facts: []ui.Fact{{Label: "退款", Value: "¥99.00"}}, Valid: "已原路退回"},
		{State: ui.TicketCollectible, Name: "《长夜将明》数字票根", Sub: "星幕影院 · 首映纪念", Provider: "星幕影院", ProviderID: "星幕影院", CoverID: "ofr_sample_07", Edition: "No. 0128 / 5000", Facts: facts, Valid: "永久有效", Action: &ui.Action{Label: "转赠", Href: "#", Icon: "gift"}},
	}
	v.Terms = []ui.Term{{Icon: "bolt", Label: "到账", Text: "付款后约 1 秒，最晚 100 分钟，否则自动退款"}, {Icon: "calendar", Label: "有效期", Text: "开通后 12 个月；卡密 2027年11月22日 前激活"}, {Icon: "user", Label: "限购", Text: "每人 2 张，您还能买 2 张"}, {Icon: "pin", Label: "地区", Text: "仅限中国大陆账号"}, {Icon: "refund", Label: "退款", Text: "查看卡密前随时可退；查看即视为使用"}}
	v.Price, v.List, v.Stock = yuan(19800), yuan(25800), ui.Stock{Left: 12}
	v.Pays = []ui.Option{{Value: "sandbox", Label: "沙盒支付", Sub: "演示用，不会扣款", Icon: "card", Selected: true}, {Value: "balance", Label: "余额", Sub: "可用 ¥320.50", Icon: "wallet"}, {Value: "x", Label: "银行卡", Sub: "暂时不可用", Icon: "lock", Disabled: true}}
	v.Stats = []ui.Stat{{Label: "今日成交", Value: "¥128,430.50", Trend: "+12.4%", Good: true, Note: "比昨天同一时刻"}, {Label: "到账中位时间", Value: "0.4 秒", Trend: "-0.1 秒", Good: true, Note: "近 1 小时"}, {Label: "支付成功率", Value: "98.2%", Trend: "-0.6%", Note: "比昨天", Tone: ui.Warn}, {Label: "已付未到账", Value: "3", Note: "最早 20:02", Tone: ui.Stop, Href: "#"}}
	v.Todos = []ui.Todo{{Tone: ui.Stop, Icon: "warn", Title: "已付款，未到账", Text: "最早一单已等 13 分钟", Count: 3, Href: "#"}, {Tone: ui.Warn, Icon: "box", Title: "库存快没了", Text: "海鸥视频季卡只剩 12 张", Count: 2, Href: "#"}, {Tone: ui.Info, Icon: "calendar", Title: "快到期的批次", Text: "7 天内到期 1,280 张", Count: 1280, Href: "#"}}
	v.Parts = []ui.Part{{Label: "可售", Value: 61230}, {Label: "预占", Value: 820}, {Label: "已交付", Value: 35400}, {Label: "作废", Value: 150}, {Label: "过期", Value: 2400}}
	v.Steps = []ui.Step{{Label: "上传文件", State: "done"}, {Label: "对应列", State: "done"}, {Label: "试运行", State: "current"}, {Label: "导入"}, {Label: "结果"}}
	v.Tabs = []ui.Option{{Label: "全部", Count: "1,204", Selected: true, Href: "#"}, {Label: "待付款", Count: "31", Href: "#"}, {Label: "已付未到账", Count: "3", Href: "#"}, {Label: "已完成", Href: "#"}, {Label: "退款", Count: "8", Href: "#"}}
	v.Segs = []ui.Option{{Label: "今天", Href: "#", Selected: true}, {Label: "7 天", Href: "#"}, {Label: "30 天", Href: "#"}}
	v.Opts = []ui.Option{{Label: "影视会员", Value: "tv", Selected: true}, {Label: "音乐", Value: "music"}, {Label: "电影票", Value: "cinema"}}
	states := []struct {
		tone ui.Tone
		text string
	}{{ui.OK, "已到账"}, {ui.Info, "等待付款"}, {ui.Warn, "已付未到账"}, {ui.Stop, "付款异常"}, {ui.Plain, "已关闭"}, {ui.OK, "已到账"}}
	cols := []ui.Column{{Label: "订单", SortHref: "#"}, {Label: "顾客"}, {Label: "状态"}, {Label: "金额", SortHref: "#", End: true}, {Label: "下单时间", SortHref: "#", Sorted: "descending", End: true}}
	for i, s := range states {
		v.Table.Rows = append(v.Table.Rows, ui.Row{ID: fmt.Sprint(i), Label: names[i].name, Href: "#", Cells: []ui.Cell{
			ui.Link(names[i].name, "#", fmt.Sprintf("ord_…k7q9%c", 'a'+i)), ui.Text(fmt.Sprintf("138****12%d4", i), ""), ui.State(s.tone, s.text), ui.Sum(yuan(names[i].now)), ui.At(Now.Add(-time.Duration(i*i*37) * time.Minute))}})
	}
	v.Table.Caption, v.Table.Columns = "订单", cols
	v.Table.Pager = ui.Pager{From: 1, To: 6, Total: 1204, Next: "#", AsOf: Now}
	v.Bulk = v.Table
	v.Bulk.Bulk = []ui.Action{{Label: "导出", Href: "#", Icon: "download"}, {Label: "重新发货", Href: "#", Icon: "refresh"}}
	v.Crumbs = []ui.Crumb{{Label: "工作台", Href: "#"}, {Label: "订单"}}
	v.Facts = []ui.Fact{{Label: "商品", Value: "极光影视年卡 × 1"}, {Label: "顾客", Value: "138****1234（访客）"}, {Label: "实付", Value: "¥198.00 · 沙盒支付"}, {Label: "支付单号", Value: "pay_01jd…8f8p"}}
	v.Events = []ui.Event{
		{Tone: ui.OK, Title: "卡密已交付", Detail: "批次 B-2026-11-07，尾号 8B3N", At: Now},
		{Tone: ui.OK, Icon: "card", Title: "收到付款通知", Detail: "签名正确，金额一致", At: Now.Add(-time.Second), Raw: `{"trade_no":"20261122…","amount":"198.00","status":"SUCCESS"}`},
		{Tone: ui.Warn, Title: "通道第一次查询超时", At: Now.Add(-2 * time.Second)},
		{Tone: ui.Info, Icon: "order", Title: "下单，库存已预占", Detail: "15 分钟内付款有效", At: Now.Add(-time.Minute)},
		{Title: "入账并结算"},
	}
	v.Kinds = []string{"primary", "secondary", "quiet", "danger", "danger-quiet"}
	v.Tones = []ui.Tone{ui.Info, ui.OK, ui.Warn, ui.Stop}
	v.Fields = map[string]string{"b": "售价要大于 0。", "c": "这个卡密没有找到。"}
	v.Act = &ui.Action{Label: "再试一次", Href: "#", Kind: "secondary"}
	v.Empty = ui.Empty{Art: "box", Title: "导入第一批卡密", Text: "支持 CSV、TXT 和 XLSX。导入前先试运行，您会看到新的、重复的和有问题的各有多少。", Action: &ui.Action{Label: "导入卡密", Href: "#", Icon: "upload"}, Second: &ui.Action{Label: "下载模板", Href: "#"}}
	v.QR = `<svg viewBox="0 0 21 21" shape-rendering="crispEdges"><path d="M0 0h7v7H0zM1 1v5h5V1zM2 2h3v3H2zM14 0h7v7h-7zM15 1v5h5V1zM16 2h3v3h-3zM0 14h7v7H0zM1 15v5h5v-5zM2 16h3v3H2zM9 0h2v2H9zM8 4h3v1H8zM9 7h4v2H9zM0 9h3v2H0zM5 9h2v1H5zM14 9h3v2h-3zM18 8h3v2h-3zM9 12h5v2H9zM16 13h2v3h-2zM9 16h2v4H9zM13 17h3v2h-3zM18 18h3v3h-3z"/></svg>`
	v.Arts = []string{"ticket", "box", "search", "lock", "bell", "tally", "broken", "wifi"}
	v.Monos = []string{"极光影视", "海鸥视频", "云杉音乐", "星幕影院", "青鸟阅读", "橙意外卖", "虎符", "Nimbus", "Orca TV", "山谷", "白桦", "四季", "小满", "Quill", "远帆", "灯塔"}
	v.Icons = ui.IconNames()
	for i := range 24 {
		v.Covers = append(v.Covers, fmt.Sprintf("ofr_%02d", i))
	}
	return v
}
