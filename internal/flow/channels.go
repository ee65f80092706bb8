package flow

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"hufu/internal/paygate"
)

// channels are the gateways that aren't offered yet.
type channels struct {
	mu       sync.Mutex
	withheld map[string]Channel
	tested   map[string]time.Time
}

// Channel is a gateway and what is known of its keys.
type Channel struct {
	Name     string
	Account  string    // the merchant account money arrives at
	Offered  bool      // new orders may be paid through it
	TestedAt time.Time // of the last self-test; the zero time when there was none
	Why      error     // why it isn't offered: a fault
}

// Withhold adds a gateway that takes no new order until its keys have passed their self-test.
// Notices, queries and refunds of what was paid before go on all the while (P6, S26).
func (f *Flows) Withhold(g paygate.Gateway) {
	f.Gateways[g.Name()] = g
	f.channels.mu.Lock()
	defer f.channels.mu.Unlock()
	if f.channels.withheld == nil {
		f.channels.withheld, f.channels.tested = map[string]Channel{}, map[string]time.Time{}
	}
	f.channels.withheld[g.Name()] = Channel{Name: g.Name(), Account: g.Account()}
}

// TestChannels has every withheld gateway test its keys, and offers those that pass. It reports
// what it tested.
func (f *Flows) TestChannels(ctx context.Context) []Channel {
	f.channels.mu.Lock()
	waiting := slices.Sorted(maps.Keys(f.channels.withheld))
	f.channels.mu.Unlock()
	out := make([]Channel, len(waiting))
	var all sync.WaitGroup
	for i, name := range waiting {
		all.Go(func() {
			patient, cancel := context.WithTimeout(ctx, 2*f.Patience)
			defer cancel()
			g := f.Gateways[name]
			c := Channel{Name: name, Account: g.Account(), Why: g.SelfTest(patient), TestedAt: f.Clock.Now()}
			f.channels.mu.Lock()
			defer f.channels.mu.Unlock()
			if c.Offered = c.Why == nil; c.Offered {
				delete(f.channels.withheld, name)
			} else {
				f.channels.withheld[name] = c
			}
			f.channels.tested[name] = c.TestedAt
			out[i] = c
		})
	}
	all.Wait()
	return out
}

// Channels are all gateways in the order of their names.
func (f *Flows) Channels() []Channel {
	f.channels.mu.Lock()
	defer f.channels.mu.Unlock()
	out := make([]Channel, 0, len(f.Gateways))
	for _, name := range slices.Sorted(maps.Keys(f.Gateways)) {
		c, withheld := f.channels.withheld[name]
		if !withheld {
			c = Channel{Name: name, Account: f.Gateways[name].Account(), Offered: true, TestedAt: f.channels.tested[name]}
		}
		out = append(out, c)
	}
	return out
}

// Offered are the names of the gateways through which new orders may be paid.
func (f *Flows) Offered() []string {
	var out []string
	for _, c := range f.Channels() {
		if c.Offered {
			out = append(out, c.Name)
		}
	}
	return out
}

// Offers tells whether new orders may be paid through a gateway.
func (f *Flows) Offers(name string) bool {
	if _, known := f.Gateways[name]; !known {
		return false
	}
	f.channels.mu.Lock()
	defer f.channels.mu.Unlock()
	_, withheld := f.channels.withheld[name]
	return !withheld
}
