package api

import (
	"context"
	"strconv"
	"sync"
	"time"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/exception"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/insight/verify"
	"hufu/internal/job"
	"hufu/internal/notify"
	"hufu/internal/setting"
)

// AuditRow is one act on record.
type AuditRow struct {
	ID      id.Audit          `json:"id"`
	Seq     int64             `json:"seq"`
	At      time.Time         `json:"at"`
	Actor   string            `json:"actor"`
	Action  string            `json:"action"`
	Subject string            `json:"subject"`
	Origin  string            `json:"origin,omitempty"`
	Result  string            `json:"result"`
	Data    map[string]string `json:"data,omitempty"`
}

// AuditCheck is what came of checking the trail.
type AuditCheck struct {
	Intact   bool   `json:"intact"`
	BrokenAt int64  `json:"broken_at,omitempty" doc:"The first row that doesn't fit"`
	Rows     int64  `json:"rows"`
	Head     string `json:"head" doc:"Hash of the last row: keep it elsewhere, so that a cut tail shows"`
}

// Invariant is what came of checking one law of the whole database.
type Invariant struct {
	ID     string      `json:"id" example:"I15"`
	Title  string      `json:"title"`
	OK     bool        `json:"ok"`
	Rows   []Violation `json:"rows,omitempty"`
	More   bool        `json:"more,omitempty"`
	Millis int64       `json:"milliseconds"`
}

// Violation is something that breaks a law.
type Violation struct {
	Rule    string `json:"rule"`
	Text    string `json:"text"`
	Subject string `json:"subject"`
	Detail  string `json:"detail,omitempty"`
}

// Verification is what came of checking everything.
type Verification struct {
	OK         bool        `json:"ok"`
	Invariants []Invariant `json:"invariants"`
}

// Notification is a message that was sent.
type Notification struct {
	ID       id.Notification `json:"id"`
	Channel  string          `json:"channel" enum:"sms,email"`
	Target   string          `json:"target" doc:"Masked"`
	Template string          `json:"template"`
	Lang     string          `json:"lang"`
	Subject  string          `json:"subject"`
	Body     string          `json:"body,omitempty" doc:"Absent when it is for its reader alone, as a one-time code is"`
	Order    id.Order        `json:"order,omitempty"`
	At       time.Time       `json:"at"`
}

// Setting is what an operator may change while the shop runs.
type Setting struct {
	Name      string     `json:"name"`
	Label     string     `json:"label"`
	Value     string     `json:"value"`
	Default   string     `json:"default"`
	ChangedAt *time.Time `json:"changed_at,omitempty"`
	Limit     bool       `json:"limit" doc:"It limits the staff: a raise counts once two persons have asked for the same value"`
	Proposal  *Proposal  `json:"proposal,omitempty" doc:"A raise that waits for a second person"`
}

// Proposal is a raise of a limit that waits for a second person to ask for the same value.
type Proposal struct {
	Value string    `json:"value"`
	By    id.Party  `json:"by"`
	At    time.Time `json:"at"`
	Next  string    `json:"next" doc:"What to do now, in the language of the request"`
}

// SettingValue is a setting's value as text.
type SettingValue struct {
	Value string `json:"value" maxLength:"1000"`
}

// System is how the system is.
type System struct {
	Version    string           `json:"version"`
	Database   string           `json:"database" enum:"sqlite,postgres"`
	Schema     int64            `json:"schema"`
	Needs      int64            `json:"schema_needed"`
	Time       time.Time        `json:"time"`
	Lanes      []Lane           `json:"lanes"`
	Jobs       Jobs             `json:"jobs"`
	Exceptions map[string]int64 `json:"exceptions" doc:"Open cases by kind"`
	Gateways   []string         `json:"gateways" doc:"Ways to pay that are offered"`
	Channels   []Channel        `json:"channels"`
}

// Channel is a payment gateway and what is known of its keys.
type Channel struct {
	Name     string     `json:"name"`
	Account  string     `json:"account" doc:"The merchant account money arrives at"`
	Offered  bool       `json:"offered" doc:"New orders may be paid through it"`
	TestedAt *time.Time `json:"tested_at,omitempty" doc:"When its keys were tested last"`
	Problem  string     `json:"problem,omitempty" doc:"Why it isn't offered: a fault's code"`
}

// Lane is what one hot flow has done in this process.
type Lane struct {
	Name     string `json:"name"`
	Commands int64  `json:"commands"`
	Batches  int64  `json:"batches"`
	Alone    int64  `json:"alone" doc:"Commands run by themselves after their batch failed"`
	BusyMS   int64  `json:"busy_milliseconds"`
}

// Jobs is the depth of the queue.
type Jobs struct {
	Ready   int64      `json:"ready"`
	Running int64      `json:"running"`
	Dead    int64      `json:"dead"`
	Oldest  *time.Time `json:"oldest,omitempty"`
}

type auditInput struct {
	Paging
	Subject string `query:"subject" maxLength:"100" doc:"Everything that was done to it, in order"`
}

type settingInput struct {
	Name string `path:"name" maxLength:"100"`
	Body SettingValue
}

func (a *API) staffSystem() {
	operation(a, "list-audit", a.listAudit)
	operation(a, "verify-audit", a.verifyAudit)
	operation(a, "verify-invariants", a.verifyAll)
	operation(a, "list-notifications", a.listNotifications)
	operation(a, "list-settings", a.listSettings)
	once(a, "change-setting", a.changeSetting)
	operation(a, "get-system", a.getSystem)
}

func showAudit(r audit.Row) AuditRow {
	return AuditRow{r.ID, r.Seq, r.At, r.Actor, r.Action, r.Subject, r.Origin, r.Result, r.Data}
}

func (a *API) listAudit(ctx context.Context, c *Call, in *auditInput) (*Page[AuditRow], error) {
	before, err := in.number(c)
	if err != nil {
		return nil, err
	}
	var rows []audit.Row
	err = a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		if in.Subject != "" {
			rows, err = audit.Of(ctx, tx, in.Subject)
		} else {
			rows, err = audit.List(ctx, tx, before, int(in.Limit)+1)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if in.Subject != "" { // in order, and few
		for len(rows) > 0 && rows[0].Seq <= before {
			rows = rows[1:]
		}
	}
	return pageOf(c, in.Paging, rows, func(r audit.Row) string { return strconv.FormatInt(r.Seq, 10) }, showAudit), nil
}

func (a *API) verifyAudit(ctx context.Context, _ *Call, _ *struct{}) (*AuditCheck, error) {
	var out AuditCheck
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		head, err := audit.End(ctx, tx)
		if err != nil {
			return err
		}
		bad, err := audit.Verify(ctx, tx, nil)
		out = AuditCheck{Intact: bad == 0, BrokenAt: bad, Rows: head.Seq, Head: head.Hash}
		return err
	})
	return &out, err
}

// verifying lets one check of everything run at a time: it reads the whole database.
type verifying struct{ sync.Mutex }

func (a *API) verifyAll(ctx context.Context, c *Call, _ *struct{}) (*Verification, error) {
	if !a.verify.TryLock() {
		return nil, fault.New(fault.Unavailable, "unavailable")
	}
	defer a.verify.Unlock()
	results, err := verify.Verify(ctx, a.Flows.DB, verify.Options{Now: a.Flows.Clock.Now()})
	if err != nil {
		return nil, err
	}
	out := &Verification{OK: verify.OK(results), Invariants: make([]Invariant, len(results))}
	for i, r := range results {
		v := Invariant{ID: r.ID, Title: r.Title(c.Lang), OK: r.OK(), More: r.More, Millis: r.Took.Milliseconds()}
		for _, row := range r.Rows {
			v.Rows = append(v.Rows, Violation{row.Rule, row.Text(c.Lang), row.Subject, row.Detail})
		}
		out.Invariants[i] = v
	}
	return out, nil
}

func (a *API) listNotifications(ctx context.Context, c *Call, in *Paging) (*Page[Notification], error) {
	before, err := in.after(c)
	if err != nil {
		return nil, err
	}
	var found []notify.Message
	err = a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		found, err = notify.Newest(ctx, tx, id.Notification(before), int(in.Limit)+1)
		return err
	})
	return pageOf(c, *in, found, func(m notify.Message) string { return string(m.ID) }, func(m notify.Message) Notification {
		if m.Confidential() {
			m.Body = ""
		}
		return Notification{m.ID, m.Channel, identity.Contact(m.Target).Mask(), m.Template, m.Lang, m.Subject, m.Body, m.Order, m.At}
	}), err
}

func (a *API) settings(ctx context.Context, tx *db.Tx, c *Call) ([]Setting, error) {
	all, err := setting.All(ctx, tx)
	if err != nil {
		return nil, err
	}
	out := make([]Setting, len(all))
	for i, e := range all {
		out[i] = Setting{Name: e.Name, Label: c.Lang.T("setting." + e.Name), Value: e.Value, Default: e.Default, ChangedAt: timeIf(e.ChangedAt), Limit: e.Limit}
		if e.Proposal == nil {
			continue
		}
		next, err := flow.RaiseNext(ctx, tx, a.Identity, e.Proposal, id.Party(c.party()))
		if err != nil {
			return nil, err
		}
		out[i].Proposal = &Proposal{e.Proposal.Value, id.Party(e.Proposal.By), e.Proposal.At, c.Lang.T(next, "value", e.Proposal.Value)}
	}
	return out, nil
}

func (a *API) listSettings(ctx context.Context, c *Call, _ *struct{}) (*Page[Setting], error) {
	out := &Page[Setting]{}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		out.Items, err = a.settings(ctx, tx, c)
		return err
	})
	return out, err
}

func (a *API) changeSetting(ctx context.Context, tx *db.Tx, c *Call, in *settingInput) (*Setting, error) {
	if _, err := setting.Change(ctx, tx, setting.By{Actor: c.party(), Origin: c.address()}, in.Name, in.Body.Value, a.Flows.Clock.Now()); err != nil {
		return nil, err
	}
	all, err := a.settings(ctx, tx, c)
	for _, s := range all {
		if s.Name == in.Name {
			return &s, err
		}
	}
	return nil, err
}

func (a *API) getSystem(ctx context.Context, _ *Call, _ *struct{}) (*System, error) {
	out := &System{Version: a.Version, Database: a.Flows.DB.Dialect().String(), Time: a.Flows.Clock.Now(), Lanes: []Lane{}, Gateways: []string{}, Exceptions: map[string]int64{}}
	var err error
	if out.Schema, out.Needs, err = a.Flows.DB.Version(ctx); err != nil {
		return nil, err
	}
	stats := a.Flows.Lanes()
	for _, name := range []string{"place", "confirm", "reveal"} {
		s := stats[name]
		out.Lanes = append(out.Lanes, Lane{name, int64(s.Commands), int64(s.Batches), int64(s.Alone), s.Busy.Milliseconds()})
	}
	gateways, err := a.listGateways(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	for _, g := range gateways.Items {
		out.Gateways = append(out.Gateways, g.Name)
	}
	out.Channels = []Channel{}
	for _, c := range a.Flows.Channels() {
		out.Channels = append(out.Channels, Channel{c.Name, c.Account, c.Offered, timeIf(c.TestedAt), fault.CodeOf(c.Why)})
	}
	err = a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		depth, err := job.Waiting(ctx, tx)
		if err != nil {
			return err
		}
		out.Jobs = Jobs{depth.Ready, depth.Running, depth.Dead, timeIf(depth.Oldest)}
		counts, err := exception.Counts(ctx, tx)
		if counts != nil {
			out.Exceptions = counts
		}
		return err
	})
	return out, err
}
