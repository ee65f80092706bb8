package web

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/flow"
	"hufu/internal/flow/terms"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/payment"
	"hufu/internal/web/ui"
)

// Evidence is what a buyer was shown and accepted, and paid: texts as the order keeps them, and
// names and prices of its frozen versions.
type Evidence struct {
	Order        *order.Order
	Lang         i18n.Lang // of the order
	Lines        []EvidenceLine
	Acknowledged []order.Acknowledgement // of conflicts: when ordering, then with each later pick
	Payments     []EvidencePayment
	PrintedAt    time.Time
}

// Stamp writes a moment as a paper needs it: to the second, with its zone.
func (*Evidence) Stamp(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04:05 UTC-07:00") }

// EvidenceLine is one offer of an order.
type EvidenceLine struct {
	Name    string
	Version string // "v3", with its id
	From    time.Time
	Price   string // unit price × quantity
	Amount  money.Amount
	Picked  []string
	Numbers string // of editions, that its rights have; "" for none
	Why     []ui.Fact
	Hash    string          // of the terms that were accepted, "" for none
	Text    string          // that was accepted, as it was kept
	Terms   []terms.Section // the same, cut for reading
	Lang    string          // of the text
	Proof   Proof
}

// Proof is what the kept text of a line proves.
type Proof string

// The proofs.
const (
	ProofWhole   Proof = "whole"   // the text has the hash that the order keeps
	ProofAltered Proof = "altered" // it has another
	ProofMissing Proof = "missing" // there is a hash and no text
	ProofNone    Proof = "none"    // nothing was accepted by its hash
)

// EvidencePayment is a payment, or what went back.
type EvidencePayment struct {
	Word, Name, Amount string
	ID                 string
	At                 time.Time
}

// EvidenceOf gives the evidence of an order; words that aren't the order's are in a language.
func EvidenceOf(ctx context.Context, tx *db.Tx, f *flow.Flows, oid id.Order, lang i18n.Lang) (*Evidence, error) {
	o, err := f.Orders.One(ctx, tx, oid)
	if err != nil {
		return nil, err
	}
	e := &Evidence{Order: o, Lang: i18n.Lang(o.Lang), PrintedAt: f.Clock.Now()}
	if e.Lang != i18n.EN {
		e.Lang = i18n.ZH
	}
	var wanted []id.OfferVersion
	var hashes []string
	for _, l := range o.Lines {
		wanted, hashes = append(wanted, l.Version), append(hashes, l.Acknowledged)
	}
	texts, err := f.Orders.Terms(ctx, tx, hashes)
	if err != nil {
		return nil, err
	}
	versions, err := f.Catalogue.Versions(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	rights, err := f.Rights.OfOrders(ctx, tx, []id.Order{oid})
	if err != nil {
		return nil, err
	}
	numbers, err := numbersOf(ctx, tx, f, rights[oid])
	if err != nil {
		return nil, err
	}
	held := map[id.Line][]inventory.Number{}
	for _, r := range rights[oid] {
		held[r.Line] = append(held[r.Line], numbers[r.ID]...)
	}
	for _, l := range o.Lines {
		if v := versions[l.Version]; v != nil {
			line := evidenceLine(e.Lang, lang, o, l, v, texts)
			line.Numbers = NumberWords(lang, held[l.ID])
			e.Lines = append(e.Lines, line)
		}
	}
	kept, found, err := f.Orders.Acknowledged(ctx, tx, oid)
	if err != nil {
		return nil, err
	}
	if found {
		e.Acknowledged = append(e.Acknowledged, kept)
	}
	if err := e.picked(ctx, tx, f, rights[oid]); err != nil {
		return nil, err
	}
	intents, err := f.Payments.IntentsOf(ctx, tx, []id.Order{oid})
	if err != nil {
		return nil, err
	}
	for _, p := range intents[oid] {
		if p.State == payment.Captured {
			e.Payments = append(e.Payments, EvidencePayment{lang.T("shop.evidence.paid"), gatewayName(lang, p.Gateway), p.Amount.String(), string(p.ID), o.PaidAt})
		}
	}
	refunds, err := f.Payments.RefundsOf(ctx, tx, []id.Order{oid})
	if err != nil {
		return nil, err
	}
	for _, r := range refunds {
		if r.State == payment.RefundDone {
			e.Payments = append(e.Payments, EvidencePayment{lang.T("shop.evidence.refunded"), "", r.Amount.String(), string(r.ID), r.DoneAt})
		}
	}
	return e, nil
}

// picked adds what was acknowledged of picks made after ordering, which stands in the paths of
// the rights; those of one pick say the same.
func (e *Evidence) picked(ctx context.Context, tx *db.Tx, f *flow.Flows, rights []*entitlement.Right) error {
	var ids []id.Right
	for _, r := range rights {
		ids = append(ids, r.ID)
	}
	paths, err := f.Rights.Path(ctx, tx, ids)
	if err != nil {
		return err
	}
	for _, right := range ids {
		for _, st := range paths[right] {
			var data struct{ Acknowledged *flow.Agreement }
			if st.Kind != entitlement.StepChosen || json.Unmarshal([]byte(st.Data), &data) != nil || data.Acknowledged == nil {
				continue
			}
			ack := order.Acknowledgement{Order: e.Order.ID, Hash: data.Acknowledged.Hash, Text: data.Acknowledged.Text, Lang: string(data.Acknowledged.Lang), At: st.At}
			if !slices.Contains(e.Acknowledged, ack) {
				e.Acknowledged = append(e.Acknowledged, ack)
			}
		}
	}
	return nil
}

func evidenceLine(shown, lang i18n.Lang, o *order.Order, l order.Line, v *catalogue.Version, texts map[string]order.Terms) EvidenceLine {
	currency := o.Total.Currency
	out := EvidenceLine{Name: pick(shown, v.Content.Title), Version: "v" + strconv.FormatInt(v.Number, 10) + " · " + string(v.ID), From: v.CreatedAt,
		Price: money.Of(l.UnitPrice, currency).String() + " × " + strconv.FormatInt(l.Quantity, 10), Amount: money.Of(l.Amount, currency),
		Picked: pickedWords(shown, v.Content, l.Picks), Why: why(lang, l.Quote, currency), Hash: l.Acknowledged}
	text, found := texts[l.Acknowledged]
	if found {
		out.Text, out.Terms, out.Lang = text.Body, terms.Split(text.Body), text.Lang
	}
	switch {
	case l.Acknowledged == "":
		out.Proof = ProofNone
	case !found:
		out.Proof = ProofMissing
	case terms.Hash(text.Body) != l.Acknowledged:
		out.Proof = ProofAltered
	default:
		out.Proof = ProofWhole
	}
	return out
}

func gatewayName(lang i18n.Lang, name string) string {
	if i18n.Has("shop.pay." + name) {
		return lang.T("shop.pay." + name)
	}
	return name
}

type evidenceView struct {
	ui.Page
	Evidence *Evidence
	Back     string
}

// evidence is a page to print: what was shown and accepted, when, and what was paid.
func (s *Web) evidence(w http.ResponseWriter, r *http.Request) error {
	oid, err := s.mayHold(r)
	if err != nil {
		return err
	}
	lang := ui.LangOf(r)
	v := &evidenceView{Back: "/orders/" + string(oid)}
	v.Page = ui.Page{Section: "orders", Title: lang.T("shop.evidence"), Private: true, Crumbs: []ui.Crumb{{Label: lang.T("ui.nav.orders"), Href: "/orders"}, {Label: lang.T("shop.order.title"), Href: v.Back}, {Label: lang.T("shop.evidence")}}}
	if err := s.Flows.DB.View(r.Context(), func(tx *db.Tx) error {
		v.Evidence, err = EvidenceOf(r.Context(), tx, s.Flows, oid, lang)
		return err
	}); err != nil {
		return err
	}
	s.ui.Render(w, r, http.StatusOK, "shop/evidence", v)
	return nil
}
