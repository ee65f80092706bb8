package console

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/identity"
	"hufu/internal/web/ui"
)

// Options are what the console works with.
type Options struct {
	Flows       *flow.Flows
	Identity    *identity.Service
	PublicURL   string // under which browsers reach us; https makes cookies secure
	Environment string // said in the head of each page when this isn't the live shop, see ui.Options
	Version     string // of the program
	// ShowMessages has the page of notices show them whole, codes and links too: only where
	// no adapter takes them outside (demo, development).
	ShowMessages bool
	Log          *slog.Logger
	Zone         *time.Location // in which times are shown and typed; nil is China Standard Time
}

// Console serves the operator's pages.
type Console struct {
	Options
	ui     *ui.Renderer
	csrf   *http.CrossOriginProtection
	secure bool
	begun  time.Time

	ctx  context.Context // of work that outlives its request
	stop context.CancelFunc
	work sync.WaitGroup

	verified verifying
}

// New compiles the pages. It fails on a template that can't be.
func New(o Options) (*Console, error) {
	if o.Zone == nil {
		o.Zone = time.FixedZone("UTC+8", 8*3600)
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	rd, err := ui.New(ui.Options{Clock: o.Flows.Clock, Log: o.Log, Zone: o.Zone, Environment: o.Environment, ConsoleNav: nav, SuggestHref: "/console/suggest",
		SignOutHref: "/console/sign-out", HelpHref: "/console/help"})
	if err != nil {
		return nil, err
	}
	c := &Console{Options: o, ui: rd, csrf: http.NewCrossOriginProtection(), secure: strings.HasPrefix(o.PublicURL, "https://"), begun: o.Flows.Clock.Now()}
	if err := c.csrf.AddTrustedOrigin(o.PublicURL); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "http.public_url", "url", o.PublicURL)
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c, nil
}

// Close ends work that outlives its request, and waits for it.
func (c *Console) Close() {
	c.stop()
	c.work.Wait()
}

func (c *Console) now() time.Time { return c.Flows.Clock.Now() }

// nav is where the console leads, in the order of a working day.
var nav = []ui.NavGroup{
	{Items: []ui.NavItem{
		{Section: "home", Key: "ui.nav.console", Href: "/console", Icon: "home", Go: "h"},
		{Section: "orders", Key: "ui.nav.all_orders", Href: "/console/orders", Icon: "order", Go: "o"},
		{Section: "exceptions", Key: "ui.nav.exceptions", Href: "/console/exceptions", Icon: "warn", Go: "x"},
		{Section: "customers", Key: "console.nav.customers", Href: "/console/customers", Icon: "user", Go: "c"},
	}},
	{Key: "ui.nav.group.goods", Items: []ui.NavItem{
		{Section: "offers", Key: "ui.nav.offers", Href: "/console/offers", Icon: "tag", Go: "p"},
		{Section: "benefits", Key: "console.nav.benefits", Href: "/console/benefits", Icon: "ticket", Go: "t"},
		{Section: "stocks", Key: "console.nav.stocks", Href: "/console/stocks", Icon: "box", Go: "k"},
		{Section: "batches", Key: "ui.nav.batches", Href: "/console/batches", Icon: "layers", Go: "b"},
		{Section: "imports", Key: "ui.nav.imports", Href: "/console/imports", Icon: "upload", Go: "i"},
	}},
	{Key: "ui.nav.group.money", Items: []ui.NavItem{
		{Section: "ledger", Key: "ui.nav.ledger", Href: "/console/ledger", Icon: "ledger", Go: "l"},
		{Section: "payments", Key: "ui.nav.payments", Href: "/console/payments", Icon: "card", Go: "m"},
	}},
	{Key: "ui.nav.group.house", Items: []ui.NavItem{
		{Section: "staff", Key: "ui.nav.staff", Href: "/console/staff", Icon: "users", Go: "s"},
		{Section: "audit", Key: "ui.nav.audit", Href: "/console/audit", Icon: "shield", Go: "a"},
		{Section: "notices", Key: "ui.nav.notices", Href: "/console/notices", Icon: "bell", Go: "n"},
		{Section: "system", Key: "ui.nav.system", Href: "/console/system", Icon: "gear", Go: "y"},
		{Section: "settings", Key: "console.nav.settings", Href: "/console/settings", Icon: "sliders", Go: "e"},
	}},
}

// rightOf is the right that a section of the navigation needs, orRightOf another that also
// shows it.
var rightOf = map[string]identity.Right{
	"orders": identity.OrderView, "exceptions": identity.OrderView, "customers": identity.OrderView, "offers": identity.CatalogueView, "benefits": identity.CatalogueView,
	"stocks": identity.StockView, "batches": identity.StockView, "imports": identity.CodeImport, "ledger": identity.LedgerView, "payments": identity.OrderView,
	"staff": identity.StaffManage, "audit": identity.AuditView, "notices": identity.NoticeView, "system": identity.SystemView, "settings": identity.SettingsEdit,
}

var orRightOf = map[string]identity.Right{"staff": identity.CodeReveal}
