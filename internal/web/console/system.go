package console

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/insight/verify"
	"hufu/internal/job"
	"hufu/internal/setting"
	"hufu/internal/web/ui"
)

// verifying is the check of the invariants that this process makes or made.
type verifying struct {
	sync.Mutex
	running bool
	at      time.Time // of results
	results []verify.Result
	err     error
}

// verifyState is what is known of the last check, whichever process made it.
type verifyState struct {
	verify.Last
	Running    bool
	Unfinished bool            // the last check of this process couldn't be completed
	Results    []verify.Result // of each invariant, when this process made the last check
	Words      string          // of what doesn't hold
}

// lastVerified reads the last check.
func (c *Console) lastVerified(ctx context.Context, tx *db.Tx) (verifyState, error) {
	last, err := verify.LastHeld(ctx, tx)
	if err != nil {
		return verifyState{}, err
	}
	l := &c.verified
	l.Lock()
	defer l.Unlock()
	s := verifyState{Last: last, Running: l.running, Unfinished: l.err != nil}
	if l.at.Equal(last.At) {
		s.Results = l.results
	}
	return s, nil
}

// runVerify checks every invariant behind the page, one check at a time.
func (c *Console) runVerify() {
	l := &c.verified
	l.Lock()
	busy := l.running
	l.running = true
	l.Unlock()
	if busy {
		return
	}
	c.work.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, 30*time.Minute)
		defer cancel()
		at := c.now().Truncate(time.Microsecond)
		results, err := verify.Verify(ctx, c.Flows.DB, verify.Options{Now: at})
		if err == nil {
			err = verify.Record(ctx, c.Flows.DB, at, results)
		}
		l.Lock()
		defer l.Unlock()
		l.running, l.at, l.results, l.err = false, at, results, err
		if err != nil {
			c.Log.Error("the invariants could not be checked", "error", err)
		}
	})
}

type systemView struct {
	ui.Page
	Withheld []ui.Fact // channels that aren't offered, and why
	Facts    []ui.Fact
	Queue    []ui.Stat
	Lanes    ui.Table
	Dead     ui.Table
	Verify   verifyState
	Checks   []checkRow
	AsOf     time.Time
	Routes   []ui.Fact
}

type checkRow struct {
	ID, Title string
	OK        bool
	Rows      []ui.Fact
}

// withheld says why a channel takes no order.
func (v *visit) withheld(g flow.Channel) ui.Fact {
	f := ui.Fact{Label: v.t("console.system.withheld", "gateway", v.gateway(g.Name), "account", g.Account), Value: v.t("console.system.withheld.untested")}
	if g.Why != nil {
		why := fault.From(g.Why)
		f.Value = v.lang.Fault(why)
		if why.Code == "paygate.unreachable" || why.Code == "paygate.timeout" { // whose words are those of a payment
			f.Value = v.t("console.system.withheld.silent")
		}
		f.Value += " " + v.t("console.system.withheld.again", "time", ui.FormatTime(v.lang, g.TestedAt.In(v.c.Zone), v.c.now().In(v.c.Zone)))
	}
	return f
}

func system(c *Console, v *visit) error { return v.system() }

func (v *visit) system() error {
	c := v.c
	d := &systemView{AsOf: c.now()}
	var depth job.Depth
	var dead []job.Job
	var has, needs int64
	err := v.view(func(tx *db.Tx) (err error) {
		if depth, err = job.Waiting(v.r.Context(), tx); err != nil {
			return err
		}
		if dead, err = job.Dead(v.r.Context(), tx, 20); err != nil {
			return err
		}
		d.Verify, err = c.lastVerified(v.r.Context(), tx)
		return err
	})
	if err != nil {
		return err
	}
	if has, needs, err = c.Flows.DB.Version(v.r.Context()); err != nil {
		return err
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	var gateways []string
	for _, g := range c.Flows.Channels() {
		if !g.Offered {
			d.Withheld = append(d.Withheld, v.withheld(g))
			continue
		}
		gateways = append(gateways, v.gateway(g.Name))
	}
	schema := ui.FormatInt(has)
	if has != needs {
		schema += " / " + ui.FormatInt(needs)
	}
	d.Facts = []ui.Fact{{Label: v.t("console.system.version"), Value: dash(c.Version)}, {Label: "Go", Value: runtime.Version()}, {Label: v.t("console.system.database"), Value: c.Flows.DB.Dialect().String()}, {Label: v.t("console.system.schema"), Value: schema},
		{Label: v.t("console.system.uptime"), Value: ui.FormatDuration(v.lang, c.now().Sub(c.begun))}, {Label: v.t("console.system.memory"), Value: ui.FormatInt(int64(mem.HeapAlloc>>20)) + " MB"}, {Label: v.t("console.system.gateways"), Value: dash(strings.Join(gateways, ", "))},
		{Label: v.t("console.system.address"), Value: c.PublicURL}}
	oldest := v.t("console.system.queue.none")
	if !depth.Oldest.IsZero() {
		oldest = v.t("console.system.queue.oldest", "time", ui.FormatDuration(v.lang, c.now().Sub(depth.Oldest)))
	}
	tone := ui.Tone("")
	if depth.Dead > 0 {
		tone = ui.Stop
	}
	d.Queue = []ui.Stat{{Label: v.t("console.system.queue.ready"), Value: ui.FormatInt(depth.Ready), Note: oldest}, {Label: v.t("console.system.queue.running"), Value: ui.FormatInt(depth.Running)}, {Label: v.t("console.system.queue.dead"), Value: ui.FormatInt(depth.Dead), Tone: tone}}
	d.Lanes = ui.Table{Caption: v.t("console.system.lanes"), Columns: []ui.Column{{Label: v.t("console.system.lane")}, {Label: v.t("console.system.commands"), End: true, Say: true}, {Label: v.t("console.system.batches"), End: true, Say: true}, {Label: v.t("console.system.ratio"), End: true, Say: true}, {Label: v.t("console.system.alone"), End: true, Say: true}, {Label: v.t("console.system.busy"), End: true, Say: true}}}
	lanes := c.Flows.Lanes()
	for _, name := range slices.Sorted(maps.Keys(lanes)) {
		s := lanes[name]
		ratio := "–"
		if s.Batches > 0 {
			ratio = ui.FormatInt(int64(s.Commands*10/s.Batches) / 10)
		}
		d.Lanes.Rows = append(d.Lanes.Rows, ui.Row{Cells: []ui.Cell{ui.Text(v.known("console.lane."+name, name), name), ui.Text(ui.FormatInt(int64(s.Commands)), ""), ui.Text(ui.FormatInt(int64(s.Batches)), ""), ui.Text(ratio, ""), ui.Text(ui.FormatInt(int64(s.Alone)), ""),
			ui.Text(ui.FormatDuration(v.lang, s.Busy), "")}})
	}
	d.Dead = ui.Table{Caption: v.t("console.system.dead"), Columns: []ui.Column{{Label: v.t("console.job")}, {Label: v.t("console.refund.attempts"), End: true, Say: true}, {Label: v.t("console.case.detail")}}}
	for _, j := range dead {
		d.Dead.Rows = append(d.Dead.Rows, ui.Row{Cells: []ui.Cell{ui.Text(j.Kind, short(j.Subject)), ui.Text(ui.FormatInt(j.Attempts), ""), ui.Text(clip(j.Error, 160), "")}})
	}
	if n := len(d.Verify.Failed); n > 0 {
		d.Verify.Words = strings.Join(d.Verify.Failed, v.t("console.comma"))
		if !d.Verify.LastHeld.IsZero() {
			d.Verify.Words += " · " + v.t("console.system.verify.last_held", "at", v.when(d.Verify.LastHeld))
		}
	}
	for _, r := range d.Verify.Results {
		row := checkRow{ID: r.ID, Title: r.Title(v.lang), OK: r.OK()}
		for _, x := range r.Rows {
			row.Rows = append(row.Rows, ui.Fact{Label: x.Text(v.lang), Value: x.Subject + " " + x.Detail})
		}
		d.Checks = append(d.Checks, row)
	}
	v.page(&d.Page, "system", v.t("ui.nav.system"))
	return v.render(http.StatusOK, "system", d)
}

func verifySystem(c *Console, v *visit) error {
	c.runVerify()
	return v.leave("/console/system", "started")
}

// testChannels tests the keys of the channels that take no order, now.
func testChannels(c *Console, v *visit) error {
	c.Flows.TestChannels(v.r.Context())
	return v.leave("/console/system", "tested")
}

type settingsView struct {
	ui.Page
	formError
	Entries []settingRow
}

type settingRow struct {
	setting.Entry
	Label string
	Flag  bool
	Value string
	By    string // who proposed
	Own   bool   // whoever looks did
	Next  string // what to do about it
}

func settings(_ *Console, v *visit) error { return v.settings(http.StatusOK, nil) }

func (v *visit) settings(status int, refusal error) error {
	d := &settingsView{}
	if err := d.refused(v.lang, refusal, nil); err != nil {
		return err
	}
	err := v.view(func(tx *db.Tx) error {
		all, err := setting.All(v.r.Context(), tx)
		if err != nil {
			return err
		}
		for _, e := range all {
			row := settingRow{Entry: e, Label: v.known("setting."+e.Name, e.Name), Flag: e.Default == "true" || e.Default == "false", Value: e.Value}
			if err := v.proposed(tx, &row); err != nil {
				return err
			}
			if refusal != nil && v.f("name") == e.Name {
				row.Value = v.f("value")
			}
			d.Entries = append(d.Entries, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	v.page(&d.Page, "settings", v.t("console.nav.settings"))
	return v.render(status, "settings", d)
}

// proposed says of a raise that waits who wants it, and what whoever looks can do.
func (v *visit) proposed(tx *db.Tx, row *settingRow) error {
	if row.Proposal == nil {
		return nil
	}
	by := id.Party(row.Proposal.By)
	names, err := v.names(tx, []id.Party{by})
	if err != nil {
		return err
	}
	row.By, row.Own = cmp.Or(names[by], short(by)), by == v.by()
	next, err := flow.RaiseNext(v.r.Context(), tx, v.c.Identity, row.Proposal, v.by())
	row.Next = v.t(next, "value", row.Proposal.Value)
	return err
}

func saveSetting(c *Console, v *visit) error {
	value := v.f("value")
	if value == "" && v.f("flag") != "" {
		value = "false"
	}
	say := ""
	err := v.once(func(tx *db.Tx) error {
		came, err := setting.Change(v.r.Context(), tx, setting.By{Actor: string(v.by()), Origin: v.origin().Address}, v.f("name"), value, c.now())
		if say = "saved"; came == setting.Waiting {
			say = "proposed"
		}
		return err
	})
	if fault.KindOf(err) == fault.Invalid {
		return v.settings(http.StatusBadRequest, err)
	}
	if err != nil {
		return err
	}
	return v.leave("/console/settings", say)
}

type helpView struct {
	ui.Page
	Topics []string
}

// helpPage says how the console is used; it stands at the same place on every page.
func helpPage(_ *Console, v *visit) error {
	d := &helpView{Topics: []string{"first", "sell", "codes", "paid", "exceptions", "people", "keys"}}
	v.page(&d.Page, "", v.t("ui.help"))
	return v.render(http.StatusOK, "help", d)
}
