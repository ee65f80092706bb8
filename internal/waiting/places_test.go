package waiting

import (
	"encoding/binary"
	"testing"
	"time"
)

// Who asks again stands in a room once, before the opening and after it; a sale that was moved
// begins anew.
func TestADeviceStandsOnce(t *testing.T) {
	for name, at := range map[string]time.Time{"before": opens.Add(-time.Minute), "after": opens.Add(time.Minute)} {
		s := New(make([]byte, 32))
		first := s.Join(terms(60), "mine", at)
		other := s.Join(terms(60), "other", at.Add(time.Second))
		again := s.Join(terms(60), "mine", at.Add(2*time.Second))
		if again != first || other.Place.Equal(first.Place) {
			t.Errorf("%s: %+v, then %+v", name, first, again)
		}
		var given int64
		for _, n := range s.room(terms(60), at).given {
			given += n
		}
		if given != 2 {
			t.Errorf("%s: %d stand in the room of two", name, given)
		}
		moved := terms(60)
		moved.Opens = opens.Add(time.Hour)
		if later := s.Join(moved, "mine", at.Add(3*time.Second)); later.Place.Before(moved.Opens) {
			t.Errorf("%s: the place of another sale: %+v", name, later)
		}
	}
}

// However many devices come, so many are remembered and not more than twice as many.
func TestPlacesAreBounded(t *testing.T) {
	var p places
	var who [16]byte
	for i := range uint64(5 * mostPlaces) {
		binary.BigEndian.PutUint64(who[:], i)
		p.keep(who, opens)
		if i >= mostPlaces {
			binary.BigEndian.PutUint64(who[:], i-mostPlaces+1)
			if _, ok := p.of(who); !ok {
				t.Fatalf("%d of %d is forgotten", i-mostPlaces+1, i)
			}
		}
	}
	if n := len(p.newer) + len(p.older); n > 2*mostPlaces {
		t.Errorf("%d are remembered", n)
	}
}
