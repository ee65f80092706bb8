package waiting

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hufu/internal/fault"
	"hufu/internal/id"
)

var (
	key   = bytes.Repeat([]byte{7}, 32)
	opens = time.Date(2026, 11, 11, 2, 0, 0, 0, time.UTC)
)

func terms(perMinute int64) Terms {
	return Terms{Offer: "off_1", Opens: opens, PerMinute: perMinute, Stay: 5 * time.Minute}
}

func TestATicketIsWhatWasSigned(t *testing.T) {
	s := New(key)
	rapid.Check(t, func(t *rapid.T) {
		ticket := s.Join(terms(60), rapid.String().Draw(t, "device"), opens.Add(time.Duration(rapid.Int64Range(-1e9, 1e12).Draw(t, "after"))))
		text := s.Text(ticket)
		if got, err := s.Read("off_1", text); err != nil || got.key() != ticket.key() || got.Place.UnixMicro() != ticket.Place.UnixMicro() {
			t.Fatalf("read %+v, %v", got, err)
		}
		spoiled := []byte(text)
		at := rapid.IntRange(0, len(spoiled)-1).Draw(t, "at")
		spoiled[at] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[rapid.IntRange(0, 63).Draw(t, "letter")]
		if got, err := s.Read("off_1", string(spoiled)); err == nil && string(spoiled) != text {
			t.Fatalf("a forged ticket was read: %+v", got)
		}
		for _, offer := range []id.Offer{"off_2", ""} {
			if _, err := s.Read(offer, text); fault.CodeOf(err) != "room.ticket" {
				t.Fatalf("a ticket to another offer: %v", err)
			}
		}
		if _, err := New(bytes.Repeat([]byte{8}, 32)).Read("off_1", text); err == nil {
			t.Fatal("another shop's ticket was read")
		}
	})
}

func TestForgedTexts(t *testing.T) {
	s := New(key)
	rapid.Check(t, func(t *rapid.T) {
		if _, err := s.Read("off_1", rapid.String().Draw(t, "text")); err == nil {
			t.Fatal("read")
		}
	})
}

// In the opening second a place is drawn: whoever comes again, or first, or on another node,
// has the same; and nobody's is better for coming early.
func TestTheOpeningIsALottery(t *testing.T) {
	a, b := New(key), New(key)
	const n = 4000
	var late, early float64
	places := map[int64]bool{}
	for i := range n {
		device := fmt.Sprint("device-", i)
		came := opens.Add(-time.Hour + time.Duration(i)*time.Millisecond)
		if i >= n/2 {
			came = opens.Add(time.Duration(i-n/2) * 400 * time.Microsecond)
		}
		one, two := a.Join(terms(60), device, came), b.Join(terms(60), device, opens.Add(999*time.Millisecond))
		if !one.Place.Equal(two.Place) || one.ID != two.ID {
			t.Fatalf("drawn twice: %s and %s", one.Place, two.Place)
		}
		in := one.Place.Sub(opens)
		if in < 0 || in >= opening {
			t.Fatalf("drawn %s after the opening", in)
		}
		places[one.Place.UnixMicro()] = true
		if i < n/2 {
			early += in.Seconds()
		} else {
			late += in.Seconds()
		}
	}
	// The mean of 2,000 uniform draws deviates by 0.0065 in the standard deviation.
	if mean := early / (n / 2); math.Abs(mean-0.5) > 0.035 {
		t.Errorf("who comes before the opening is at %.3f of the second", mean)
	}
	if mean := late / (n / 2); math.Abs(mean-0.5) > 0.035 {
		t.Errorf("who comes in the opening second is at %.3f of it", mean)
	}
	if len(places) < n*99/100 {
		t.Errorf("%d of %d places differ", len(places), n)
	}
}

// After the opening second tickets are in the order of coming, and behind all that was let in.
func TestLaterComersStandInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New(key)
		now, last := opens.Add(opening), time.Time{}
		for i := range rapid.IntRange(1, 50).Draw(t, "comers") {
			now = now.Add(time.Duration(rapid.Int64Range(-1e6, 1e8).Draw(t, "after"))) // a clock may step back
			if now.Before(opens.Add(opening)) {
				now = opens.Add(opening)
			}
			place := s.Join(terms(60), fmt.Sprint(i), now).Place
			if !place.After(last) {
				t.Fatalf("%s comes after %s and stands before it", place, last)
			}
			last = place
		}
	})
}

// However many wait and whenever time is turned into places, no stretch lets in more than its
// rate and what may be saved up; everybody is let in at last, in the order of their places.
func TestTheFrontierKeepsTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		perMinute := rapid.Int64Range(1, 60_000).Draw(t, "rate")
		counts := map[int64]int64{}
		var total int64
		for range rapid.IntRange(1, 60).Draw(t, "buckets") {
			b := bucketOf(opens) + rapid.Int64Range(0, 20_000).Draw(t, "at")
			n := rapid.Int64Range(1, 400).Draw(t, "n")
			counts[b] += n
			total += n
		}
		row := Row{Frontier: opens.Add(-time.Microsecond), MovedAt: opens}
		now := opens
		type let struct {
			at time.Time
			n  int64
		}
		var moves []let
		for range 400 {
			now = now.Add(time.Duration(rapid.Int64Range(1, 3e9).Draw(t, "tick")))
			next, changed := advance(row, counts, perMinute, now)
			if next.Frontier.Before(row.Frontier) || next.Admitted < row.Admitted || changed != (next != row) || next.MovedAt.After(now) {
				t.Fatalf("from %+v to %+v", row, next)
			}
			if next.Frontier.After(row.Frontier) && next.Frontier.After(now.Add(-lag).Add(time.Millisecond)) {
				t.Fatalf("the frontier %s is ahead of %s", next.Frontier, now)
			}
			if next.Admitted > row.Admitted {
				moves = append(moves, let{now, next.Admitted - row.Admitted})
			}
			row = next
			var passed int64
			for b, n := range counts {
				if b <= bucketOf(row.Frontier) {
					passed += n
				}
			}
			if passed != row.Admitted {
				t.Fatalf("%d were let in, and %d counted", passed, row.Admitted)
			}
		}
		each := time.Minute / time.Duration(perMinute)
		for i := range moves {
			var n int64
			for _, m := range moves[i:] {
				n += m.n
				// What a bucket holds was saved up for before its first ticket is let in.
				saved := burst + time.Duration(maxOf(counts))*each
				if spent := m.at.Sub(moves[i].at) + saved + 3*time.Second; time.Duration(n)*each > spent {
					t.Fatalf("%d were let in within %s at %d a minute", n, m.at.Sub(moves[i].at), perMinute)
				}
			}
		}
		if end := now.Add(time.Duration(total+1)*each + lag + burst); true {
			for now = end; row.Admitted < total && now.Sub(end) < time.Duration(total+1)*each+time.Hour; now = now.Add(burst) {
				row, _ = advance(row, counts, perMinute, now)
			}
		}
		if row.Admitted != total {
			t.Fatalf("%d of %d were let in at last", row.Admitted, total)
		}
	})
}

func maxOf(counts map[int64]int64) (most int64) {
	for _, n := range counts {
		most = max(most, n)
	}
	return most
}

// Who is ahead of a place is who stands before it: the sum over all, whatever the buckets.
func TestAheadCountsThoseBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := map[int64]int64{}
		for range rapid.IntRange(0, 30).Draw(t, "buckets") {
			counts[bucketOf(opens)+rapid.Int64Range(-100, 1000).Draw(t, "at")] += rapid.Int64Range(1, 9).Draw(t, "n")
		}
		q := newQueue(Row{Frontier: opens}, nil, counts)
		place := opens.Add(time.Duration(rapid.Int64Range(1, 2000).Draw(t, "place")) * time.Millisecond)
		var want int64
		for b, n := range counts {
			switch {
			case b <= bucketOf(opens):
			case b < bucketOf(place):
				want += n
			case b == bucketOf(place):
				want += n / 2
			}
		}
		if got := q.ahead(place); got != want {
			t.Fatalf("%d are ahead, want %d", got, want)
		}
	})
}

func TestSinceWhenAPlaceIsIn(t *testing.T) {
	steps := []Step{{opens.Add(3 * time.Second), opens.Add(time.Second)}, {opens.Add(4 * time.Second), opens.Add(2 * time.Second)}}
	q := newQueue(Row{Frontier: opens.Add(2 * time.Second), MovedAt: opens.Add(4 * time.Second)}, steps, nil)
	for place, want := range map[time.Duration]time.Duration{500 * time.Millisecond: 3 * time.Second, time.Second: 3 * time.Second, time.Second + 1: 4 * time.Second} {
		if since, ok := q.in(opens.Add(place)); !ok || since.Sub(opens) != want {
			t.Errorf("%s is in since %s, %v", place, since.Sub(opens), ok)
		}
	}
	if _, ok := q.in(opens.Add(3 * time.Second)); ok {
		t.Error("a place behind the frontier is in")
	}
	if since, ok := newQueue(q.row, nil, nil).in(opens); !ok || !since.IsZero() {
		t.Error("a place of long ago is in since lately")
	}
	if !slices.IsSortedFunc(q.steps, func(a, b Step) int { return a.At.Compare(b.At) }) {
		t.Error("steps out of order")
	}
}

// After a pause of all processes with people waiting, no crowd may be let in at once.
func TestAPauseOfAllProcessesLetsNoCrowdIn(t *testing.T) {
	now := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	at := now.Add(-2 * time.Hour)
	counts := map[int64]int64{}
	for i := range int64(6000) {
		counts[bucketOf(at)+1+i] = 1
	}
	row, _ := advance(Row{Frontier: at, MovedAt: now.Add(-time.Hour)}, counts, 60, now)
	if row.Admitted == 0 || row.Admitted > 5 {
		t.Errorf("%d are let in at one moment at 60 a minute", row.Admitted)
	}
}
