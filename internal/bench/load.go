package bench

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Percentiles of a set of times, in milliseconds.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

func percentiles(all []time.Duration) Percentiles {
	if len(all) == 0 {
		return Percentiles{}
	}
	slices.Sort(all)
	at := func(p float64) float64 {
		i := min(int(p*float64(len(all))), len(all)-1)
		return float64(all[i].Microseconds()) / 1000
	}
	return Percentiles{at(0.50), at(0.95), at(0.99)}
}

// load runs clients side by side for a time. Each calls once again and again until the
// time is over; once returns an error to have it counted. It returns how long it really
// took.
func load(ctx context.Context, clients int, d time.Duration, once func(ctx context.Context, client int) error) (done, failed int64, took time.Duration, firstErr error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := time.Now()
	for i := range clients {
		wg.Go(func() {
			var ok, bad int64
			var first error
			for ctx.Err() == nil {
				if err := once(ctx, i); err != nil {
					bad++
					if first == nil {
						first = err
					}
					continue
				}
				ok++
			}
			mu.Lock()
			defer mu.Unlock()
			done, failed = done+ok, failed+bad
			if firstErr == nil {
				firstErr = first
			}
		})
	}
	wg.Wait()
	return done, failed, time.Since(start), firstErr
}
