package bench

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cost is the processor time that purchases have taken so far, in seconds, by process: the
// server, and of a store on PostgreSQL the sessions it has there, if the database runs on this
// machine. A session bears its database's name in its title.
func cost(server *process, store string) map[int]float64 {
	out := map[int]float64{server.cmd.Process.Pid: server.cpu()}
	u, err := url.Parse(store)
	if err != nil || kind(store) != "postgres" {
		return out
	}
	titles, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range titles {
		title, _ := os.ReadFile(file)
		if !strings.HasPrefix(string(title), "postgres: ") || !strings.Contains(string(title), " "+strings.TrimPrefix(u.Path, "/")+" ") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			out[pid] = cpuOf(pid)
		}
	}
	return out
}

// restOf is cost once the server has done what purchases left to be done, such as telling
// shoppers and moving its log into the database: it is idle, or three seconds have gone.
func restOf(ctx context.Context, server *process, store string) map[int]float64 {
	const look = 100 * time.Millisecond
	at := cost(server, store)
	for range 3 * time.Second / look {
		select {
		case <-ctx.Done():
			return at
		case <-time.After(look):
		}
		was := at
		if at = cost(server, store); spent(was, at) < look.Seconds()/10 {
			break
		}
	}
	return at
}

// spent is what was used from one reading to the next.
func spent(before, after map[int]float64) (seconds float64) {
	for pid, at := range after {
		seconds += at - before[pid]
	}
	return seconds
}
