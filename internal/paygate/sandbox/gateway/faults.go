package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Faults are the switches of one merchant: what goes wrong from now on. The zero value is a
// gateway that does everything right.
type Faults struct {
	// Notices.
	Copies       int     `json:"copies,omitempty"`        // P1: each try is sent this many more times
	Concurrent   bool    `json:"concurrent,omitempty"`    // P1: the copies go out at once
	DelaySeconds float64 `json:"delay_seconds,omitempty"` // P3: pause before the first try
	Reorder      bool    `json:"reorder,omitempty"`       // P11: a payment's notice waits until a refund's was sent
	Lose         int     `json:"lose,omitempty"`          // P2: the first so many tries get lost; -1: all
	AmountDelta  int64   `json:"amount_delta,omitempty"`  // P4: added to the amount, in minor units
	Currency     string  `json:"currency,omitempty"`      // P4: in place of the right one
	MerchantID   string  `json:"merchant_id,omitempty"`   // P4
	AppID        string  `json:"app_id,omitempty"`        // P4
	OutTradeNo   string  `json:"out_trade_no,omitempty"`  // P5: about another order
	NotifyURL    string  `json:"notify_url,omitempty"`    // P5, S21: sent to another address
	Signature    string  `json:"signature,omitempty"`     // S20: absent, forged, other_key, empty_key, stale, probe
	State        string  `json:"state,omitempty"`         // P7: in place of PAID, rightly signed

	// Payments.
	PayTwice bool `json:"pay_twice,omitempty"` // P17: one click takes the money twice, under two transactions
	LatePay  bool `json:"late_pay,omitempty"`  // P3, P18: takes money after expiry and after closing

	// Refunds.
	RefundSeconds float64 `json:"refund_seconds,omitempty"` // a refund stays PROCESSING for so long
	RefundFails   bool    `json:"refund_fails,omitempty"`   // and then ends as FAILED
	NoFunds       bool    `json:"no_funds,omitempty"`       // our balance at the channel is too low to refund from

	// Calls: by name (callNames) one of AnswerFaults.
	Answers     map[string]string `json:"answers,omitempty"`
	SlowSeconds float64           `json:"slow_seconds,omitempty"` // for the answer "slow"

	Bill string `json:"bill,omitempty"` // P20: missing, extra, amount, cut, gbk

	// Chances make a switch, by its JSON name, work with a probability instead of always. The
	// same seed and the same course of events give the same faults.
	Chances map[string]float64 `json:"chances,omitempty"`
	Seed    uint64             `json:"seed,omitempty"`
}

// AnswerFaults are the ways a call's answer goes wrong, and whether the call has its effect.
var AnswerFaults = map[string]bool{
	"unavailable": false, // HTTP 503
	"error":       false, // HTTP 500 with a page of HTML
	"unknown":     false, // signed: UNKNOWN
	"hang":        false, // no answer
	"garbage":     false, // HTTP 200 with a page of HTML
	"huge":        false, // an answer without end
	"redirect":    false, // HTTP 302
	"absent":      false, // signed: NOT_FOUND
	"slow":        true,  // right, after slow_seconds
	"lost":        true,  // the connection breaks before the answer
	"unclear":     true,  // signed: UNKNOWN, but done
	"unsigned":    true,
	"missigned":   true, // with another key
	"mismatch":    true, // signed, about another order
}

var (
	callNames   = []string{"all", "bill", "certificates", "close", "file", "ping", "prepay", "query", "refund", "refund_query"}
	signatures  = []string{"absent", "forged", "other_key", "empty_key", "stale", "probe"}
	billFaults  = []string{"missing", "extra", "amount", "cut", "gbk"}
	switchNames = func() []string {
		var all map[string]any
		full := Faults{1, true, 1, true, 1, 1, "x", "x", "x", "x", "x", "x", "x", true, true, 1, true, true, map[string]string{"": ""}, 1, "x", nil, 0}
		raw, err := json.Marshal(full)
		if err == nil {
			err = json.Unmarshal(raw, &all)
		}
		if err != nil {
			panic(err)
		}
		return slices.Sorted(maps.Keys(all))
	}()
)

// ParseFaults reads switches strictly: an unknown name is an error, since a misspelt fault
// would let a test pass that tested nothing.
func ParseFaults(raw []byte) (Faults, error) {
	var f Faults
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return Faults{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Faults{}, errors.New("something follows the JSON object")
	}
	return f, f.check()
}

func (f Faults) check() error {
	oneOf := func(name, v string, all []string) error {
		if v != "" && !slices.Contains(all, v) {
			return fmt.Errorf("%s: %.40q is none of %s", name, v, strings.Join(all, ", "))
		}
		return nil
	}
	errs := []error{oneOf("signature", f.Signature, signatures), oneOf("bill", f.Bill, billFaults)}
	for call, how := range f.Answers {
		errs = append(errs, oneOf("answers", call, callNames), oneOf("answers."+call, how, slices.Sorted(maps.Keys(AnswerFaults))))
	}
	for name, p := range f.Chances {
		errs = append(errs, oneOf("chances", name, switchNames))
		if !(p >= 0 && p <= 1) {
			errs = append(errs, fmt.Errorf("chances.%s: %v is not between 0 and 1", name, p))
		}
	}
	for name, v := range map[string]float64{"delay_seconds": f.DelaySeconds, "refund_seconds": f.RefundSeconds, "slow_seconds": f.SlowSeconds} {
		if !(v >= 0 && v <= 1e7) {
			errs = append(errs, fmt.Errorf("%s: %v is not between 0 and 10000000", name, v))
		}
	}
	if f.Copies < 0 || f.Copies > 10_000 {
		errs = append(errs, fmt.Errorf("copies: %d is not between 0 and 10000", f.Copies))
	}
	if f.Lose < -1 {
		errs = append(errs, fmt.Errorf("lose: %d is below -1", f.Lose))
	}
	if u, err := url.Parse(f.NotifyURL); f.NotifyURL != "" && (err != nil || u.Host == "") {
		errs = append(errs, errors.New("notify_url: not an address"))
	}
	return errors.Join(errs...)
}

// any tells whether anything is switched on.
func (f Faults) any() bool {
	raw, err := json.Marshal(f)
	return err != nil || string(raw) != "{}"
}

// hits tells whether a switch works for an event. The die is a hash of seed, switch and
// event, so it falls the same in every replay, in whatever order events come.
func (f Faults) hits(name, event string) bool {
	p, tempered := f.Chances[name]
	if !tempered {
		return true
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%s\n%s", f.Seed, name, event))
	return float64(binary.BigEndian.Uint64(sum[:8])>>11)/(1<<53) < p
}

// rolled is f with the switches off that don't hit the event.
func (f Faults) rolled(event string) Faults {
	if len(f.Chances) == 0 {
		return f
	}
	off := map[string]func(){
		"copies": func() { f.Copies = 0 }, "concurrent": func() { f.Concurrent = false }, "delay_seconds": func() { f.DelaySeconds = 0 },
		"reorder": func() { f.Reorder = false }, "lose": func() { f.Lose = 0 }, "amount_delta": func() { f.AmountDelta = 0 },
		"currency": func() { f.Currency = "" }, "merchant_id": func() { f.MerchantID = "" }, "app_id": func() { f.AppID = "" },
		"out_trade_no": func() { f.OutTradeNo = "" }, "notify_url": func() { f.NotifyURL = "" }, "signature": func() { f.Signature = "" },
		"state": func() { f.State = "" }, "pay_twice": func() { f.PayTwice = false }, "late_pay": func() { f.LatePay = false },
		"refund_seconds": func() { f.RefundSeconds = 0 }, "refund_fails": func() { f.RefundFails = false }, "no_funds": func() { f.NoFunds = false },
		"answers": func() { f.Answers = nil }, "slow_seconds": func() { f.SlowSeconds = 0 }, "bill": func() { f.Bill = "" },
	}
	for name := range f.Chances {
		if !f.hits(name, event) {
			off[name]()
		}
	}
	return f
}

// answer is how a call's answer goes wrong, or "".
func (f Faults) answer(call string) string {
	if how, ok := f.Answers[call]; ok {
		return how
	}
	return f.Answers["all"]
}

// describe names the faults for the journal.
func describe(f Faults) string {
	f.Chances, f.Seed = nil, 0
	raw, err := json.Marshal(f)
	if err != nil || string(raw) == "{}" {
		return ""
	}
	return string(raw)
}
