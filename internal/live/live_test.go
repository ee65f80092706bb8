package live

import (
	"context"
	"errors"
	"sync"
	"testing"

	"hufu/internal/id"
)

func told(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestPublishWakesWhoWaitsForThatOrder(t *testing.T) {
	h := New()
	a, stopA, _ := h.Watch("ord_a")
	b, stopB, _ := h.Watch("ord_b")
	defer stopB()
	h.Publish("ord_a")
	h.Publish("ord_a") // nobody read between: one news
	if !told(a) || told(a) || told(b) {
		t.Error("the wrong page woke, or woke twice")
	}
	stopA()
	stopA() // twice is once
	h.Publish("ord_a")
	if told(a) || len(h.Watched()) != 1 {
		t.Error("who left is still there")
	}
}

// One question for all that are waited for, and none when nobody waits.
func TestPollFindsWhatOthersChanged(t *testing.T) {
	h := New()
	asked := 0
	states := map[id.Order]string{"ord_a": "pending", "ord_b": "pending"}
	ask := func(_ context.Context, ids []id.Order) (map[id.Order]string, error) {
		asked++
		out := map[id.Order]string{}
		for _, o := range ids {
			out[o] = states[o]
		}
		return out, nil
	}
	poll := func() {
		t.Helper()
		if err := h.Poll(t.Context(), ask); err != nil {
			t.Fatal(err)
		}
	}
	poll()
	if asked != 0 {
		t.Error("asked though nobody waits")
	}
	a, stopA, _ := h.Watch("ord_a")
	b, stopB, _ := h.Watch("ord_b")
	defer stopA()
	defer stopB()
	poll()
	if asked != 1 || !told(a) || !told(b) {
		t.Error("the first sight is no news: a change between page and watch would be lost")
	}
	poll()
	if told(a) || told(b) {
		t.Error("no change is news")
	}
	states["ord_b"] = "fulfilled"
	poll()
	if told(a) || !told(b) {
		t.Error("the change isn't told, or to the wrong page")
	}
	failed := errors.New("down")
	if err := h.Poll(t.Context(), func(context.Context, []id.Order) (map[id.Order]string, error) { return nil, failed }); !errors.Is(err, failed) {
		t.Errorf("a failure is %v", err)
	}
}

func TestCloseEndsEveryWait(t *testing.T) {
	h := New()
	a, stop, _ := h.Watch("ord_a")
	h.Close()
	if _, open := <-a; open {
		t.Error("the wait goes on")
	}
	stop()
	h.Publish("ord_a")
	if _, _, err := h.Watch("ord_a"); err == nil {
		t.Error("a closed hub takes watchers")
	}
}

func TestHubIsSafeForManyAtOnce(t *testing.T) {
	h := New()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			o := id.Order([]string{"ord_a", "ord_b"}[i%2])
			for range 200 {
				c, stop, err := h.Watch(o)
				if err != nil {
					t.Error(err)
					return
				}
				h.Publish(o)
				_ = h.Poll(t.Context(), func(context.Context, []id.Order) (map[id.Order]string, error) {
					return map[id.Order]string{o: "x"}, nil
				})
				<-c
				stop()
			}
		})
	}
	all.Wait()
	if h.n != 0 || len(h.waiting) != 0 || len(h.state) != 0 {
		t.Errorf("left behind: %d watchers, %d orders, %d states", h.n, len(h.waiting), len(h.state))
	}
}
