package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"hufu/internal/app"
	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/id"
)

// queuePlace is what these tests read of a place in a waiting room.
type queuePlace struct {
	Ticket  string `json:"ticket"`
	State   string `json:"state"`
	Ahead   int64  `json:"ahead"`
	SoldOut bool   `json:"sold_out"`
}

// flash puts an offer back to be sold from a moment on, through a waiting room.
func (s *shop) flash(offer id.Offer, at time.Time, room catalogue.Room) {
	s.t.Helper()
	a, err := app.Open(s.t.Context(), app.Config{Store: s.store, KeyFile: s.keys, PublicURL: "http://127.0.0.1"}, slog.New(slog.DiscardHandler))
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Close()
	if err := a.DB.Do(s.t.Context(), func(tx *db.Tx) error {
		now := a.Clock.Now()
		o, err := a.Flows.Catalogue.Offer(s.t.Context(), tx, offer)
		if err != nil {
			return err
		}
		o.StartsAt, o.Draft.Room = at, room
		if o, err = a.Flows.Catalogue.Save(s.t.Context(), tx, o, now); err != nil {
			return err
		}
		if o, _, err = a.Flows.Catalogue.Publish(s.t.Context(), tx, o, "system", now); err != nil {
			return err
		}
		_, err = a.Flows.Catalogue.SetState(s.t.Context(), tx, o, catalogue.Scheduled, now)
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
}

func inRoom(ctx context.Context, h *http.Client, method, addr string, offer id.Offer, query string, body []byte) (queuePlace, error) {
	var p queuePlace
	a, err := call(ctx, h, method, "http://"+addr+"/api/v1/offers/"+string(offer)+"/ticket"+query, nil, body)
	if err == nil && a.status != 200 {
		err = fmt.Errorf("%s", a)
	}
	if err == nil {
		err = json.Unmarshal(a.raw, &p)
	}
	return p, err
}

func placeWith(ctx context.Context, h *http.Client, addr, key string, offer id.Offer, ticket string) (*answer, error) {
	body := bytes.Replace(orderBody(offer, 1), []byte(`"quantity"`), fmt.Appendf(nil, `"ticket":%q,"quantity"`, ticket), 1)
	return call(ctx, h, "POST", "http://"+addr+"/api/v1/orders", map[string]string{"Idempotency-Key": key}, body)
}

var admittedNow = db.SQL("e2e.admitted", `SELECT admitted FROM waiting_rooms`)

// flashSale is what became of it.
type flashSale struct {
	sync.Mutex
	sold, told, used int
	codes            map[string]id.Order
}

// TestAFlashSale: 500 buyers want one of 50 units that go on sale at a moment, most of them
// waiting for it. Exactly 50 get one, each with a code of its own; all others are told that
// it is sold out; nobody comes in past the room, nor twice by one place, nor faster than
// the room lets in.
func TestAFlashSale(t *testing.T) {
	const units, buyers, early, perMinute = 50, 500, 400, 1200
	if _, err := buildHufu(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s := openShop(t, dbtest.Store(t, kind), offering{units})
			offer, opens := s.offers[0], time.Now().Add(6*time.Second)
			s.flash(offer, opens, catalogue.Room{PerMinute: perMinute, Minutes: 5})
			all := []*server{s.serve()}
			if kind == "postgres" {
				all = append(all, s.serve())
			}
			h := newHTTP()
			sale := &flashSale{codes: map[string]id.Order{}}
			opened := make(chan struct{})
			var wait sync.WaitGroup
			for i := range buyers {
				addr, other := all[i%len(all)].addr, all[(i+1)%len(all)].addr
				wait.Go(func() {
					if i >= early {
						select {
						case <-opened:
						case <-ctx.Done():
						}
					}
					if err := sale.buyer(ctx, h, addr, other, offer, i, i < early); err != nil {
						t.Errorf("buyer %d: %v", i, err)
					}
				})
			}
			until(t, "the sale begins", func() bool {
				a, err := call(ctx, h, "GET", "http://"+all[0].addr+"/api/v1/offers/"+string(offer), nil, nil)
				return err == nil && a.State == "live"
			})
			close(opened)
			// Within the seconds in which nobody is let in yet, units are left and none is given.
			for ticket, want := range map[string]string{"": "room.wait", "forged": "room.ticket"} {
				if a, err := placeWith(ctx, h, all[0].addr, "past-the-room-"+ticket, offer, ticket); err != nil || a.Code != want {
					t.Errorf("an order with the ticket %q: %v, %v", ticket, err, a)
				}
			}
			wait.Wait()
			took := time.Since(opens)
			if sale.sold != units || sale.told != buyers-units || len(sale.codes) != units || sale.used == 0 {
				t.Errorf("%d sold, %d told that it is sold out, %d codes, %d second orders refused", sale.sold, sale.told, len(sale.codes), sale.used)
			}
			d := s.open()
			s.ask(d, admittedNow, func(scan func(...any) error) error {
				var n int64
				err := scan(&n)
				if most := int64(took.Seconds()*perMinute/60) + 1; n < units || n > most {
					t.Errorf("%d were let in within %s, want %d at least and %d at most", n, took, units, most)
				}
				return err
			})
			s.verify()
		})
	}
}

// buyer lines up, waits, orders and pays.
func (f *flashSale) buyer(ctx context.Context, h *http.Client, addr, other string, offer id.Offer, i int, early bool) error {
	device := fmt.Appendf(nil, `{"device":"an application's secret %d"}`, i)
	place, err := inRoom(ctx, h, "POST", addr, offer, "", device)
	if err != nil {
		return err
	}
	if early && i%10 == 0 { // to come again, at another node as well, draws no other place
		again, err := inRoom(ctx, h, "POST", other, offer, "", device)
		if err != nil || again.Ticket != place.Ticket {
			return fmt.Errorf("drawn again: %w, %+v and %+v", err, place, again)
		}
	}
	poll := time.NewTicker(300 * time.Millisecond)
	defer poll.Stop()
	for place.State != "let_in" && !place.SoldOut {
		if place.State == "over" {
			return fmt.Errorf("%+v", place)
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("still %+v: %w", place, ctx.Err())
		}
		if place, err = inRoom(ctx, h, "GET", other, offer, "?ticket="+place.Ticket, nil); err != nil {
			return err
		}
	}
	if place.State != "let_in" {
		f.refused("sold out")
		return nil
	}
	// Two orders at once by one place, on two nodes.
	var two [2]*answer
	var both sync.WaitGroup
	for n, at := range []string{addr, other} {
		both.Go(func() {
			a, e := placeWith(ctx, h, at, fmt.Sprintf("flash-sale-buyer-%d-%d", i, n), offer, place.Ticket)
			if e != nil {
				a = &answer{raw: []byte(e.Error())}
			}
			two[n] = a
		})
	}
	both.Wait()
	var bought *answer
	for _, a := range two {
		switch {
		case a.status == 201 && bought == nil:
			bought = a
		case a.status == 409 && a.Code == "room.used":
			f.refused(a.Code)
		case a.status == 409 && (a.Code == "order.sold_out" || a.Code == "room.wait"): // another node has not heard yet
		default:
			return fmt.Errorf("placed %s and %s", two[0], two[1])
		}
	}
	if bought == nil {
		if two[0].Code != "order.sold_out" && two[1].Code != "order.sold_out" {
			return fmt.Errorf("refused with %s and %s", two[0], two[1])
		}
		f.refused("sold out")
		return nil
	}
	if n, err := paid(ctx, h, other, bought.Payment.Intent, fmt.Sprint("flash-sale-", i), bought.Total.Minor); err != nil || !n.taken() {
		return fmt.Errorf("notice: %w, %s", err, n)
	}
	r, err := reveal(ctx, h, addr, bought.ID, bought.Token, fmt.Sprint("flash-sale-reveal-", i))
	if err != nil || r.status != 200 || len(r.Rights) != 1 {
		return fmt.Errorf("codes: %w, %s", err, r)
	}
	f.Lock()
	defer f.Unlock()
	f.sold++
	f.codes[r.Rights[0].Code] = bought.ID
	return nil
}

func (f *flashSale) refused(why string) {
	f.Lock()
	defer f.Unlock()
	if why == "sold out" {
		f.told++
	} else {
		f.used++
	}
}
