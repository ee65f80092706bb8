package bench

import (
	"crypto/rand"
	"crypto/sha256"
	"strconv"
	"strings"
	"time"

	"hufu/internal/app"
	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/flow"
	"hufu/internal/flow/terms"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/ledger"
	"hufu/internal/order"
	"hufu/internal/paygate/sandbox/gateway"
	"hufu/internal/vault"
)

// What a purchase of the past took: to pay, to be told of it, to read the code.
const (
	paidAfter = 20 * time.Second
	toldAfter = 500 * time.Millisecond
	readAfter = 5 * time.Second
)

const (
	// perSeal is how many transfers one seal covers: as many as ride in one transaction of
	// a busy shop.
	perSeal = 20
	// jobsKept is for how long a job that is done is kept.
	jobsKept = 7 * 24 * time.Hour
	pastLang = i18n.Lang("zh-CN")
	provider = "sandbox"
)

// bought is one purchase of the past, with all its rows.
type bought struct {
	order       id.Order
	line        id.Line
	reservation id.Reservation
	intent      id.Intent
	notice      id.Notice
	message     id.Notification
	job         id.Job // "" when it is long done and gone

	created, expires, paid, told time.Time
	key, phone, history, header  string
	hash, body                   []byte

	capture  id.Capture
	right    entitlement.Right
	steps    [2]entitlement.Step
	transfer ledger.Transfer
	seal     int64

	code   id.Code
	blind  vault.Index
	sealed vault.Sealed
	last4  string
}

// sealRow is a seal over the transfers of some purchases.
type sealRow struct {
	number, transfers int64
	hash              []byte
	at                time.Time
}

// chunk is the purchases of one transaction.
type chunk struct {
	from   int64 // the place of the first in the batch of codes
	bought []bought
	chain  string
	seals  []sealRow
	data   id.Key // under which the codes are sealed
	index  id.Key

	before <-chan struct{} // closed when the chunk before this one is committed
	done   chan struct{}
}

// maker makes the purchases of a filling, in order. What is slow about them happens here,
// beside the transaction that writes those before.
type maker struct {
	keys    *vault.Keyring
	batch   vault.Batch
	codes   id.Series[id.Code]
	version *catalogue.Version
	part    catalogue.Part
	terms   string // the hash of what each of them accepted
	begun   time.Time
	step    time.Duration
	mark    string // parts this filling's keys from those of others
	recent  time.Time

	chain string
	seal  int64
	head  []byte
}

func newMaker(keys *vault.Keyring, b *vault.Batch, v *catalogue.Version, now time.Time) (*maker, error) {
	codes, err := id.SeriesFrom(b.First)
	if err != nil {
		return nil, err
	}
	mark := strings.ToLower(rand.Text()[:6])
	return &maker{keys: keys, batch: *b, codes: codes, version: v, part: v.Content.Parts[0], terms: terms.In(pastLang, v.Content).Hash,
		begun: b.CreatedAt, step: (pastSpan - pastEnds) / time.Duration(b.Size), mark: mark, recent: now.Add(-jobsKept), chain: "past-" + mark}, nil
}

// at mints an identifier of a moment.
func at[K id.Kind](t time.Time) K { return id.SeriesAt[K](t).At(0) }

// chunk makes n purchases from a place in the batch on.
func (m *maker) chunk(from, n int64) (*chunk, error) {
	c := &chunk{from: from, bought: make([]bought, n), chain: m.chain, data: m.keys.ActiveData(), index: m.keys.ActiveIndex(), done: make(chan struct{})}
	gen, err := m.keys.Generator(m.batch.Key, m.batch.Format, vault.Range{From: m.batch.Counter + uint64(from), To: m.batch.Counter + uint64(from+n)})
	if err != nil {
		return nil, err
	}
	sealer := m.keys.Many()
	code := make([]byte, 0, m.batch.Format.Length())
	for i := range c.bought {
		b := &c.bought[i]
		m.place(b, from+int64(i))
		code, _ = gen.Next(code[:0])
		text := string(code)
		b.code = m.codes.At(uint32(from) + uint32(i))
		b.blind, b.last4 = m.keys.Index(m.batch.Issuer, text), text[len(text)-4:]
		b.sealed = sealer.Seal(b.code, vault.Record{Code: vault.Hidden(text)})
		m.confirm(b)
	}
	clear(code)
	m.sealAll(c)
	return c, nil
}

// place makes what an order leaves that was placed.
func (m *maker) place(b *bought, n int64) {
	b.created = m.begun.Add(time.Duration(n) * m.step).Truncate(time.Microsecond)
	b.expires = b.created.Add(flow.HoldFor)
	b.order, b.line, b.reservation, b.intent = at[id.Order](b.created), at[id.Line](b.created), at[id.Reservation](b.created), at[id.Intent](b.created)
	b.key = strconv.FormatInt(b.created.UnixNano(), 36) + "-" + m.mark
	b.phone = pastPhone(n, m.batch.Size)
	h := sha256.New()
	h.Write([]byte("/api/v1/orders\n\n" + string(orderBody(onSale{m.version.Offer, m.terms}, b.phone))))
	b.hash = h.Sum(nil)
}

// pastPhone is the number of the n-th of so many shoppers. All differ, as far as there are
// numbers, and they rise, so that their index is written page by page.
func pastPhone(n, of int64) string {
	const numbers = 100_000_000
	return "138" + strconv.FormatInt(numbers+n*max(numbers/of, 1)%numbers, 10)[1:]
}

// confirm makes what the payment of an order leaves, and the reading of its code.
func (m *maker) confirm(b *bought) {
	price := m.version.Content.Price
	b.paid = b.created.Add(paidAfter)
	b.told = b.paid.Add(toldAfter)
	b.capture, b.notice, b.message = at[id.Capture](b.paid), at[id.Notice](b.paid), at[id.Notification](b.told)
	if b.paid.After(m.recent) {
		b.job = at[id.Job](b.paid)
	}
	b.history = string(order.Pending) + "@" + strconv.FormatInt(db.Micros(b.created), 10) + ";" + string(order.Fulfilled) + "@" + strconv.FormatInt(db.Micros(b.paid), 10) + ";"
	signature, body := gateway.SignNotice(secret, b.paid, gateway.Notice{ID: "evt-" + b.key, Type: "trade", MerchantID: app.SandboxMerchant, AppID: app.SandboxApp, OutTradeNo: string(b.intent),
		TransactionID: "txn-" + b.key, State: "PAID", Amount: price.Minor, Currency: string(price.Currency), OccurredAt: b.paid})
	b.header, b.body = "Content-Type: application/json\n"+gateway.SignatureHeader+": "+signature+"\n", body
	record := flow.Granted{Order: b.order, Offer: m.version.Offer, Channel: "api", Price: price.Minor, Code: b.code, Capture: b.capture, Cur: price.Currency}
	_, ends, _ := m.part.Validity.Span(m.part.Benefit.ValidDays, b.paid, b.paid)
	b.right = entitlement.Right{ID: at[id.Right](b.paid), Order: b.order, Line: b.line, Benefit: m.part.Benefit.ID, Version: m.version.ID, Kind: m.part.Benefit.Kind,
		Code: b.code, StartsAt: b.paid, EndsAt: ends, GrantedAt: b.paid, Share: price.Minor}
	b.steps[0] = b.right.Follow(entitlement.StepGranted, "guest", record.Text(), b.paid)
	b.steps[1] = b.right.Follow(entitlement.StepRevealed, "holder", `{"confirmed":true}`, b.paid.Add(readAfter))
	b.transfer = ledger.Transfer{Entry: string(b.capture), Leg: 1, Debit: ledger.Gateway(provider, price.Currency), Credit: ledger.Sales(price.Currency),
		Amount: price, Kind: "sale", Order: b.order, At: b.paid}
}

// sealAll seals the transfers of a chunk and goes on with the chain.
func (m *maker) sealAll(c *chunk) {
	for from := 0; from < len(c.bought); from += perSeal {
		some := c.bought[from:min(from+perSeal, len(c.bought))]
		transfers := make([]ledger.Transfer, len(some))
		m.seal++
		for i := range some {
			some[i].seal, transfers[i] = m.seal, some[i].transfer
		}
		m.head = ledger.Seal(m.head, transfers)
		c.seals = append(c.seals, sealRow{m.seal, int64(len(some)), m.head, transfers[0].At})
	}
}
