package setting_test

import (
	"testing"
	"time"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/setting"
)

var (
	now    = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	most   = setting.Int("test.cap", 10, 0, 100)
	title  = setting.Text("test.title", "Hufu", 5)
	open   = setting.Flag("test.open", true)
	bound  = setting.Limit("test.bound", 20, 0, 100)
	me     = setting.By{Actor: "pty_me", Origin: "192.0.2.1"}
	broken = db.SQL("test.setting_broken", `INSERT INTO settings (name, value, updated_at) VALUES ('test.cap', 'many', 1)`)
)

func TestAChangeIsOnRecordWithBeforeAndAfter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		err := d.Do(ctx, func(tx *db.Tx) error {
			if v, err := most.Get(ctx, tx); v != 10 || err != nil {
				t.Errorf("the default is %d, %v", v, err)
			}
			for _, v := range []string{"10", " 20 ", "20", "030"} {
				if _, err := setting.Change(ctx, tx, me, "test.cap", v, now); err != nil {
					return err
				}
			}
			if err := open.Set(ctx, tx, me, false, now); err != nil {
				return err
			}
			if v, err := most.Get(ctx, tx); v != 30 || err != nil {
				t.Errorf("the value is %d, %v", v, err)
			}
			if v, err := open.Get(ctx, tx); v || err != nil {
				t.Errorf("the switch is %v, %v", v, err)
			}
			rows, err := audit.Of(ctx, tx, "test.cap")
			if len(rows) != 2 || rows[0].Data["before"] != "10" || rows[0].Data["after"] != "20" || rows[1].Data["before"] != "20" || rows[1].Data["after"] != "30" || rows[0].Actor != me.Actor {
				t.Errorf("the trail is %+v", rows)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestWrongValuesAreRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		for _, c := range []struct{ name, value, code string }{
			{"test.cap", "", "setting.value"}, {"test.cap", "101", "setting.value"}, {"test.cap", "-1", "setting.value"}, {"test.cap", "1.5", "setting.value"}, {"test.cap", "null", "setting.value"},
			{"test.title", "toolong", "setting.value"}, {"test.title", "a\x00b", "setting.value"}, {"test.title", "\xff", "setting.value"},
			{"test.open", "maybe", "setting.value"}, {"test.none", "1", "setting.unknown"},
		} {
			err := d.Do(ctx, func(tx *db.Tx) error {
				_, err := setting.Change(ctx, tx, me, c.name, c.value, now)
				return err
			})
			if fault.CodeOf(err) != c.code {
				t.Errorf("%s = %q: %v", c.name, c.value, err)
			}
		}
	})
}

func TestAValueThatCantBeReadCountsAsTheDefault(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		err := d.Do(ctx, func(tx *db.Tx) error {
			if _, err := tx.Exec(ctx, broken); err != nil {
				return err
			}
			if v, err := most.Get(ctx, tx); v != 10 || err != nil {
				t.Errorf("got %d, %v", v, err)
			}
			all, err := setting.All(ctx, tx)
			seen := map[string]string{}
			for _, e := range all {
				seen[e.Name] = e.Value
			}
			if seen["test.cap"] != "10" || seen[title.Name()] != "Hufu" || seen["test.open"] != "true" {
				t.Errorf("all: %v", seen)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// S10: who is stopped by a limit can't raise it alone, by whatever way round.
func TestALimitIsRaisedByTwo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		you, nobody := setting.By{Actor: "pty_you"}, setting.By{}
		for i, step := range []struct {
			by    setting.By
			value string
			came  setting.Outcome
			then  int64  // the value that counts
			waits string // the value that waits, and for whom
			trail string // the action on record
		}{
			{me, "20", setting.Same, 20, "", ""},
			{me, "50", setting.Waiting, 20, "50 pty_me", "setting.propose"},
			{me, "50", setting.Waiting, 20, "50 pty_me", ""},
			{me, "0050", setting.Waiting, 20, "50 pty_me", ""},
			{nobody, "50", setting.Waiting, 20, "50 ", "setting.propose"},
			{nobody, "50", setting.Waiting, 20, "50 ", ""},
			{me, "50", setting.Waiting, 20, "50 pty_me", "setting.propose"},
			{me, "60", setting.Waiting, 20, "60 pty_me", "setting.propose"},
			{you, "61", setting.Waiting, 20, "61 pty_you", "setting.propose"}, // not what the first asked for
			{me, "60", setting.Waiting, 20, "60 pty_me", "setting.propose"},
			{you, "60", setting.Changed, 60, "", "setting.change"},
			{me, "5", setting.Changed, 5, "", "setting.change"},
			{me, "20", setting.Waiting, 5, "20 pty_me", "setting.propose"}, // up again, be it to the default
			{me, "4", setting.Changed, 4, "", "setting.change"},            // a lower one ends what waited
			{you, "20", setting.Waiting, 4, "20 pty_you", "setting.propose"},
			{me, "4", setting.Same, 4, "", "setting.withdraw"},
			{me, "20", setting.Waiting, 4, "20 pty_me", "setting.propose"},
			{me, "3", setting.Changed, 3, "", "setting.change"},
			{me, "20", setting.Waiting, 3, "20 pty_me", "setting.propose"},
		} {
			err := d.Do(ctx, func(tx *db.Tx) error {
				before, err := audit.Of(ctx, tx, "test.bound")
				if err != nil {
					return err
				}
				came, err := setting.Change(ctx, tx, step.by, "test.bound", step.value, now)
				if err != nil {
					return err
				}
				value, err := bound.Get(ctx, tx)
				if err != nil {
					return err
				}
				after, err := audit.Of(ctx, tx, "test.bound")
				if err != nil {
					return err
				}
				action := ""
				if len(after) > len(before) {
					action = after[len(after)-1].Action
				}
				all, err := setting.All(ctx, tx)
				waits := ""
				for _, e := range all {
					if e.Limit != (e.Name == "test.bound") || !e.Limit && e.Proposal != nil {
						t.Errorf("%+v", e)
					}
					if e.Proposal != nil {
						waits = e.Proposal.Value + " " + e.Proposal.By
					}
				}
				if came != step.came || value != step.then || waits != step.waits || action != step.trail {
					t.Errorf("step %d: outcome %d, value %d, waits %q, on record %q; want %+v", i, came, value, waits, action, step)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}
