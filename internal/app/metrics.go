package app

import (
	"context"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hufu/internal/db"
	"hufu/internal/exception"
	"hufu/internal/job"
)

// laneCollector tells what the lanes did and what waits in the database.
type laneCollector struct{ a *App }

var (
	laneCommands  = prometheus.NewDesc("hufu_lane_commands_total", "Commands carried out.", []string{"lane"}, nil)
	laneBatches   = prometheus.NewDesc("hufu_lane_batches_total", "Transactions they rode in.", []string{"lane"}, nil)
	laneAlone     = prometheus.NewDesc("hufu_lane_alone_total", "Commands run by themselves after their batch failed.", []string{"lane"}, nil)
	laneBusy      = prometheus.NewDesc("hufu_lane_busy_seconds_total", "Time in transactions.", []string{"lane"}, nil)
	jobsWaiting   = prometheus.NewDesc("hufu_jobs", "Jobs by state.", []string{"state"}, nil)
	jobsOldest    = prometheus.NewDesc("hufu_jobs_oldest_seconds", "How long the oldest due job has waited.", nil, nil)
	openCases     = prometheus.NewDesc("hufu_exceptions_open", "Open exceptions by kind.", []string{"kind"}, nil)
	noticeRefused = prometheus.NewDesc("hufu_notices_refused_total", "Gateways' notices that were refused, by reason.", []string{"gateway", "reason"}, nil)
	databaseIsUp  = prometheus.NewDesc("hufu_database_up", "Whether the database answered.", nil, nil)
	scrapeTimeout = 3 * time.Second
)

// Describe implements prometheus.Collector.
func (c laneCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c laneCollector) Collect(ch chan<- prometheus.Metric) {
	for name, s := range c.a.Flows.Lanes() {
		counter := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, name)
		}
		counter(laneCommands, float64(s.Commands))
		counter(laneBatches, float64(s.Batches))
		counter(laneAlone, float64(s.Alone))
		counter(laneBusy, s.Busy.Seconds())
	}
	for which, n := range c.a.API.RefusedNotices() {
		ch <- prometheus.MustNewConstMetric(noticeRefused, prometheus.CounterValue, float64(n), which[0], which[1])
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	var depth job.Depth
	var cases map[string]int64
	err := c.a.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		if depth, err = job.Waiting(ctx, tx); err != nil {
			return err
		}
		cases, err = exception.Counts(ctx, tx)
		return err
	})
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if err != nil {
		gauge(databaseIsUp, 0)
		return
	}
	gauge(databaseIsUp, 1)
	gauge(jobsWaiting, float64(depth.Ready), "ready")
	gauge(jobsWaiting, float64(depth.Running), "running")
	gauge(jobsWaiting, float64(depth.Dead), "dead")
	waited := 0.0
	if !depth.Oldest.IsZero() {
		waited = max(0, c.a.Clock.Now().Sub(depth.Oldest).Seconds())
	}
	gauge(jobsOldest, waited)
	for kind, n := range cases {
		gauge(openCases, float64(n), kind)
	}
}

// serveMetrics serves /metrics and the profiles at an address of their own, which is not
// the shop's: from outside they don't exist (S65).
func (a *App) serveMetrics() (stop func(), err error) {
	if a.Config.MetricsListen == "" {
		return func() {}, nil
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(laneCollector{a}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	l, err := net.Listen("tcp", a.Config.MetricsListen)
	if err != nil {
		return nil, listenFault(err, a.Config.MetricsListen)
	}
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := s.Serve(l); err != http.ErrServerClosed {
			a.Log.Error("metrics are not served any more", "error", err)
		}
	}()
	return func() { s.Close() }, nil
}
