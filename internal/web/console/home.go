package console

import (
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/exception"
	"hufu/internal/identity"
	"hufu/internal/insight/desk"
	"hufu/internal/insight/verify"
	"hufu/internal/inventory"
	"hufu/internal/job"
	"hufu/internal/money"
	"hufu/internal/web/ui"
)

// chartDays is how many days the chart shows; the numbers compare its two halves.
const chartDays = 14

type homeView struct {
	ui.Page
	Todos   []ui.Todo
	Stats   []ui.Stat
	Answer  string
	Chart   template.HTML
	Days    []dayRow
	Funnel  []funnelStep
	AsOf    time.Time
	Started bool // there were orders in the days shown
	Sold    bool // and money for them
	Placed  bool // there were orders in the days of the funnel
	First   []firstStep
	Next    *firstStep // the first of First that isn't done
	Did     int        // how many of First are done
	Checked string     // when the invariants last held, in words
}

type dayRow struct {
	Day                      time.Time
	Revenue                  string
	Created, Paid, Delivered int64
}

type funnelStep struct {
	Label      string
	Value, Max int64
	Note       string
}

// firstStep is one of what an empty shop needs.
type firstStep struct {
	Label, Text, Act, Href string // what, why, the button's words and where it leads
	Done                   bool
}

func home(c *Console, v *visit) error {
	d := &homeView{AsOf: c.now()}
	if !v.who.May(identity.OrderView) {
		v.page(&d.Page, "home", v.t("ui.nav.console"))
		return v.render(http.StatusOK, "home", d)
	}
	var open []exception.Case
	var counts map[string]int64
	var stocks []*inventory.Stock
	var depth job.Depth
	var days []desk.Day
	var waits desk.Waiting
	var verified verify.Last
	err := v.view(func(tx *db.Tx) (err error) {
		ctx := v.r.Context()
		if open, err = exception.ListOpen(ctx, tx, 1); err != nil {
			return err
		}
		if counts, err = exception.Counts(ctx, tx); err != nil {
			return err
		}
		if stocks, err = c.Flows.Inventory.All(ctx, tx); err != nil {
			return err
		}
		if depth, err = job.Waiting(ctx, tx); err != nil {
			return err
		}
		if days, err = desk.Days(ctx, tx, d.AsOf, chartDays, c.Zone, money.CNY); err != nil {
			return err
		}
		if waits, err = desk.WaitingAt(ctx, tx, d.AsOf); err != nil {
			return err
		}
		if verified, err = verify.LastHeld(ctx, tx); err != nil {
			return err
		}
		return v.firstSteps(tx, d, stocks)
	})
	if err != nil {
		return err
	}
	if v.who.May(identity.SystemView) {
		d.Checked = v.t("console.todo.unchecked")
		if !verified.LastHeld.IsZero() {
			d.Checked = v.t("console.todo.held", "at", v.when(verified.LastHeld))
		}
	}
	d.Todos = v.todos(open, counts, stocks, depth, waits, verified)
	v.numbers(d, days)
	v.page(&d.Page, "home", v.t("ui.nav.console"))
	return v.render(http.StatusOK, "home", d)
}

// firstSteps is the way from an empty shop to its first sale; nothing once something is on
// sale and can be paid.
func (v *visit) firstSteps(tx *db.Tx, d *homeView, stocks []*inventory.Stock) error {
	offers, err := v.c.Flows.Catalogue.Offers(v.r.Context(), tx, false)
	if err != nil {
		return err
	}
	live := slices.ContainsFunc(offers, func(o catalogue.Offer) bool { return o.At(d.AsOf) == catalogue.Live })
	paid := len(v.c.Flows.Offered()) > 0
	if live && paid || !v.who.May(identity.CatalogueEdit) {
		return nil
	}
	benefits, err := v.c.Flows.Catalogue.AllBenefits(v.r.Context(), tx)
	if err != nil {
		return err
	}
	filled := slices.ContainsFunc(stocks, func(s *inventory.Stock) bool { return s.Received > 0 })
	for _, x := range []struct {
		name, href string
		done       bool
	}{
		{"gateway", "/console/system", paid},
		{"stock", "/console/stocks#new-stock", len(stocks) > 0},
		{"codes", "/console/imports/new", filled},
		{"benefit", "/console/benefits/new", len(benefits) > 0},
		{"offer", "/console/offers/new", len(offers) > 0},
		{"live", "/console/offers", live},
	} {
		key := "console.first." + x.name
		d.First = append(d.First, firstStep{v.t(key), v.t(key + ".text"), v.t(key + ".act"), x.href, x.done})
		if x.done {
			d.Did++
		}
	}
	if at := slices.IndexFunc(d.First, func(s firstStep) bool { return !s.Done }); at >= 0 {
		d.Next = &d.First[at]
	}
	return nil
}

// todos is what needs doing, the most urgent first.
func (v *visit) todos(open []exception.Case, counts map[string]int64, stocks []*inventory.Stock, depth job.Depth, waits desk.Waiting, verified verify.Last) []ui.Todo {
	var out []ui.Todo
	oldest := ""
	if len(open) > 0 {
		oldest = v.t("console.todo.oldest", "time", v.since(open[0].OpenedAt))
	}
	if n := counts[exception.Shortage]; n > 0 {
		out = append(out, ui.Todo{Tone: ui.Stop, Icon: "warn", Title: v.t("console.todo.undelivered"), Text: v.t("console.todo.undelivered.text"), Count: n, Href: "/console/exceptions?kind=" + exception.Shortage})
	}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		if kind != exception.Shortage && counts[kind] > 0 {
			out = append(out, ui.Todo{Tone: caseTones[kind], Icon: "warn", Title: v.known("console.case."+kind, kind), Text: v.known("console.case.next."+kind, oldest), Count: counts[kind], Href: "/console/exceptions?kind=" + kind})
		}
	}
	if n := len(verified.Failed); n > 0 && v.who.May(identity.SystemView) {
		out = append(out, ui.Todo{Tone: ui.Stop, Icon: "shield", Title: v.t("console.todo.invariants"), Text: v.t("console.todo.invariants.text", "at", v.when(verified.At)), Count: int64(n), Href: "/console/system"})
	}
	if depth.Dead > 0 && v.who.May(identity.SystemView) {
		out = append(out, ui.Todo{Tone: ui.Stop, Icon: "gear", Title: v.t("console.todo.dead"), Text: v.t("console.todo.dead.text"), Count: depth.Dead, Href: "/console/system"})
	}
	var low []string
	for _, s := range stocks {
		if s.Available <= s.LowMark && (s.Received > 0 || s.LowMark > 0) {
			low = append(low, s.Name+" ("+ui.FormatInt(s.Available)+")")
		}
	}
	if len(low) > 0 && v.who.May(identity.StockView) {
		text := strings.Join(low[:min(len(low), 3)], v.t("console.comma"))
		out = append(out, ui.Todo{Tone: ui.Warn, Icon: "box", Title: v.t("console.todo.low"), Text: text, Count: int64(len(low)), Href: "/console/stocks?only=low"})
	}
	if waits.Refunds > 0 {
		out = append(out, ui.Todo{Tone: ui.Info, Icon: "refund", Title: v.t("console.todo.refunds"), Text: v.t("console.todo.oldest", "time", v.since(waits.OldestRefund)), Count: waits.Refunds, Href: "/console/payments?tab=waiting"})
	}
	if waits.Batches > 0 && v.who.May(identity.StockView) {
		out = append(out, ui.Todo{Tone: ui.Warn, Icon: "calendar", Title: v.t("console.todo.ending"), Text: v.t("console.todo.ending.text", "codes", ui.FormatInt(waits.EndingCodes)), Count: waits.Batches, Href: "/console/batches"})
	}
	if waits.Imports > 0 && v.who.May(identity.CodeImport) {
		out = append(out, ui.Todo{Tone: ui.Info, Icon: "upload", Title: v.t("console.todo.imports"), Text: v.t("console.todo.imports.text"), Count: waits.Imports, Href: "/console/imports"})
	}
	return out
}

// numbers compares the last seven days with the seven before, and draws the chart.
func (v *visit) numbers(d *homeView, days []desk.Day) {
	var before, now desk.Day
	for i, x := range days {
		sum := &now
		if i < chartDays/2 {
			sum = &before
		}
		sum.Created += x.Created
		sum.Paid += x.Paid
		sum.Delivered += x.Delivered
		sum.Revenue += x.Revenue
		d.Days = append(d.Days, dayRow{x.Start, moneyOf(x.Revenue, money.CNY), x.Created, x.Paid, x.Delivered})
	}
	today := days[len(days)-1]
	versus := v.t("console.stat.versus")
	d.Stats = []ui.Stat{
		{Label: v.t("console.stat.today"), Value: moneyOf(today.Revenue, money.CNY), Note: v.t("console.stat.today.note", "n", ui.FormatInt(today.Paid))},
		trend(ui.Stat{Label: v.t("console.stat.revenue"), Value: moneyOf(now.Revenue, money.CNY), Note: versus}, now.Revenue, before.Revenue),
		trend(ui.Stat{Label: v.t("console.stat.orders"), Value: ui.FormatInt(now.Created), Note: versus}, now.Created, before.Created),
		{Label: v.t("console.stat.paid"), Value: share(now.Paid, now.Created), Note: v.t("console.stat.paid.note")},
	}
	d.Funnel = []funnelStep{{v.t("console.funnel.created"), now.Created, now.Created, ui.FormatInt(now.Created)}, {v.t("console.funnel.paid"), now.Paid, now.Created, ui.FormatInt(now.Paid)}, {v.t("console.funnel.delivered"), now.Delivered, now.Created, ui.FormatInt(now.Delivered)}}
	best := days[0]
	for _, x := range days {
		if x.Revenue > best.Revenue {
			best = x
		}
	}
	if best.Revenue > 0 {
		d.Answer = v.t("console.chart.answer", "sum", moneyOf(now.Revenue+before.Revenue, money.CNY), "day", ui.FormatDay(v.lang, best.Start, d.AsOf.In(v.c.Zone)), "best", moneyOf(best.Revenue, money.CNY))
	} else {
		d.Answer = v.t("console.chart.nothing")
	}
	d.Started, d.Placed, d.Sold = before.Created+now.Created > 0, now.Created > 0, best.Revenue > 0
	if d.Sold {
		d.Chart = v.chart(days, best.Revenue)
	}
}

func share(part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	return strconv.FormatFloat(float64(part)*100/float64(whole), 'f', 1, 64) + "%"
}

func trend(s ui.Stat, now, before int64) ui.Stat {
	if before <= 0 {
		s.Note = ""
		return s
	}
	change := float64(now-before) * 100 / float64(before)
	s.Trend, s.Good = fmt.Sprintf("%+.0f%%", change), change >= 0
	return s
}

// chart draws the revenue of each day as bars, labels outside. It holds numbers and dates
// only; the table beside it says the same.
func (v *visit) chart(days []desk.Day, top int64) template.HTML {
	const width, height, left, bottom = 640, 200, 8, 32
	step := (width - 2*left) / len(days)
	scale := niceTop(top)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart" viewBox="0 0 %d %d" role="img" aria-label="%s">`, width, height+bottom+14, template.HTMLEscapeString(v.t("console.chart.label")))
	for _, part := range []int64{0, 1, 2} {
		y := int64(height) - int64(height)*part/2 + 12
		fmt.Fprintf(&b, `<line class="chart-grid" x1="0" x2="%d" y1="%d" y2="%d"/>`, width, y, y)
		if part > 0 {
			fmt.Fprintf(&b, `<text class="chart-text" x="0" y="%d">%s</text>`, y-6, template.HTMLEscapeString(strings.TrimSuffix(moneyOf(scale*part/2, money.CNY), ".00")))
		}
	}
	for i, x := range days {
		h := int64(0)
		if scale > 0 && x.Revenue > 0 {
			h = max(x.Revenue*int64(height)/scale, 2)
		}
		at := left + i*step
		class := "chart-bar"
		if i == len(days)-1 {
			class += " chart-now"
		}
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="3"><title>%s %s</title></rect>`, class, at+step/6, int64(height)-h+12, step*2/3, h,
			template.HTMLEscapeString(ui.FormatDay(v.lang, x.Start, v.c.now().In(v.c.Zone))), template.HTMLEscapeString(moneyOf(x.Revenue, money.CNY)))
		if (len(days)-1-i)%3 == 0 {
			fmt.Fprintf(&b, `<text class="chart-text" text-anchor="middle" x="%d" y="%d">%s</text>`, at+step/2, height+bottom+6, x.Start.Format("1/2"))
		}
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// niceTop is the next round number: 1, 2 or 5 and zeros.
func niceTop(n int64) int64 {
	for unit := int64(100); unit > 0 && unit < 1<<60; unit *= 10 {
		for _, f := range []int64{1, 2, 5} {
			if unit*f >= n {
				return unit * f
			}
		}
	}
	return n
}
