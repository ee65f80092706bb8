package flow

import (
	"strconv"
	"testing"

	"hufu/internal/order"
)

// The set of placed requests never misses one, takes few for one that are not, and takes
// the memory it says.
func TestKeySet(t *testing.T) {
	const members, strangers = 300_000, 100_000
	key := func(kind string, i int) order.KeyOf {
		return order.KeyOf{Scope: "guest", Key: kind + strconv.Itoa(i)}
	}
	var s keySet
	for i := range members {
		s.add(key("placed", i), key("placed", i/2)) // one is told of twice
	}
	for i := range members {
		if !s.has(key("placed", i)) {
			t.Fatalf("%d is missed", i)
		}
	}
	wrong := 0
	for i := range strangers {
		if s.has(key("fresh", i)) || s.has(order.KeyOf{Scope: "member", Key: "placed" + strconv.Itoa(i)}) {
			wrong++
		}
	}
	if wrong > 2*strangers/330 { // two of a thousand are expected; by its seed no run is like another
		t.Errorf("%d of %d strangers are taken for members", wrong, 2*strangers)
	}
	bytes := 0
	for _, p := range *s.parts.Load() {
		bytes += len(p.blocks) * 64
	}
	if per := float64(bytes) / members; per > 4 {
		t.Errorf("%.1f bytes a member", per)
	}
}
