package paygatetest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"hufu/internal/fault"
	"hufu/internal/money"
	"hufu/internal/paygate"
	"hufu/internal/paygate/sandbox/gateway"
)

// Contract holds an adapter to package paygate. Each test names the payment case (P), fault (F)
// or statement (S) it is about.
func Contract(t *testing.T, p Protocol) {
	for name, test := range map[string]func(*Rig){
		"APaymentFromChargeToNotice":     payment,
		"P1DuplicatesAreOneEvent":        duplicates,
		"P2ALostNoticeIsFoundByAsking":   lost,
		"P3P18PaidAfterTheEnd":           afterTheEnd,
		"P4S23MismatchesAreSeen":         mismatches,
		"P5S21ReplayOnAnotherOrder":      replayed,
		"P7S24UnpaidStatesSigned":        unpaidStates,
		"P8P19TheTimetable":              timetable,
		"P9P18CloseAgainstPay":           closeAgainstPay,
		"P9CloseRacesPay":                closeRaces,
		"P11Refunds":                     refunds,
		"P11F20RefundBeforePay":          refundBeforePay,
		"P17PaidTwice":                   paidTwice,
		"S29ParallelRefunds":             parallelRefunds,
		"P20Bill":                        bill,
		"S20BadSignatures":               badSignatures,
		"S20EveryChangeBreaksIt":         everyChange,
		"F18UnknownIsNeverFailure":       unknown,
		"F18ASlowAnswerIsAnAnswer":       slow,
		"F12NobodyThere":                 nobody,
		"P6TheSelfTest":                  selfTest,
		"ACrashOfTheGatewayLosesNothing": crash,
	} {
		t.Run(name, func(t *testing.T) { test(New(t, p)) })
	}
	if !p.NoUnderwayRefund {
		t.Run("F20RefundLateAndFailed", func(t *testing.T) { lateRefunds(New(t, p)) })
	}
}

func (r *Rig) query(no string) paygate.Payment {
	return r.Adapter.Query(r.Context(), paygate.Ref{MerchantNo: no})
}

func (r *Rig) wantState(no string, want paygate.PaymentState) paygate.Payment {
	r.Helper()
	got := r.query(no)
	if got.State != want {
		r.Errorf("%s is %+v, want %q", no, got, want)
	}
	return got
}

func payment(r *Rig) {
	no := Number(1)
	if got := r.wantState(no, paygate.PaymentAbsent); got.Why != nil {
		r.Errorf("%+v", got)
	}
	way := r.Way(no)
	if status, page := r.Press(way, ""); status != 200 || !strings.Contains(page, "¥19.90") || !strings.Contains(page, "腾讯视频 VIP 月卡 &lt;b&gt;") {
		r.Fatalf("the cashier answers %d: %s", status, page)
	}
	r.wantState(no, paygate.PaymentUnpaid)
	r.Press(way, "fail")
	r.wantState(no, paygate.PaymentUnpaid)
	if again := r.Way(no); again != way {
		r.Errorf("coming back leads to %s, not to %s", again, way)
	}
	r.Clock.Advance(time.Second)
	r.Press(way, "pay")
	n := r.One()
	want := paygate.Notice{EventID: n.EventID, Kind: paygate.NoticePaid, MerchantNo: no, TxnID: n.TxnID, Account: r.Adapter.Account(),
		ProviderState: n.ProviderState, Amount: Paid, OccurredAt: Start.Add(time.Second), PayerID: n.PayerID}
	if n != want || n.EventID == "" || n.TxnID == "" || n.PayerID == "" {
		r.Errorf("notice %+v, want %+v", n, want)
	}
	p := r.wantState(no, paygate.PaymentPaid)
	if p.TxnID != n.TxnID || p.Amount != Paid || p.Account != r.Adapter.Account() || p.PayerID != n.PayerID || !p.PaidAt.Equal(n.OccurredAt) {
		r.Errorf("query after payment: %+v", p)
	}
	r.Press(way, "pay")
	if list := r.Step(); len(list) != 0 {
		r.Error("pressing pay on a paid charge told the shop again")
	}
}

func duplicates(r *Rig) {
	for i, concurrent := range []bool{false, true} {
		r.Faults(gateway.Faults{Copies: 19, Concurrent: concurrent})
		r.Press(r.Way(Number(i)), "pay")
		list := r.Step()
		if len(list) != 20 || len(Events(list)) != 1 {
			r.Errorf("concurrent %v: %d copies of %d events", concurrent, len(list), len(Events(list)))
		}
		for _, g := range list {
			if g.Err != nil || g.Notice != list[0].Notice {
				r.Fatal(g.Err, g.Notice)
			}
		}
	}
}

func lost(r *Rig) {
	r.Faults(gateway.Faults{Lose: -1})
	r.Press(r.Way(Number(1)), "pay")
	for range 30 {
		next, some := r.Gateway.Step(r.Context())
		if !some {
			break
		}
		r.Clock.Advance(next.Sub(r.Clock.Now()))
	}
	if list := r.Received(); len(list) != 0 {
		r.Fatalf("%d notices came through", len(list))
	}
	if got := r.wantState(Number(1), paygate.PaymentPaid); got.Amount != Paid {
		r.Errorf("%+v", got)
	}
}

// P3, P18: a channel that takes the money after expiry or after it said "closed".
func afterTheEnd(r *Rig) {
	r.Faults(gateway.Faults{LatePay: true})
	way := r.Enter(r.Way(Number(1)))
	if got := r.Adapter.Close(r.Context(), paygate.Ref{MerchantNo: Number(1)}); got.State != paygate.CloseDone {
		r.Fatalf("%+v", got)
	}
	if list := r.Step(); r.Protocol.NoClosedNotice != (len(list) == 0) || len(list) == 1 && list[0].Notice.Kind != paygate.NoticeClosed {
		r.Errorf("%+v", list)
	}
	r.Clock.Advance(time.Hour)
	r.Press(way, "pay")
	if n := r.One(); n.Kind != paygate.NoticePaid || n.Amount != Paid {
		r.Errorf("%+v", n)
	}
	r.wantState(Number(1), paygate.PaymentPaid)
}

// P4, S23: what differs is told as it was signed, for whoever compares it with the intent.
func mismatches(r *Rig) {
	for name, c := range map[string]struct {
		f     gateway.Faults
		wrong func(paygate.Notice) bool
	}{
		"amount":   {gateway.Faults{AmountDelta: -1989}, func(n paygate.Notice) bool { return n.Amount == money.Of(1, money.CNY) }},
		"currency": {gateway.Faults{Currency: "JPY"}, func(n paygate.Notice) bool { return n.Amount.Currency == "JPY" }},
		"merchant": {gateway.Faults{MerchantID: "1999999999"}, func(n paygate.Notice) bool { return n.Account == r.Protocol.Foreign[0] }},
		"app":      {gateway.Faults{AppID: "wx_another"}, func(n paygate.Notice) bool { return n.Account == r.Protocol.Foreign[1] }},
	} {
		if name == "currency" && r.Protocol.OneCurrency {
			continue
		}
		r.Run(name, func(t *testing.T) {
			r := New(t, r.Protocol)
			r.Faults(c.f)
			r.Press(r.Way(Number(1)), "pay")
			if n := r.One(); !c.wrong(n) || n.Kind != paygate.NoticePaid {
				r.Errorf("%+v", n)
			}
		})
	}
	r.Faults(gateway.Faults{AmountDelta: -Paid.Minor})
	r.Press(r.Way(Number(2)), "pay")
	WantCode(r, r.Step()[0].Err, "paygate.notice_malformed")
}

// P5, S21: the order is the one in the signed body, whatever address the notice came to.
func replayed(r *Rig) {
	r.Faults(gateway.Faults{NotifyURL: r.Shop.URL + "/pay/notices/another-order"})
	r.Press(r.Way(Number(1)), "pay")
	g := r.Step()[0]
	if g.Path != "/pay/notices/another-order" || g.Err != nil || g.Notice.MerchantNo != Number(1) {
		r.Errorf("%+v", g)
	}
	// A gateway that says of one transaction that it paid two orders: the transaction betrays it.
	r.Faults(gateway.Faults{OutTradeNo: Number(2)})
	r.Gateway.Resend(r.Gateway.Events(r.Protocol.Merchant.ID, Number(1))[0])
	if n := r.One(); n.MerchantNo != Number(2) || n.TxnID != g.Notice.TxnID {
		r.Errorf("%+v", n)
	}
}

func unpaidStates(r *Rig) {
	for i, state := range []string{"UNPAID", "NOTPAY", "PAYERROR", "WAIT_BUYER_PAY", "paid", "success", "PAID ", "REFUND", "0"} {
		r.Faults(gateway.Faults{State: state})
		r.Press(r.Way(Number(i)), "pay")
		if n := r.One(); n.Kind != paygate.NoticeUnpaid || n.ProviderState != state {
			r.Errorf("%q reads as %+v", state, n)
		}
	}
}

// P8, P19: a notice that isn't taken comes again, on the channel's timetable, as the same
// event, until it is taken or the table ends.
func timetable(r *Rig) {
	table := gateway.Timetables[r.Protocol.Merchant.Timetable]
	refused := 0
	r.Refuse = func(Got) bool { refused++; return refused <= len(table) }
	r.Press(r.Way(Number(1)), "pay")
	var all []Got
	for try := 0; ; try++ {
		next, some := r.Gateway.Step(r.Context())
		list := r.Received()
		if len(list) != 1 || list[0].Err != nil || list[0].Notice != append(all, list...)[0].Notice {
			r.Fatalf("try %d brought %+v", try+1, list)
		}
		all = append(all, list...)
		if !some {
			break
		}
		if wait := next.Sub(r.Clock.Now()); wait != table[try] {
			r.Errorf("after try %d it waits %v, want %v", try+1, wait, table[try])
		}
		r.Clock.Advance(next.Sub(r.Clock.Now()))
	}
	if len(all) != len(table)+1 || len(Events(all)) != 1 {
		r.Errorf("%d tries of %d events", len(all), len(Events(all)))
	}
}

func closeAgainstPay(r *Rig) {
	closing := func(no string) paygate.CloseState {
		return r.Adapter.Close(r.Context(), paygate.Ref{MerchantNo: no}).State
	}
	r.Pay(Number(1))
	if got := closing(Number(1)); got != paygate.ClosePaid {
		r.Errorf("closing a paid charge: %q", got)
	}
	way := r.Way(Number(2))
	r.Press(way, "")
	for range 2 {
		if got := closing(Number(2)); got != paygate.CloseDone {
			r.Errorf("closing what was never paid: %q", got)
		}
	}
	r.Press(way, "pay")
	r.wantState(Number(2), paygate.PaymentClosed)
	if want := map[bool]paygate.CloseState{true: paygate.CloseAbsent, false: paygate.CloseDone}[r.Protocol.NoUnseenClose]; closing(Number(3)) != want {
		r.Errorf("closing what nobody has heard of isn't %q", want)
	}
	r.Faults(gateway.Faults{Answers: map[string]string{"close": "absent"}})
	if got := closing(Number(4)); got != paygate.CloseAbsent {
		r.Errorf("%q", got)
	}
}

// P9: of a close and a payment at once, exactly one wins, and both sides say the same.
func closeRaces(r *Rig) {
	for i := range 20 {
		no := Number(i)
		way := r.Way(no)
		r.Press(way, "")
		closed := make(chan paygate.Closing)
		go func() { closed <- r.Adapter.Close(context.Background(), paygate.Ref{MerchantNo: no}) }()
		r.Press(way, "pay")
		c, p := <-closed, r.query(no)
		if !(c.State == paygate.ClosePaid && p.State == paygate.PaymentPaid) && !(c.State == paygate.CloseDone && p.State == paygate.PaymentClosed) {
			r.Fatalf("close says %+v, query says %+v", c, p)
		}
	}
}

func refunds(r *Rig) {
	n := r.Pay(Number(1))
	first := r.Adapter.Refund(r.Context(), r.Refund(n, "refund_0001", 990))
	if first.State != paygate.RefundDone || first.Amount.Minor != 990 || !first.DoneAt.Equal(Start) {
		r.Fatalf("%+v", first)
	}
	told := r.One()
	if told.Kind != paygate.NoticeRefund || told.TxnID != n.TxnID || told.MerchantNo != n.MerchantNo || told.Amount != Paid ||
		told.Refund.RefundNo != "refund_0001" || told.Refund.State != paygate.RefundDone {
		r.Errorf("%+v", told)
	}
	if !r.Protocol.NoRefundAmount && told.Refund.Amount.Minor != 990 || !r.Protocol.NoRefundTotal && told.Refund.Total.Minor != 990 {
		r.Errorf("%+v", told.Refund)
	}
	// The same again is the same refund; another amount under its number is not.
	if again := r.Adapter.Refund(r.Context(), r.Refund(n, "refund_0001", 990)); again != first {
		r.Errorf("%+v, then %+v", first, again)
	}
	if got := r.Adapter.QueryRefund(r.Context(), r.Refund(n, "refund_0001", 990).Ref()); got != first {
		r.Errorf("%+v, asked %+v", first, got)
	}
	refused := func(what string, q paygate.RefundRequest, kind fault.Kind) {
		r.Helper()
		if got := r.Adapter.Refund(r.Context(), q); got.State != paygate.RefundRefused || fault.KindOf(got.Why) != kind {
			r.Errorf("%s: %+v", what, got)
		}
	}
	refused("another amount", r.Refund(n, "refund_0001", 991), fault.Conflict)
	refused("more than is left", r.Refund(n, "refund_0002", 1001), fault.Conflict)
	if rest := r.Adapter.Refund(r.Context(), r.Refund(n, "refund_0003", 1000)); rest.State != paygate.RefundDone {
		r.Errorf("%+v", rest)
	}
	if told := r.One(); told.Refund.State != paygate.RefundDone {
		r.Errorf("%+v", told)
	}
	r.wantState(Number(1), paygate.PaymentPaid)
	unpaid := paygate.Notice{MerchantNo: Number(9), TxnID: "nobody_paid_this"}
	refused("nothing paid", r.Refund(unpaid, "refund_0009", 1), fault.Conflict)
	for what, q := range map[string]paygate.RefundRequest{"nothing": r.Refund(n, "refund_0004", 0), "less than nothing": r.Refund(n, "refund_0005", -1), "no number": r.Refund(n, "", 1)} {
		refused(what, q, fault.Invalid)
	}
	if got := r.Adapter.QueryRefund(r.Context(), r.Refund(n, "refund_9999", 1).Ref()); got.State != paygate.RefundAbsent || got.Why != nil {
		r.Errorf("%+v", got)
	}
}

func refundBeforePay(r *Rig) {
	r.Faults(gateway.Faults{Reorder: true})
	r.Press(r.Way(Number(1)), "pay")
	if list := r.Step(); len(list) != 0 {
		r.Fatal("the payment's notice wasn't held")
	}
	p := r.query(Number(1))
	r.Adapter.Refund(r.Context(), r.Refund(paygate.Notice{MerchantNo: Number(1), TxnID: p.TxnID}, "refund_0001", 1990))
	if list := r.Step(); len(list) != 2 || list[0].Notice.Kind != paygate.NoticeRefund || list[1].Notice.Kind != paygate.NoticePaid {
		r.Errorf("%+v", list)
	}
}

func paidTwice(r *Rig) {
	r.Faults(gateway.Faults{PayTwice: true})
	r.Press(r.Way(Number(1)), "pay")
	list := r.Step()
	if len(list) != 2 || list[0].Notice.TxnID == list[1].Notice.TxnID || len(Events(list)) != 2 || list[1].Notice.MerchantNo != Number(1) {
		r.Fatalf("%+v", list)
	}
	for i, g := range list { // each payment is found and given back on its own
		if p := r.Adapter.Query(r.Context(), paygate.Ref{MerchantNo: Number(1), TxnID: g.Notice.TxnID}); p.TxnID != g.Notice.TxnID {
			r.Errorf("%+v", p)
		}
		if got := r.Adapter.Refund(r.Context(), r.Refund(g.Notice, Number(10+i), 1990)); got.State != paygate.RefundDone {
			r.Errorf("%+v", got)
		}
	}
}

// S29: refunds at once never exceed what was captured.
func parallelRefunds(r *Rig) {
	n := r.Pay(Number(1))
	done := make(chan paygate.RefundResult)
	for i := range 20 {
		go func() { done <- r.Adapter.Refund(context.Background(), r.Refund(n, Number(100+i), 500)) }()
	}
	sum := int64(0)
	for range 20 {
		if got := <-done; got.State == paygate.RefundDone {
			sum += got.Amount.Minor
		} else if got.State != paygate.RefundRefused {
			r.Errorf("%+v", got)
		}
	}
	if sum != 1500 {
		r.Errorf("%d refunded of 1990 in parts of 500", sum)
	}
}

// F20: refunds that take their time, and end well or not.
func lateRefunds(r *Rig) {
	for fails, state := range map[bool]paygate.RefundState{false: paygate.RefundDone, true: paygate.RefundFailed} {
		r.Run(string(state), func(t *testing.T) {
			r := New(t, r.Protocol)
			n := r.Pay(Number(1))
			r.Faults(gateway.Faults{RefundSeconds: 60, RefundFails: fails})
			req := r.Refund(n, "refund_0001", 1990)
			if got := r.Adapter.Refund(r.Context(), req); got.State != paygate.RefundPending {
				r.Fatalf("%+v", got)
			}
			if got := r.Adapter.QueryRefund(r.Context(), req.Ref()); got.State != paygate.RefundPending {
				r.Fatalf("%+v", got)
			}
			if got := r.Adapter.Refund(r.Context(), r.Refund(n, "refund_0009", 1)); got.State != paygate.RefundRefused {
				r.Errorf("a refund under way doesn't bind the money: %+v", got)
			}
			r.Clock.Advance(time.Minute)
			got := r.Adapter.QueryRefund(r.Context(), req.Ref())
			if got.State != state {
				r.Errorf("%+v", got)
			} else if fails {
				WantCode(r, got.Why, "paygate.refund_failed")
			}
			if n := r.One(); n.Refund.State != state {
				r.Errorf("%+v", n)
			}
			// Money that didn't go back can be given back under a number of its own.
			again := r.Adapter.Refund(r.Context(), r.Refund(n, "refund_0002", 1990))
			if (again.State == paygate.RefundPending) != fails {
				r.Errorf("after %v: %+v", state, again)
			}
		})
	}
}

// P20: the bill tells of every payment and refund, with the fee.
func bill(r *Rig) {
	biller := r.Adapter.(paygate.Biller)
	read := func(day time.Time) (lines []paygate.BillLine, err error) {
		err = biller.Bill(r.Context(), day, func(l paygate.BillLine) error { lines = append(lines, l); return nil })
		return lines, err
	}
	n := r.Pay(Number(1))
	r.Adapter.Refund(r.Context(), r.Refund(n, "refund_0001", 990))
	r.Step()
	r.Pay(Number(2))
	// 12:15 UTC is 20:15 in Beijing; four hours on is the next day's bill.
	r.Clock.Advance(4 * time.Hour)
	r.Pay(Number(3))
	if r.Protocol.BillAfter > 0 {
		if lines, err := read(Start); fault.KindOf(err) != fault.Unavailable || len(lines) != 0 {
			r.Errorf("before it is made: %+v, %v", lines, err)
		}
	}
	r.Clock.Advance(20*time.Hour + r.Protocol.BillAfter)
	lines, err := read(Start)
	if err != nil || len(lines) != 3 {
		r.Fatal(lines, err)
	}
	want := paygate.BillLine{Row: lines[0].Row, Kind: paygate.BillPayment, MerchantNo: Number(1), TxnID: n.TxnID, Account: r.Adapter.Account(),
		Amount: Paid, Fee: money.Of(12, money.CNY), ProviderState: lines[0].ProviderState, At: Start}
	if lines[0] != want || want.ProviderState == "" {
		r.Errorf("%+v, want %+v", lines[0], want)
	}
	if l := lines[1]; l.Kind != paygate.BillRefund || l.RefundNo != "refund_0001" || l.TxnID != n.TxnID || l.Amount.Minor != 990 || l.Fee.Minor != -6 || l.Row != lines[0].Row+1 {
		r.Errorf("%+v", l)
	}
	if lines, err := read(Start.AddDate(0, 0, -9)); err != nil || len(lines) != 0 {
		r.Error("a day without movement:", lines, err)
	}
	for bad, check := range map[string]func() bool{
		"missing": func() bool { return err == nil && len(lines) == 2 },
		"extra":   func() bool { return err == nil && len(lines) == 4 && lines[3].MerchantNo == "nobody-knows-this" },
		"amount":  func() bool { return err == nil && lines[0].Amount.Minor == 19900 },
	} {
		r.Faults(gateway.Faults{Bill: bad})
		if lines, err = read(Start); !check() {
			r.Errorf("%s: %+v, %v", bad, lines, err)
		}
	}
	for _, bad := range []string{"cut", "gbk"} {
		r.Faults(gateway.Faults{Bill: bad})
		lines, err = read(Start)
		WantCode(r, err, "paygate.bill_malformed")
		if len(lines) != 0 {
			r.Errorf("%s: %d lines of a damaged bill were handed on", bad, len(lines))
		}
	}
	for _, how := range []string{"unsigned", "missigned", "garbage", "unknown"} {
		r.Faults(gateway.Faults{Answers: map[string]string{"bill": how}})
		if lines, err = read(Start); fault.KindOf(err) != fault.Unavailable || len(lines) != 0 {
			r.Errorf("%s: %v", how, err)
		}
	}
}

func badSignatures(r *Rig) {
	for how, code := range map[string]string{
		"absent": "paygate.signature_missing", "forged": "paygate.signature_wrong", "other_key": "paygate.signature_wrong",
		"probe": "paygate.signature_wrong", "stale": "paygate.signature_stale",
	} {
		if how == "stale" && r.Protocol.NoSigningTime {
			continue
		}
		r.Run(how, func(t *testing.T) {
			r := New(t, r.Protocol)
			r.Faults(gateway.Faults{Signature: how})
			r.Press(r.Way(Number(1)), "pay")
			list := r.Step()
			if len(list) != 1 || list[0].Notice != (paygate.Notice{}) {
				r.Fatalf("%+v", list)
			}
			WantCode(r, list[0].Err, code)
			if kind := fault.KindOf(list[0].Err); kind != fault.Unauthenticated {
				r.Error(kind)
			}
			// Refused, so it comes again; right this time.
			r.Faults(gateway.Faults{})
			r.Clock.Advance(gateway.Timetables[r.Protocol.Merchant.Timetable][0])
			r.One()
		})
	}
}

// S20: every bit of what is signed counts.
func everyChange(r *Rig) {
	r.Press(r.Way(Number(1)), "pay")
	g := r.Step()[0]
	for i := range g.Body {
		changed := append([]byte(nil), g.Body...)
		changed[i] ^= 1
		if n, err := r.Adapter.ParseNotice(g.Header, changed); err == nil && n != g.Notice {
			r.Fatalf("byte %d may be changed: %+v", i, n)
		}
	}
	if _, err := r.Adapter.ParseNotice(g.Header, make([]byte, paygate.MaxNotice+1)); err == nil {
		r.Error("an endless body is read")
	}
	if _, err := r.Adapter.ParseNotice(http.Header{}, g.Body); err == nil && len(g.Header.Values("Content-Type")) > 0 && !strings.Contains(string(g.Body), "sign=") {
		r.Error("a notice without its headers is believed")
	}
}

// F18, S53, P13: whatever comes back that isn't a signed answer to the question is "unknown", on
// each call, and the question asked again tells what happened.
func unknown(r *Rig) {
	for how, hasEffect := range gateway.AnswerFaults {
		if how == "absent" || how == "slow" {
			continue
		}
		r.Run(how, func(t *testing.T) {
			r := New(t, r.Protocol)
			n := r.Pay(Number(1))
			r.Press(r.Way(Number(2)), "")
			patient := r.Adapter
			if how == "hang" {
				r.Adapter = r.Open(100 * time.Millisecond)
				r.query(Number(1)) // so that it knows whatever it has to know of the channel
			}
			r.Faults(gateway.Faults{Answers: map[string]string{"all": how}})
			unsure := func(what string, known bool, why error) {
				r.Helper()
				if known || fault.KindOf(why) != fault.Unavailable {
					r.Errorf("%s: known %v, %v", what, known, why)
				}
			}
			p := r.query(Number(1))
			unsure("query", p.State != paygate.PaymentUnknown, p.Why)
			if how != "mismatch" { // an answer without a body speaks of no order
				c := r.Adapter.Close(r.Context(), paygate.Ref{MerchantNo: Number(2)})
				unsure("close", c.State != paygate.CloseUnknown, c.Why)
			}
			req := r.Refund(n, "refund_0001", 1990)
			f := r.Adapter.Refund(r.Context(), req)
			unsure("refund", f.State != paygate.RefundUnknown, f.Why)
			q := r.Adapter.QueryRefund(r.Context(), req.Ref())
			unsure("query refund", q.State != paygate.RefundUnknown, q.Why)
			if err := r.Adapter.SelfTest(r.Context()); err == nil && how != "mismatch" {
				r.Error("the self-test passes")
			}

			r.Faults(gateway.Faults{})
			r.Adapter = patient
			q = r.Adapter.QueryRefund(r.Context(), req.Ref())
			if want := map[bool]paygate.RefundState{true: paygate.RefundDone, false: paygate.RefundAbsent}[hasEffect]; q.State != want {
				r.Errorf("asked again: %+v, want %s", q, want)
			}
			// The same request again makes it one refund either way (P11, P13).
			if f := r.Adapter.Refund(r.Context(), req); f.State != paygate.RefundDone || f.Amount != Paid {
				r.Errorf("sent again: %+v", f)
			}
		})
	}
}

func slow(r *Rig) {
	r.Pay(Number(1))
	r.Faults(gateway.Faults{Answers: map[string]string{"query": "slow"}, SlowSeconds: 0.001})
	r.wantState(Number(1), paygate.PaymentPaid)
}

func nobody(r *Rig) {
	r.HTTP.Close()
	WantCode(r, r.wantState(Number(1), paygate.PaymentUnknown).Why, "paygate.unreachable")
	if _, err := r.Adapter.Cashier(r.Context(), r.Charge(Number(1))); err != nil && fault.KindOf(err) != fault.Unavailable {
		r.Error(err)
	}
}

// P6, S26: the self-test passes with the right keys, whatever the channel's clock says a moment
// later, and fails against a channel that doesn't hold them.
func selfTest(r *Rig) {
	if err := r.Adapter.SelfTest(r.Context()); err != nil {
		r.Error(err)
	}
	r.Faults(gateway.Faults{Answers: map[string]string{"all": "missigned"}})
	WantCode(r, r.Adapter.SelfTest(r.Context()), "paygate.answer_unsigned")
}

// F20: what the gateway promised it keeps through its own crash.
func crash(r *Rig) {
	r.Press(r.Way(Number(1)), "pay")
	r.Gateway.Close()
	r.OpenGateway()
	r.Adapter = r.Open(0)
	r.query(Number(1)) // so that it knows whatever it has to know of the channel
	if n := r.One(); n.Kind != paygate.NoticePaid {
		r.Errorf("%+v", n)
	}
	r.wantState(Number(1), paygate.PaymentPaid)
}
