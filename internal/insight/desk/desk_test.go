package desk

import (
	"testing"
	"time"

	"hufu/internal/clock"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/order"
)

func TestDaysOnBothDatabases(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		zone := time.FixedZone("UTC+8", 8*3600)
		now := clock.System{}.Now()
		err := d.Do(t.Context(), func(tx *db.Tx) error {
			var s order.Service
			var all []*order.Order
			for i, currency := range []money.Currency{money.CNY, money.CNY, money.USD} {
				o := &order.Order{ID: id.New[id.Order](), State: order.Pending, Total: money.Of(int64(100*(i+1)), currency), Key: string(rune('a' + i)), CreatedAt: now, ExpiresAt: now.Add(time.Hour), RequestHash: []byte{1}}
				all = append(all, o)
			}
			if err := s.Add(t.Context(), tx, all); err != nil {
				return err
			}
			m, err := order.MoveTo(all[0], order.Fulfilled, now)
			if err != nil {
				return err
			}
			return s.Save(t.Context(), tx, []order.Move{m}, nil, now)
		})
		if err != nil {
			t.Fatal(err)
		}
		var days []Day
		var w Waiting
		if err := d.View(t.Context(), func(tx *db.Tx) (err error) {
			if days, err = Days(t.Context(), tx, now, 14, zone, money.CNY); err != nil {
				return err
			}
			w, err = WaitingAt(t.Context(), tx, now)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		last := days[13]
		if len(days) != 14 || last.Created != 2 || last.Paid != 1 || last.Delivered != 1 || last.Revenue != 100 || days[12] != (Day{Start: days[12].Start}) {
			t.Errorf("%+v", days[12:])
		}
		if last.Start.After(now) || now.Sub(last.Start) >= day || w != (Waiting{}) {
			t.Errorf("%v %+v", last.Start, w)
		}
	})
}
