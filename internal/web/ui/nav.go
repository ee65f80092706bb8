package ui

// ShopNav is where the storefront leads. Four, since that is what a thumb can reach.
var ShopNav = []NavItem{
	{Section: "home", Key: "ui.nav.home", Href: "/", Icon: "home"},
	{Section: "wallet", Key: "ui.nav.wallet", Href: "/wallet", Icon: "ticket"},
	{Section: "orders", Key: "ui.nav.orders", Href: "/orders", Icon: "order"},
	{Section: "me", Key: "ui.nav.me", Href: "/me", Icon: "user"},
}

// ConsoleNav is where the console leads, in the order of a working day.
var ConsoleNav = []NavGroup{
	{Items: []NavItem{
		{Section: "home", Key: "ui.nav.console", Href: "/console", Icon: "home", Go: "h"},
		{Section: "orders", Key: "ui.nav.all_orders", Href: "/console/orders", Icon: "order", Go: "o"},
		{Section: "exceptions", Key: "ui.nav.exceptions", Href: "/console/exceptions", Icon: "warn", Go: "x"},
	}},
	{Key: "ui.nav.group.goods", Items: []NavItem{
		{Section: "offers", Key: "ui.nav.offers", Href: "/console/offers", Icon: "tag", Go: "p"},
		{Section: "batches", Key: "ui.nav.batches", Href: "/console/batches", Icon: "layers", Go: "b"},
		{Section: "imports", Key: "ui.nav.imports", Href: "/console/imports", Icon: "upload", Go: "i"},
	}},
	{Key: "ui.nav.group.money", Items: []NavItem{
		{Section: "ledger", Key: "ui.nav.ledger", Href: "/console/ledger", Icon: "ledger", Go: "l"},
		{Section: "payments", Key: "ui.nav.payments", Href: "/console/payments", Icon: "card", Go: "m"},
	}},
	{Key: "ui.nav.group.house", Items: []NavItem{
		{Section: "staff", Key: "ui.nav.staff", Href: "/console/staff", Icon: "users", Go: "s"},
		{Section: "audit", Key: "ui.nav.audit", Href: "/console/audit", Icon: "shield", Go: "a"},
		{Section: "notices", Key: "ui.nav.notices", Href: "/console/notices", Icon: "bell", Go: "n"},
		{Section: "system", Key: "ui.nav.system", Href: "/console/system", Icon: "gear", Go: "y"},
	}},
}
