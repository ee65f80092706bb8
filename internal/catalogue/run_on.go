package catalogue

import (
	"time"

	"hufu/internal/id"
)

// RunOn gives, of holdings that extend others, until when each runs when one follows the other:
// those for which that is later than their own end. It is what a Finding promised as Then.
func RunOn(held []Holding, relations []Relation) map[id.Right]time.Time {
	own := make(map[id.Right]time.Time, len(held))
	for _, h := range held {
		own[h.Right] = h.Ends
	}
	out := map[id.Right]time.Time{}
	for _, h := range lined(held, relations) {
		if h.Ends.After(own[h.Right]) {
			out[h.Right] = h.Ends
		}
	}
	return out
}
