// Package app is the composition root: it wires the islands, flows, adapters and faces
// into a running process, by hand.
package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the two drivers
	_ "modernc.org/sqlite"

	"hufu/internal/api"
	"hufu/internal/catalogue"
	"hufu/internal/clock"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/identity"
	"hufu/internal/inventory"
	"hufu/internal/ledger"
	"hufu/internal/live"
	"hufu/internal/order"
	"hufu/internal/payment"
	"hufu/internal/vault"
	"hufu/internal/web"
	"hufu/internal/web/console"
)

// App is a wired process.
type App struct {
	Config   Config
	Log      *slog.Logger
	Clock    clock.Clock
	DB       *db.DB
	Flows    *flow.Flows
	Identity *identity.Service
	API      *api.API
	Web      *web.Web
	Console  *console.Console
	Live     *live.Hub

	stop []func()
}

// Open opens the database and unlocks the vault, and wires the rest. It fails, with what
// to do, when the schema isn't the program's or the keys aren't the database's.
func Open(ctx context.Context, c Config, log *slog.Logger) (*App, error) {
	if c.PublicURL == "" { // a process that serves nobody, such as a command or a worker
		c.PublicURL = "http://localhost"
	}
	a := &App{Config: c, Log: log, Clock: clock.System{}}
	d, err := db.Open(ctx, db.Config{Store: c.Store, Connections: c.Connections, MustExist: true, Waiting: c.Waiting})
	if err != nil {
		return nil, err
	}
	a.DB = d
	a.stop = append(a.stop, func() { d.Close() })
	if err := a.wire(ctx); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *App) wire(ctx context.Context) error {
	if err := a.DB.CheckVersion(ctx); err != nil {
		if a.DB.Dialect() == db.SQLite && fault.CodeOf(err) == "db.busy" {
			return fault.Wrap(err, fault.Unavailable, "db.locked", "path", a.DB.Path())
		}
		return err
	}
	master, err := vault.OpenKeyFile(a.Config.KeyFile)
	if err != nil {
		return err
	}
	keys, err := vault.Unlock(ctx, a.DB, master, a.Clock.Now())
	if err != nil {
		return err
	}
	a.followKeys(keys)
	a.Flows = flow.New(a.DB, a.Clock, flow.Islands{
		Catalogue: catalogue.NewService(), Inventory: inventory.NewService(), Orders: &order.Service{}, Payments: &payment.Service{},
		Rights: &entitlement.Service{}, Ledger: ledger.NewService(), Codes: vault.NewPool(), Keys: keys,
	})
	if a.Config.GatewayPatience > 0 {
		a.Flows.Patience = a.Config.GatewayPatience
	}
	if a.Config.GatewayCalls > 0 {
		a.Flows.Asking = a.Config.GatewayCalls
	}
	a.Identity, err = identity.New(identity.Config{Sealer: keys, Key: keys.Derive("identity"), Passwords: identity.NewPasswords(identity.DefaultCost, 2), Issuer: "Hufu 虎符"})
	if err != nil {
		return err
	}
	if err := a.gateways(); err != nil {
		return err
	}
	a.Live = live.New()
	a.API = api.New(api.Options{Flows: a.Flows, Identity: a.Identity, Live: a.Live, PublicURL: a.Config.PublicURL, Log: a.Log, RateLimit: a.Config.RateLimit})
	return nil
}

// Handler is everything the process serves. The pages take 80 MB, so only a process that
// serves has them.
func (a *App) Handler() (http.Handler, error) {
	if err := a.shop(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	a.API.Routes(mux)
	a.healthRoutes(mux)
	a.Web.Routes(mux)
	a.Console.Routes(mux)
	return a.front(mux)
}

// Serve answers requests until ctx ends, then lets those under way finish. ready is called
// with the address once it accepts connections.
func (a *App) Serve(ctx context.Context, ready func(addr string)) error {
	listener, err := Listen(a.Config.Listen)
	if err != nil {
		return err
	}
	return a.ServeOn(ctx, listener, ready)
}

// ServeOn is Serve on an address that is taken already. It closes the listener.
func (a *App) ServeOn(ctx context.Context, listener net.Listener, ready func(addr string)) error {
	defer listener.Close()
	release, err := a.DB.Sole()
	if err != nil {
		return err
	}
	defer release()
	handler, err := a.Handler()
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(a.Log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(a.Live.Close) // or waiting pages would hold it up
	stopMetrics, err := a.serveMetrics()
	if err != nil {
		return err
	}
	defer stopMetrics()
	var work sync.WaitGroup
	background, cancel := context.WithCancel(ctx)
	defer work.Wait()
	defer cancel()
	if a.testChannels(background) > 0 { // before the first page, which shows what can be paid through
		work.Go(func() { a.offerChannels(background) })
	}
	work.Go(func() { a.refreshGate(background) })
	work.Go(func() { a.watchOrders(background) })
	work.Go(func() { a.noteVisits(background) })
	work.Go(func() { a.watchRooms(background) })
	if a.Config.Worker {
		work.Go(func() { a.Work(background) })
	}
	if ready != nil {
		ready(listener.Addr().String())
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		end, stop := context.WithTimeout(context.Background(), 20*time.Second)
		defer stop()
		if err := server.Shutdown(end); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return nil
	}
}

// refreshGate learns a few times a second whether what was sold out is back, also through
// another node.
func (a *App) refreshGate(ctx context.Context) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := a.Flows.RefreshGate(ctx); err != nil && ctx.Err() == nil {
				a.Log.Warn("sold-out stocks could not be refreshed", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// watchRooms moves the waiting rooms once a second.
func (a *App) watchRooms(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := a.Flows.WatchRooms(ctx); err != nil && ctx.Err() == nil {
				a.Log.Warn("the waiting rooms could not be moved", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// noteVisits writes, every few seconds and once at the end, which shoppers were seen here.
func (a *App) noteVisits(ctx context.Context) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		ending := false
		select {
		case <-tick.C:
		case <-ctx.Done():
			ending = true
		}
		if _, err := a.Identity.NoteVisits(context.WithoutCancel(ctx), a.DB); err != nil {
			a.Log.Warn("who was seen could not be written and will be noted again", "error", err)
		}
		if ending {
			return
		}
	}
}

// Close releases what Open took.
func (a *App) Close() {
	for i := len(a.stop) - 1; i >= 0; i-- {
		a.stop[i]()
	}
	a.stop = nil
}
