package payment

import (
	"strconv"
	"strings"
	"time"
)

// AskAfter is when, from its beginning on, a gateway is asked about a payment of which
// nothing was heard (P2): soon, then ever more seldom. When its time is over it is asked once
// more, before it is closed.
var AskAfter = []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
	20 * time.Minute, 40 * time.Minute}

// silentTooLong is true of an intent when a moment of AskAfter has passed, as of $1, since
// it was asked about.
func silentTooLong() string {
	var any []string
	for _, d := range AskAfter {
		after := strconv.FormatInt(d.Microseconds(), 10)
		any = append(any, "(created_at + "+after+" <= $1 AND polled_at < created_at + "+after+")")
	}
	return strings.Join(any, " OR ")
}
