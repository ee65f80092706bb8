package web

import (
	"context"
	"html/template"
	"net/http"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/httpx"
	"hufu/internal/id"
	"hufu/internal/order"
	"hufu/internal/payment"
	"hufu/internal/web/ui"
)

// waitCookie names the order whose payment this browser waits for, so that the moment at
// which it is confirmed is celebrated once.
const waitCookie = "hufu_wait"

type payView struct {
	ui.Page
	Order    *order.Order
	Names    []string
	Cashier  string // address of the gateway's page
	QR       template.HTML
	Scan     string // key of what to scan it with
	Bridge   string // parameters for the channel's app, JSON
	Link     string // what the QR code says, when a browser can open it
	Balance  bool   // it is paid from the member's balance
	Problem  string // why there is no cashier
	Deadline time.Time
}

// pay leads to the gateway's cashier. The order and its payment number are kept, so coming
// back here, or reloading, never makes a second payment.
func (s *Web) pay(w http.ResponseWriter, r *http.Request) error {
	o, intent, names, _, err := s.payable(r)
	if err != nil {
		return err
	}
	if o.State != order.Pending || intent == nil || !s.now().Before(o.ExpiresAt) {
		http.Redirect(w, r, "/orders/"+string(o.ID), http.StatusSeeOther)
		return nil
	}
	s.setCookie(w, waitCookie, string(o.ID), 3600)
	v := &payView{Order: o, Names: names, Deadline: o.ExpiresAt}
	v.Page = ui.Page{Section: "orders", Title: say(r, "shop.paying.to_cashier"), Private: true, DraftDone: "checkout"}
	status := http.StatusOK
	if intent.Gateway == payment.Balance {
		v.Balance, v.Title = true, say(r, "shop.pay.balance")
		if r.URL.Query().Has("low") {
			v.Problem = say(r, "fault.ledger.insufficient")
		}
		s.ui.Render(w, r, status, "shop/pay", v)
		return nil
	}
	c, err := s.cashier(w, r, o, intent)
	if err == nil {
		err = v.show(w, r, intent.Gateway, c)
	}
	if err != nil {
		s.Log.WarnContext(r.Context(), "the cashier can't be reached", "trace", httpx.CallerOf(r.Context()).Trace, "gateway", intent.Gateway, "order", o.ID, "error", err)
		v.Problem, status = say(r, "shop.paying.no_cashier"), http.StatusServiceUnavailable
		if f := fault.From(err); f.Kind == fault.Conflict || f.Kind == fault.Gone { // what the shopper can do something about
			v.Problem, status = ui.LangOf(r).Fault(f), http.StatusConflict
		}
	}
	s.ui.Render(w, r, status, "shop/pay", v)
	return nil
}

// payable loads an order with its latest intent and the names of what it buys. While a
// payment that doesn't match is here there is no intent, and its amount comes last.
func (s *Web) payable(r *http.Request) (*order.Order, *payment.Intent, []string, string, error) {
	oid, err := s.mayHold(r)
	if err != nil {
		return nil, nil, nil, "", err
	}
	var o *order.Order
	var intent *payment.Intent
	var names []string
	held := ""
	lang := ui.LangOf(r)
	err = s.Flows.DB.View(r.Context(), func(tx *db.Tx) error {
		var err error
		if o, err = s.Flows.Orders.One(r.Context(), tx, oid); err != nil {
			return err
		}
		intents, err := s.Flows.Payments.IntentsOf(r.Context(), tx, []id.Order{oid})
		if err != nil {
			return err
		}
		for _, p := range intents[oid] {
			if p.State == payment.Pending {
				intent = p
			}
		}
		var ids []id.OfferVersion
		for _, l := range o.Lines {
			ids = append(ids, l.Version)
		}
		unmatched, err := s.unmatched(r.Context(), tx, o)
		if err != nil {
			return err
		}
		if held = ""; unmatched != nil {
			held, intent = unmatched.Amount.String(), nil
		}
		versions, err := s.Flows.Catalogue.Versions(r.Context(), tx, ids)
		names = nil
		for _, l := range o.Lines {
			names = append(names, lineName(lang, versions[l.Version], l.Quantity))
		}
		return err
	})
	return o, intent, names, held, err
}

// A payment that isn't confirmed after slow is said to be so; the page goes on asking.
const slow = 60 * time.Second

type payingView struct {
	ui.Page
	Order  *order.Order
	Names  []string
	Since  int64 // Unix seconds since when this page waits
	Slow   bool
	Closed bool // the order takes no payment any more
	// Unmatched is the amount of a payment that came and doesn't match, "" when there is none.
	Unmatched string
}

// paying is where the gateway sends the shopper back to. Its address proves nothing: the
// gateway is asked, and the page waits until the payment is booked (S25).
func (s *Web) paying(w http.ResponseWriter, r *http.Request) error {
	v, done, err := s.wait(r, true)
	if err != nil {
		return err
	}
	if done {
		http.Redirect(w, r, "/orders/"+string(v.Order.ID), http.StatusSeeOther)
		return nil
	}
	v.Page = ui.Page{Section: "orders", Title: say(r, "shop.paying.title"), Private: true, DraftDone: "checkout"}
	s.ui.Render(w, r, http.StatusOK, "shop/paying", v)
	return nil
}

// payingState is the part of the page that changes while it waits.
func (s *Web) payingState(w http.ResponseWriter, r *http.Request) error {
	in, err := query(r)
	if err != nil {
		return err
	}
	_, whole := in.number("ask", 1, 1)
	v, done, err := s.wait(r, whole)
	if err != nil {
		return err
	}
	if done {
		w.Header().Set("Hufu-Done", "1")
		w.Header().Set("Hufu-Location", "/orders/"+string(v.Order.ID))
	}
	s.ui.Fragment(w, r, http.StatusOK, "shop/paying", "state", v)
	return nil
}

// wait looks whether an order is paid, having asked the gateway when ask is set and it
// wasn't yet.
func (s *Web) wait(r *http.Request, ask bool) (*payingView, bool, error) {
	o, intent, names, held, err := s.payable(r)
	if err != nil {
		return nil, false, err
	}
	if ask && o.PaidAt.IsZero() && intent != nil {
		// The answer is booked by the flow; when there is none the page keeps waiting.
		if err := s.poll(r.Context(), o.ID); err != nil {
			s.Log.WarnContext(r.Context(), "the gateway could not be asked", "trace", httpx.CallerOf(r.Context()).Trace, "order", o.ID, "error", err)
		}
		if o, _, names, held, err = s.payable(r); err != nil {
			return nil, false, err
		}
	}
	in, err := query(r)
	if err != nil {
		return nil, false, err
	}
	now := s.now()
	v := &payingView{Order: o, Names: names, Closed: o.State == order.Cancelled || o.State == order.Expired, Unmatched: held}
	var ok bool
	if v.Since, ok = in.number("since", 1, now.Unix()); !ok {
		v.Since = now.Unix()
	}
	v.Slow = now.Sub(time.Unix(v.Since, 0)) >= slow
	return v, !o.PaidAt.IsZero(), nil
}

// How often a gateway is asked while somebody waits: often in the first minute, seldom
// after it, and never more often than that however many pages wait for the order.
const (
	askOften  = flow.PollEvery
	askSeldom = 15 * time.Second
	pollTime  = 4 * time.Second // how long an answer is waited for
)

func (s *Web) poll(ctx context.Context, o id.Order) error {
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	return s.Flows.PollWaiting(ctx, o)
}

const (
	beat       = 15 * time.Second // so that proxies keep an idle stream open
	streamTime = 5 * time.Minute  // then the browser connects anew by itself
)

// events tells a waiting page the moment its order changes. With ?ask=1 the gateway is
// asked meanwhile: the page is that of somebody who comes from its cashier.
func (s *Web) events(w http.ResponseWriter, r *http.Request) {
	ui.Headers(w.Header())
	o, err := s.mayHold(r)
	if err == nil {
		err = s.stream(w, r, o)
	}
	if err != nil {
		s.Fail(w, r, err)
	}
}

func (s *Web) stream(w http.ResponseWriter, r *http.Request, o id.Order) error {
	in, err := query(r)
	if err != nil {
		return err
	}
	_, ask := in.number("ask", 1, 1)
	changed, stop, err := s.Live.Watch(o)
	if err != nil {
		return err
	}
	defer stop()
	ctx, cancel := context.WithTimeout(r.Context(), streamTime)
	defer cancel()
	states, err := s.States(ctx, []id.Order{o})
	if err != nil {
		return err
	}
	was := states[o]
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // the server's is for reading a request, not for a stream's life
	send := func(text string) bool {
		_ = out.SetWriteDeadline(time.Now().Add(10 * time.Second)) // a recorder has none
		_, err := w.Write([]byte(text))
		return err == nil && out.Flush() == nil
	}
	done := "event: done\ndata: /orders/" + string(o) + "\n\n"
	if paid(was) {
		send(done)
		return nil
	}
	if !send("retry: 3000\n\n") {
		return nil
	}
	began := time.Now()
	tick, late := time.NewTicker(beat), time.NewTimer(slow)
	defer tick.Stop()
	defer late.Stop()
	next := time.NewTimer(askOften)
	defer next.Stop()
	if !ask {
		next.Stop()
	}
	for {
		alive := true
		select {
		case _, open := <-changed:
			if !open {
				return nil
			}
			states, err := s.States(ctx, []id.Order{o})
			if err != nil {
				continue // the next change, or the page's own question, will tell
			}
			is := states[o]
			if paid(is) && !paid(was) {
				send(done)
				return nil
			}
			if is != was {
				alive = send("event: update\ndata: " + is + "\n\n")
			}
			was = is
		case <-next.C:
			go func() {
				if err := s.poll(ctx, o); err != nil && ctx.Err() == nil {
					s.Log.WarnContext(ctx, "the gateway could not be asked", "trace", httpx.CallerOf(ctx).Trace, "order", o, "error", err)
				}
			}()
			wait := askOften
			if time.Since(began) > slow {
				wait = askSeldom
			}
			next.Reset(wait)
		case <-late.C:
			alive = send("event: update\ndata: slow\n\n")
		case <-tick.C:
			alive = send(": \n\n")
		case <-ctx.Done():
			alive = false
		}
		if !alive {
			return nil
		}
	}
}

// States tells how orders stand, in one query; the hub asks it for all that are waited for.
func (s *Web) States(ctx context.Context, orders []id.Order) (map[id.Order]string, error) {
	var out map[id.Order]string
	err := s.Flows.DB.View(ctx, func(tx *db.Tx) error {
		found, err := s.Flows.Orders.States(ctx, tx, orders)
		out = make(map[id.Order]string, len(found))
		for o, st := range found {
			out[o] = string(st)
		}
		return err
	})
	return out, err
}

// paid reports whether an order in that state was paid.
func paid(state string) bool {
	switch order.State(state) {
	case order.Fulfilled, order.Part, order.Shortage, order.Refunded:
		return true
	}
	return false
}
