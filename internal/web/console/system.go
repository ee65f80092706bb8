package console

import (
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
	"hufu/internal/insight/verify"
	"hufu/internal/job"
	"hufu/internal/setting"
	"hufu/internal/web/ui"
)

// lastVerify is the last check of the invariants that this process made.
type lastVerify struct {
	sync.Mutex
	running bool
	at      time.Time
	took    time.Duration
	results []verify.Result
	err     error
}

// verifyState is lastVerify at a moment.
type verifyState struct {
	Running bool
	At      time.Time
	Took    time.Duration
	Results []verify.Result
	Failed  bool
	Broken  int
}

func (c *Console) lastVerified() verifyState {
	l := &c.verified
	l.Lock()
	defer l.Unlock()
	s := verifyState{Running: l.running, At: l.at, Took: l.took, Results: l.results, Failed: l.err != nil}
	for _, r := range l.results {
		if !r.OK() {
			s.Broken++
		}
	}
	return s
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
		start := time.Now()
		results, err := verify.Verify(ctx, c.Flows.DB, verify.Options{Now: c.now()})
		l.Lock()
		defer l.Unlock()
		l.running, l.at, l.took, l.results, l.err = false, c.now(), time.Since(start), results, err
		if err != nil {
			c.Log.Error("the invariants could not be checked", "error", err)
		}
	})
}

type systemView struct {
	ui.Page
	Facts  []ui.Fact
	Queue  []ui.Stat
	Lanes  ui.Table
	Dead   ui.Table
	Verify verifyState
	Checks []checkRow
	AsOf   time.Time
	Routes []ui.Fact
}

type checkRow struct {
	ID, Title string
	OK        bool
	Rows      []ui.Fact
}

func system(c *Console, v *visit) error { return v.system() }

func (v *visit) system() error {
	c := v.c
	d := &systemView{AsOf: c.now(), Verify: c.lastVerified()}
	var depth job.Depth
	var dead []job.Job
	var has, needs int64
	err := v.view(func(tx *db.Tx) (err error) {
		if depth, err = job.Waiting(v.r.Context(), tx); err != nil {
			return err
		}
		dead, err = job.Dead(v.r.Context(), tx, 20)
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
	for _, name := range slices.Sorted(maps.Keys(c.Flows.Gateways)) {
		gateways = append(gateways, v.gateway(name))
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
	d.Lanes = ui.Table{Caption: v.t("console.system.lanes"), Columns: []ui.Column{{Label: v.t("console.system.lane")}, {Label: v.t("console.system.commands")}, {Label: v.t("console.system.batches")}, {Label: v.t("console.system.ratio")}, {Label: v.t("console.system.alone")}, {Label: v.t("console.system.busy")}}}
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
	d.Dead = ui.Table{Caption: v.t("console.system.dead"), Columns: []ui.Column{{Label: v.t("console.job")}, {Label: v.t("console.refund.attempts"), End: true}, {Label: v.t("console.case.detail")}}}
	for _, j := range dead {
		d.Dead.Rows = append(d.Dead.Rows, ui.Row{Cells: []ui.Cell{ui.Text(j.Kind, short(j.Subject)), ui.Text(ui.FormatInt(j.Attempts), ""), ui.Text(clip(j.Error, 160), "")}})
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
}

func settings(_ *Console, v *visit) error { return v.settings(http.StatusOK, nil) }

func (v *visit) settings(status int, refusal error) error {
	d := &settingsView{}
	if refusal != nil {
		var err error
		if d.formError, err = v.formErrors(refusal, nil); err != nil {
			return err
		}
	}
	err := v.view(func(tx *db.Tx) error {
		all, err := setting.All(v.r.Context(), tx)
		for _, e := range all {
			row := settingRow{Entry: e, Label: v.known("setting."+e.Name, e.Name), Flag: e.Default == "true" || e.Default == "false", Value: e.Value}
			if refusal != nil && v.f("name") == e.Name {
				row.Value = v.f("value")
			}
			d.Entries = append(d.Entries, row)
		}
		return err
	})
	if err != nil {
		return err
	}
	v.page(&d.Page, "settings", v.t("console.nav.settings"))
	return v.render(status, "settings", d)
}

func saveSetting(c *Console, v *visit) error {
	value := v.f("value")
	if value == "" && v.f("flag") != "" {
		value = "false"
	}
	err := v.once(func(tx *db.Tx) error {
		_, err := setting.Change(v.r.Context(), tx, setting.By{Actor: string(v.by()), Origin: v.origin().Address}, v.f("name"), value, c.now())
		return err
	})
	if fault.KindOf(err) == fault.Invalid {
		return v.settings(http.StatusBadRequest, err)
	}
	if err != nil {
		return err
	}
	return v.leave("/console/settings", "saved")
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
