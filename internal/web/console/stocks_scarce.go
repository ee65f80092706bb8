package console

import (
	"slices"
	"strconv"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/web"
	"hufu/internal/web/ui"
)

// scarceView is what a stock's page shows of its allotments and its edition.
type scarceView struct {
	Allotments []allotmentCard
	Channels   []string // that there are, to choose from
	Unallotted int64
	Moves      ui.Table
	Edition    *inventory.Edition
	Seed       string
	Numbers    ui.Table
}

type allotmentCard struct {
	*inventory.Allotment
	Parts []ui.Part
}

// scarce loads what a stock is parted into and how it is numbered.
func (v *visit) scarce(tx *db.Tx, s *inventory.Stock) (scarceView, error) {
	d, ctx := scarceView{Unallotted: s.Available - s.Allotted}, v.r.Context()
	all, err := v.c.Flows.Inventory.Allotments(ctx, tx, s.ID)
	if err != nil {
		return d, err
	}
	d.Channels = slices.Clone(catalogue.Channels)
	for _, a := range all {
		if !slices.Contains(d.Channels, a.Channel) {
			d.Channels = append(d.Channels, a.Channel)
		}
		d.Allotments = append(d.Allotments, allotmentCard{a, []ui.Part{{Label: v.t("console.stock.available"), Value: a.Available},
			{Label: v.t("console.stock.reserved"), Value: a.Reserved}, {Label: v.t("console.stock.delivered"), Value: a.Delivered}}})
	}
	moves, err := v.c.Flows.Inventory.Shifts(ctx, tx, s.ID, 20)
	if err != nil {
		return d, err
	}
	var who []id.Party
	for _, m := range moves {
		who = append(who, id.Party(m.Actor))
	}
	names, err := v.names(tx, who)
	if err != nil {
		return d, err
	}
	d.Moves = ui.Table{Caption: v.t("allotment.moves"), Columns: []ui.Column{{Label: v.t("allotment.from")}, {Label: v.t("allotment.to")}, {Label: v.t("console.units"), End: true},
		{Label: v.t("console.by")}, {Label: v.t("console.reason")}, {Label: v.t("console.created"), End: true}}}
	channel := func(c string) ui.Cell {
		if c == "" {
			c = v.t("allotment.shared")
		}
		return ui.Text(c, "")
	}
	for _, m := range moves {
		d.Moves.Rows = append(d.Moves.Rows, ui.Row{Cells: []ui.Cell{channel(m.From), channel(m.To), ui.Text(ui.FormatInt(m.Quantity), ""), ui.Text(v.people(names, m.Actor), ""),
			ui.Text(v.known("allotment.reason."+m.Reason, m.Reason), ""), ui.At(m.At)}})
	}
	if !s.Edition {
		return d, nil
	}
	if d.Edition, err = v.c.Flows.Inventory.Edition(ctx, tx, s.ID); err != nil {
		return d, err
	}
	d.Seed = d.Edition.RevealedSeed()
	after, ok := whole(v.q("after"), 0, 2*inventory.MaxEdition)
	if !ok {
		after = -1
	}
	numbers, err := v.c.Flows.Inventory.Numbers(ctx, tx, s.ID, after, perPage+1)
	d.Numbers = ui.Table{Caption: v.t("edition.numbers"), Columns: []ui.Column{{Label: v.t("edition.number")}, {Label: v.t("edition.state")}, {Label: v.t("edition.right")}, {Label: v.t("console.created"), End: true}},
		Empty: ui.Empty{Art: "box", Title: v.t("edition.numbers.empty")}}
	at := "/console/stocks/" + string(s.ID)
	if after >= 0 {
		d.Numbers.Pager.First = at + "#numbers"
	}
	if len(numbers) > perPage {
		numbers = numbers[:perPage]
		d.Numbers.Pager.Next = at + "?after=" + strconv.FormatInt(numbers[perPage-1].Number, 10) + "#numbers"
	}
	for _, n := range numbers {
		d.Numbers.Rows = append(d.Numbers.Rows, ui.Row{Cells: []ui.Cell{ui.Text(web.NumberWords(v.lang, []inventory.Number{n}), ""), ui.Text(v.t("edition.state."+n.State), ""), ui.Text(string(n.Right), ""), ui.At(n.At)}})
	}
	return d, err
}

// changeScarce changes a stock's allotments, begins its edition or closes it.
func (v *visit) changeScarce(tx *db.Tx, k id.Stock) error {
	ctx, now := v.r.Context(), v.c.now()
	switch op := v.f("op"); op {
	case "edition":
		size, sized := whole(v.f("size"), 1, inventory.MaxEdition)
		first, ok := whole(v.f("first"), 0, inventory.MaxEdition)
		if !sized || !ok {
			return fault.New(fault.Invalid, "edition.invalid", "max", strconv.Itoa(inventory.MaxEdition))
		}
		e, err := v.c.Flows.Inventory.Begin(ctx, tx, inventory.Edition{Stock: k, Size: size, First: first, Gapless: v.f("gapless") != "", ByLot: v.f("by_lot") != "", CreatedBy: string(v.by())}, now)
		if err != nil {
			return err
		}
		return v.audit(tx, "edition.begin", string(k), "size", strconv.FormatInt(size, 10), "commitment", e.Commitment)
	case "edition_close":
		if _, err := v.c.Flows.Inventory.End(ctx, tx, k, now); err != nil {
			return err
		}
		return v.audit(tx, "edition.close", string(k))
	default:
		units, ok := whole(v.f("units"), 0, 1_000_000_000)
		if !ok && op == "allot" {
			return fault.New(fault.Invalid, "allotment.invalid")
		}
		c := inventory.Allotting{Stock: k, Act: inventory.AllotMove, From: v.f("from"), To: v.f("to"), Units: units, Reason: clip(v.f("reason"), 200), Actor: string(v.by())}
		if op == "allot_close" {
			c.Act, c.Units = inventory.AllotClose, 0
		}
		if err := v.c.Flows.Inventory.Allot(ctx, tx, c, now); err != nil {
			return err
		}
		return v.audit(tx, "stock.allot", string(k), "act", c.Act, "from", c.From, "to", c.To, "units", strconv.FormatInt(c.Units, 10), "reason", c.Reason)
	}
}
