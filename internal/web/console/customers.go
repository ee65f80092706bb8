package console

import (
	"net/http"
	"net/url"

	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/ledger"
	"hufu/internal/money"
	"hufu/internal/naming"
	"hufu/internal/order"
	"hufu/internal/web/ui"
)

func customers(_ *Console, v *visit) error { return v.customers("") }

// findCustomers looks for shoppers by a contact, which is posted so that it stands in no
// address (S14).
func findCustomers(_ *Console, v *visit) error { return v.customers(v.f("q")) }

func (v *visit) customers(q string) error {
	c := v.c
	var all []identity.Party
	if err := v.view(func(tx *db.Tx) (err error) {
		if q != "" {
			all, err = c.Identity.FindShoppers(v.r.Context(), tx, q, perPage)
		} else {
			all, err = c.Identity.Shoppers(v.r.Context(), tx, id.Party(v.q("before")), perPage+1)
		}
		return err
	}); err != nil {
		return err
	}
	l := &listView{Lead: v.t("console.customers.lead"), Find: findBox{Action: "/console/customers", Value: q, Label: v.t("console.customers.find"), Post: true}}
	v.page(&l.Page, "customers", v.t("console.nav.customers"))
	all, pager := onward(v, all, perPage, func(p identity.Party) string { return string(p.ID) })
	l.Table = ui.Table{Caption: v.t("console.nav.customers"), Columns: []ui.Column{{Label: v.t("console.customer")}, {Label: v.t("console.language")}, {Label: v.t("console.state")}, {Label: v.t("console.customer.since"), End: true}}}
	for _, p := range all {
		href := "/console/customers/" + string(p.ID)
		l.Table.Rows = append(l.Table.Rows, ui.Row{ID: string(p.ID), Href: href, Cells: []ui.Cell{ui.Link(masked(p), href, short(p.ID)), ui.Text(langName(p.Lang), ""), v.activeCell(p.Active), ui.At(p.CreatedAt)}})
	}
	l.Table.Pager = pager
	l.Table.Empty = ui.Empty{Art: "search", Title: v.t("console.customers.empty"), Text: v.t("console.customers.empty.text")}
	if q != "" {
		l.Table.Empty = v.nothingFound("/console/customers")
	}
	return v.list(l)
}

func (v *visit) activeCell(active bool) ui.Cell {
	if active {
		return ui.State(ui.OK, v.t("console.active"))
	}
	return ui.State(ui.Stop, v.t("console.disabled"))
}

// masked is a shopper without their contact.
func masked(p identity.Party) string {
	switch {
	case p.Phone != "":
		return identity.MaskPhone(p.Phone)
	case p.Email != "":
		return identity.MaskEmail(p.Email)
	}
	return p.Label()
}

type customerView struct {
	ui.Page
	formError
	Party     identity.Party
	Name      string
	Facts     []ui.Fact
	Balance   string
	Orders    ui.Table
	Rights    []rightLine
	Statement string // address of the prepaid account
	MayCredit bool
	MayUnmask bool
	Contact   string
	Traits    []ui.Fact
	Tags      []string
	Levels    []string // that rules ask for
	LevelHelp string
	TagsHelp  string
	MayEdit   bool
	Editing   bool   // the form of the traits was sent and refused
	Was       string // what the fields of the traits held when the page was made
	Values    map[string]string
}

func customerPage(_ *Console, v *visit) error { return v.customer(http.StatusOK, "", nil) }

func (v *visit) customer(status int, contact string, refusal error) error {
	k, err := pathID[id.Party](v, "id")
	if err != nil {
		return err
	}
	d := &customerView{Contact: contact, MayCredit: v.who.May(identity.OrderRefund), MayUnmask: v.who.May(identity.CustomerUnmask), MayEdit: v.who.May(identity.CustomerEdit), Values: map[string]string{}}
	for _, name := range []string{"amount", "reference", "note", "received", "level", "tags", "region"} {
		d.Values[name] = v.f(name)
	}
	if err := d.refused(v.lang, refusal, nil); err != nil {
		return err
	}
	account := ledger.Prepaid(k, money.CNY)
	var all []*order.Order
	var rights []*entitlement.Right
	var titles map[id.OfferVersion]string
	err = v.view(func(tx *db.Tx) error {
		if d.Party, err = v.c.Identity.Party(v.r.Context(), tx, k); err != nil {
			return err
		}
		if d.Party.Kind != identity.Shopper {
			return fault.New(fault.NotFound, "not_found")
		}
		if all, err = v.c.Flows.Orders.OfParty(v.r.Context(), tx, k, "", 20); err != nil {
			return err
		}
		if rights, err = v.c.Flows.Rights.OfParty(v.r.Context(), tx, k, "", 20); err != nil {
			return err
		}
		if titles, err = v.titles(tx, all); err != nil {
			return err
		}
		balances, err := v.c.Flows.Ledger.Balances(v.r.Context(), tx, []id.Account{account})
		d.Balance = balances[account].Net().String()
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range rights {
		tone, word := v.rightState(r.State)
		d.Rights = append(d.Rights, rightLine{Right: r, Name: orSlug(titles[r.Version], short(r.ID)), Tone: tone, State: word})
	}
	d.Orders = v.orderTable(all, titles)
	d.Orders.Empty = ui.Empty{Art: "ticket", Title: v.t("console.customer.no_orders"), Text: v.t("console.customer.no_orders.text")}
	d.Name = masked(d.Party)
	d.Statement = "/console/ledger/account?a=" + url.QueryEscape(string(account))
	state := v.t("console.active")
	if !d.Party.Active {
		state = v.t("console.disabled")
	}
	d.Facts = []ui.Fact{{Label: v.t("console.customer"), Value: d.Name}, {Label: v.t("console.state"), Value: state}, {Label: v.t("console.language"), Value: langName(d.Party.Lang)}, {Label: v.t("console.customer.since"), Value: v.when(d.Party.CreatedAt)}, {Label: "ID", Value: string(k), Mono: true}}
	if err := v.traits(d); err != nil {
		return err
	}
	v.page(&d.Page, "customers", d.Name)
	d.Crumbs = []ui.Crumb{{Label: v.t("console.nav.customers"), Href: "/console/customers"}, {Label: d.Name}}
	return v.render(status, "customer", d)
}

// credit is the amount to be credited, zero when none can be read.
func (v *visit) credit() money.Amount {
	amount, err := money.Parse(v.f("amount"), money.CNY)
	if err != nil {
		return money.Amount{}
	}
	return amount
}

func creditForm(v *visit) error {
	f := fault.New(fault.Invalid, "console.form")
	if amount := v.credit(); amount.Minor <= 0 || amount.Minor > 1e9 {
		f.At("amount", "console.amount", "currency", "CNY")
	}
	for _, name := range []string{"reference", "note"} {
		if v.f(name) == "" || len(v.f(name)) > 200 {
			f.At(name, "console.required")
		} else if naming.Hidden(v.f(name)) {
			f.At(name, "naming.hidden")
		}
	}
	if len(f.Fields) > 0 {
		return f
	}
	return nil
}

func creditRefused(v *visit, err error) error { return v.customer(http.StatusBadRequest, "", err) }

// creditCustomer raises a prepaid balance. The reference makes it happen once.
func creditCustomer(c *Console, v *visit) error {
	k, err := pathID[id.Party](v, "id")
	if err != nil {
		return err
	}
	if err := v.view(func(tx *db.Tx) error {
		p, err := c.Identity.Party(v.r.Context(), tx, k)
		if err == nil && p.Kind != identity.Shopper {
			err = fault.New(fault.NotFound, "not_found")
		}
		return err
	}); err != nil {
		return err
	}
	err = c.Flows.Credit(v.r.Context(), k, v.credit(), v.f("received") != "", v.f("reference"), v.f("note"), v.by(), v.origin().Address)
	if fault.KindOf(err) == fault.Conflict {
		return v.customer(http.StatusConflict, "", fault.New(fault.Conflict, "console.form").At("reference", fault.CodeOf(err), paramsOf(err)...))
	}
	if err != nil {
		return err
	}
	return v.leave("/console/customers/"+string(k)+"?done=credit-"+string(k), "credited")
}

// unmaskCustomer shows a contact in full, with a reason, on record.
func unmaskCustomer(c *Console, v *visit) error {
	k, err := pathID[id.Party](v, "id")
	if err != nil {
		return err
	}
	var p identity.Party
	err = v.do(func(tx *db.Tx) (err error) {
		p, err = c.Identity.Unmask(v.r.Context(), tx, v.actor(), k, v.f("reason"), c.now())
		return err
	})
	if fault.CodeOf(err) == "identity.reason" {
		return v.customer(http.StatusBadRequest, "", fault.New(fault.Invalid, "console.form").At("reason", "identity.reason"))
	}
	if err != nil {
		return err
	}
	return v.customer(http.StatusOK, joined(p.Phone, p.Email), nil)
}

func joined(a, b string) string {
	if a != "" && b != "" {
		return a + " · " + b
	}
	return a + b
}
