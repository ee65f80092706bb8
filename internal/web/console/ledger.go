package console

import (
	"net/url"
	"strings"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/ledger"
	"hufu/internal/money"
	"hufu/internal/web/ui"
)

// maxAccounts is how many accounts one page is made from.
const maxAccounts = 2000

func moneyOf(minor int64, c money.Currency) string { return money.Of(minor, c).String() }

// accountName is an account in words: what it is, whose, in which currency.
func (v *visit) accountName(a id.Account) string {
	parts := strings.Split(string(a), ":")
	if len(parts) < 3 {
		return string(a)
	}
	name := v.known("console.account."+parts[1], parts[1])
	switch {
	case len(parts) == 4 && parts[1] == "gateway":
		name += " · " + v.gateway(parts[2])
	case len(parts) == 4:
		name += " · " + short(parts[2])
	}
	return name
}

func ledgerPage(c *Console, v *visit) error {
	var accounts []id.Account
	var balances map[id.Account]ledger.Balance
	if err := v.view(func(tx *db.Tx) (err error) {
		if accounts, err = c.Flows.Ledger.Accounts(v.r.Context(), tx, maxAccounts); err != nil {
			return err
		}
		balances, err = c.Flows.Ledger.Balances(v.r.Context(), tx, accounts)
		return err
	}); err != nil {
		return err
	}
	kind, q := v.q("kind"), strings.ToLower(v.q("q"))
	l := &listView{Lead: v.t("console.ledger.lead"), Find: v.find("/console/ledger", "console.ledger.find", "kind", "sort")}
	v.page(&l.Page, "ledger", v.t("ui.nav.ledger"))
	l.Tabs = []ui.Option{{Label: v.t("console.all"), Href: v.with("kind", ""), Selected: kind == ""}}
	for _, k := range []string{"asset", "liability", "income", "expense", "equity"} {
		l.Tabs = append(l.Tabs, ui.Option{Label: v.t("console.account.kind." + k), Href: v.with("kind", k), Selected: kind == k})
	}
	sums := map[money.Currency][2]int64{}
	var shown []id.Account
	for _, a := range accounts {
		b := balances[a]
		s := sums[ledger.CurrencyOf(a)]
		sums[ledger.CurrencyOf(a)] = [2]int64{s[0] + b.Debits, s[1] + b.Credits}
		if (kind == "" || ledger.Kind(a) == kind) && (strings.Contains(strings.ToLower(string(a)), q) || strings.Contains(strings.ToLower(v.accountName(a)), q)) {
			shown = append(shown, a)
		}
	}
	l.Table = ui.Table{Caption: v.t("ui.nav.ledger"), Columns: []ui.Column{{Label: v.t("console.account")}, v.sortable(ui.Column{Label: v.t("console.ledger.debits"), End: true, Say: true}, "debits"), v.sortable(ui.Column{Label: v.t("console.ledger.credits"), End: true, Say: true}, "credits"), v.sortable(ui.Column{Label: v.t("console.ledger.balance"), End: true, Say: true}, "balance")}}
	amount := func(of func(ledger.Balance) int64) func(a, b id.Account) int {
		return func(a, b id.Account) int {
			return byMoney(money.Of(of(balances[a]), ledger.CurrencyOf(a)), money.Of(of(balances[b]), ledger.CurrencyOf(b)))
		}
	}
	sorted(v, shown, map[string]func(a, b id.Account) int{
		"debits":  amount(func(b ledger.Balance) int64 { return b.Debits }),
		"credits": amount(func(b ledger.Balance) int64 { return b.Credits }),
		"balance": amount(func(b ledger.Balance) int64 { return b.Net().Minor }),
	})
	for _, a := range cut(v, shown, &l.Table.Pager) {
		b, currency := balances[a], ledger.CurrencyOf(a)
		href := "/console/ledger/account?a=" + url.QueryEscape(string(a))
		l.Table.Rows = append(l.Table.Rows, ui.Row{Href: href, Cells: []ui.Cell{ui.Link(v.accountName(a), href, v.t("console.account.kind."+ledger.Kind(a))+" · "+string(a)), ui.Sum(money.Of(b.Debits, currency)), ui.Sum(money.Of(b.Credits, currency)), ui.Sum(b.Net())}})
	}
	l.Note = note{ui.OK, v.t("console.ledger.balanced"), ""}
	for currency, s := range sums {
		if s[0] != s[1] {
			l.Note = note{ui.Stop, v.t("console.ledger.unbalanced"), moneyOf(s[0]-s[1], currency)}
		}
	}
	if len(accounts) == 0 || len(accounts) == maxAccounts {
		l.Note = note{}
	}
	l.Table.Empty = ui.Empty{Art: "tally", Title: v.t("console.ledger.empty"), Text: v.t("console.ledger.empty.text")}
	if q != "" || kind != "" {
		l.Table.Empty = v.nothingFound("/console/ledger")
	}
	return v.list(l)
}

// accountPage is the statement of an account, from which each transfer leads to its cause.
func accountPage(c *Console, v *visit) error {
	a := id.Account(v.q("a"))
	if strings.Count(string(a), ":") < 2 || len(a) > 200 {
		return fault.New(fault.NotFound, "not_found")
	}
	var all []ledger.Transfer
	var b ledger.Balance
	if err := v.view(func(tx *db.Tx) (err error) {
		if all, err = c.Flows.Ledger.Statement(v.r.Context(), tx, a, v.q("before"), perPage+1); err != nil {
			return err
		}
		balances, err := c.Flows.Ledger.Balances(v.r.Context(), tx, []id.Account{a})
		b = balances[a]
		return err
	}); err != nil {
		return err
	}
	if len(all) == 0 && v.q("before") == "" && b.Debits == 0 && b.Credits == 0 {
		return fault.New(fault.NotFound, "not_found")
	}
	l := &listView{Lead: string(a)}
	v.page(&l.Page, "ledger", v.accountName(a))
	l.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.ledger"), Href: "/console/ledger"}, {Label: l.Title}}
	l.Note = note{ui.Info, v.t("console.ledger.balance") + " " + b.Net().String(), v.t("console.ledger.debits") + " " + moneyOf(b.Debits, ledger.CurrencyOf(a)) + " · " + v.t("console.ledger.credits") + " " + moneyOf(b.Credits, ledger.CurrencyOf(a))}
	all, pager := onward(v, all, perPage, func(t ledger.Transfer) string { return t.Entry })
	l.Table = v.transferTable(all, a, "")
	l.Table.Pager = pager
	return v.list(l)
}

// transferTable shows transfers: of an account with their side, of an order with both
// accounts.
func (v *visit) transferTable(all []ledger.Transfer, of id.Account, order id.Order) ui.Table {
	t := ui.Table{Caption: v.t("console.ledger.transfers"), Columns: []ui.Column{{Label: v.t("console.ledger.what")}, {Label: v.t("console.ledger.debit")}, {Label: v.t("console.ledger.credit")}, {Label: v.t("console.amount"), End: true}, {Label: v.t("console.time"), End: true}}}
	for _, x := range all {
		href := ""
		if order == "" && x.Order != "" {
			href = "/console/orders/" + string(x.Order)
		}
		what := v.known("console.transfer."+x.Kind, x.Kind)
		first := broad(what, short(x.Entry))
		if href != "" {
			first = ui.Link(what, href, short(x.Entry)+" · "+short(x.Order))
		}
		amount := x.Amount
		if of != "" && (x.Credit == of) != isCreditNormal(of) {
			amount = amount.Neg()
		}
		t.Rows = append(t.Rows, ui.Row{Href: href, Cells: []ui.Cell{first, ui.Text(v.accountName(x.Debit), ""), ui.Text(v.accountName(x.Credit), ""), ui.Sum(amount), ui.On(x.At)}})
	}
	t.Empty = ui.Empty{Art: "tally", Title: v.t("console.ledger.empty"), Text: v.t("console.ledger.empty.text")}
	return t
}

// isCreditNormal reports whether credits raise an account.
func isCreditNormal(a id.Account) bool {
	k := ledger.Kind(a)
	return k != "asset" && k != "expense"
}
