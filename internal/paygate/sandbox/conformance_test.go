package sandbox_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"hufu/internal/clock"
	"hufu/internal/money"
	"hufu/internal/paygate"
	"hufu/internal/paygate/sandbox"
	"hufu/internal/paygate/sandbox/gateway"
)

func TestAPaymentFromLinkToNotice(t *testing.T) {
	r := newRig(t)
	no := number(1)
	if got := r.ad.Query(t.Context(), paygate.Ref{MerchantNo: no}); got.State != paygate.PaymentAbsent || got.Why != nil {
		t.Errorf("before the link is opened: %+v", got)
	}
	link := r.link(no)
	status, page := r.press(link, "")
	if status != 200 {
		t.Fatalf("the cashier answers %d", status)
	}
	contains(t, page, "Sandbox Cashier", "虎符影视", "¥19.90", no, "腾讯视频 VIP 月卡 &amp; &lt;b&gt;", "--from:900")
	if got := r.ad.Query(t.Context(), paygate.Ref{MerchantNo: no}); got.State != paygate.PaymentUnpaid {
		t.Errorf("opened: %+v", got)
	}
	_, page = r.press(link, "fail")
	contains(t, page, "did not go through")
	if got := r.ad.Query(t.Context(), paygate.Ref{MerchantNo: no}); got.State != paygate.PaymentUnpaid || got.ProviderState != "PAYERROR" {
		t.Errorf("after a failed attempt: %+v", got)
	}
	r.clock.Advance(time.Second)
	_, page = r.press(link, "pay")
	contains(t, page, "Payment successful", "status=paid")

	n := r.one()
	want := paygate.Notice{EventID: n.EventID, Kind: paygate.NoticePaid, MerchantNo: no, TxnID: n.TxnID, Account: r.ad.Account(),
		ProviderState: "PAID", Amount: yuan, OccurredAt: start.Add(time.Second), PayerID: n.PayerID}
	if n != want || n.EventID == "" || n.TxnID == "" || n.PayerID == "" {
		t.Errorf("notice %+v, want %+v", n, want)
	}
	p := r.ad.Query(t.Context(), paygate.Ref{MerchantNo: no})
	if p.State != paygate.PaymentPaid || p.TxnID != n.TxnID || p.Amount != yuan || p.Account != r.ad.Account() || p.PayerID != n.PayerID || !p.PaidAt.Equal(n.OccurredAt) {
		t.Errorf("query after payment: %+v", p)
	}
	if _, page = r.press(link, "pay"); !strings.Contains(page, "Payment successful") {
		t.Error("a paid trade shows that it is paid")
	}
	if r.gw.Step(t.Context()); len(r.received()) != 0 {
		t.Error("pressing pay on a paid trade told the shop again")
	}
}

func TestTheCashierSpeaksChineseAndShowsProblems(t *testing.T) {
	r := newRig(t)
	link := r.link(number(1))
	_, page := r.press(strings.Replace(link, "lang=en", "lang=zh-CN", 1), "")
	contains(t, page, `lang="zh-CN"`, "确认付款 ¥19.90", "模拟付款失败", "取消并返回", "剩余时间")

	other, err := r.ad.Cashier(t.Context(), paygate.Charge{MerchantNo: number(1), Amount: money.Of(1, money.CNY), Subject: "x",
		NotifyURL: r.shop.URL, ReturnURL: r.shop.URL, ExpiresAt: start.Add(time.Hour), Lang: "en"})
	if err != nil {
		t.Fatal(err)
	}
	if status, page := r.press(other.RedirectURL, ""); status != http.StatusConflict || !strings.Contains(page, "already in use") {
		t.Errorf("one number with two amounts: %d", status)
	}
}

// S17: what the browser carries is worth nothing once it is changed.
func TestS17AChangedLinkIsRefused(t *testing.T) {
	r := newRig(t)
	link, err := url.Parse(r.link(number(1)))
	if err != nil {
		t.Fatal(err)
	}
	for name := range link.Query() {
		if name == "lang" {
			continue
		}
		for what, change := range map[string]func(url.Values){
			"changed":  func(q url.Values) { q.Set(name, "1"+q.Get(name)) },
			"gone":     func(q url.Values) { q.Del(name) },
			"twice":    func(q url.Values) { q.Add(name, "1") },
			"followed": func(q url.Values) { q.Set(name, q.Get(name)+"\nsubject=x") },
		} {
			q := link.Query()
			change(q)
			changed := *link
			changed.RawQuery = q.Encode()
			if status, _ := r.press(changed.String(), "pay"); status != http.StatusForbidden {
				t.Errorf("%s %s: %d", name, what, status)
			}
		}
	}
	if got := r.ad.Query(t.Context(), paygate.Ref{MerchantNo: number(1)}); got.State != paygate.PaymentAbsent {
		t.Errorf("a changed link left %+v", got)
	}
}

func TestP1DuplicatesAreOneEvent(t *testing.T) {
	for _, concurrent := range []bool{false, true} {
		r := newRig(t)
		r.faults(gateway.Faults{Copies: 49, Concurrent: concurrent})
		r.press(r.link(number(1)), "pay")
		r.gw.Step(t.Context())
		list := r.received()
		if len(list) != 50 || len(r.events(list)) != 1 {
			t.Errorf("concurrent %v: %d copies of %d events", concurrent, len(list), len(r.events(list)))
		}
		for _, g := range list {
			if g.err != nil {
				t.Fatal(g.err)
			}
		}
	}
}

// S22, F16: a notice verifies however often it comes, and says the same each time.
func TestS22F16AThousandCopies(t *testing.T) {
	r := newRig(t)
	r.press(r.link(number(1)), "pay")
	r.gw.Step(t.Context())
	g := r.received()[0]
	for range 1000 {
		if n, err := r.ad.ParseNotice(g.header, g.body); err != nil || n != g.notice {
			t.Fatal(n, err)
		}
	}
}

func TestP2ALostNoticeIsFoundByAsking(t *testing.T) {
	r := newRig(t)
	r.faults(gateway.Faults{Lose: -1})
	r.press(r.link(number(1)), "pay")
	for range 30 {
		next, some := r.gw.Step(t.Context())
		if !some {
			break
		}
		r.clock.Advance(next.Sub(r.clock.Now()))
	}
	if list := r.received(); len(list) != 0 {
		t.Fatalf("%d notices came through", len(list))
	}
	if got := r.ad.Query(t.Context(), paygate.Ref{MerchantNo: number(1)}); got.State != paygate.PaymentPaid || got.Amount != yuan {
		t.Errorf("query: %+v", got)
	}
}

func TestP2TheFirstTriesLost(t *testing.T) {
	r := newRig(t)
	r.faults(gateway.Faults{Lose: 2})
	r.press(r.link(number(1)), "pay")
	for i, pause := range []time.Duration{0, 15 * time.Second, 15 * time.Second} {
		r.clock.Advance(pause)
		r.gw.Step(t.Context())
		if got := len(r.received()); got != i/2 {
			t.Errorf("try %d brought %d notices", i+1, got)
		}
	}
}

func TestP3ALateNotice(t *testing.T) {
	r := newRig(t)
	r.faults(gateway.Faults{DelaySeconds: 3600})
	r.press(r.link(number(1)), "pay")
	if r.gw.Step(t.Context()); len(r.received()) != 0 {
		t.Fatal("the notice wasn't delayed")
	}
	r.clock.Advance(time.Hour)
	if n := r.one(); !n.OccurredAt.Equal(start) || n.Kind != paygate.NoticePaid {
		t.Errorf("%+v", n)
	}
}

// P3, P18: a channel that takes the money after expiry or after it said "closed".
func TestP3P18PaidAfterTheEnd(t *testing.T) {
	r := newRig(t)
	r.faults(gateway.Faults{LatePay: true})
	link := r.link(number(1))
	r.press(link, "")
	if got := r.ad.Close(t.Context(), paygate.Ref{MerchantNo: number(1)}); got.State != paygate.CloseDone {
		t.Fatalf("%+v", got)
	}
	if n := r.one(); n.Kind != paygate.NoticeClosed {
		t.Errorf("%+v", n)
	}
	r.clock.Advance(time.Hour)
	_, page := r.press(link, "")
	contains(t, page, "Late payment is switched on")
	r.press(link, "pay")
	n := r.one()
	if n.Kind != paygate.NoticePaid || !n.OccurredAt.After(start.Add(15*time.Minute)) {
		t.Errorf("%+v", n)
	}
	if got := r.ad.Query(t.Context(), paygate.Ref{MerchantNo: number(1)}); got.State != paygate.PaymentPaid {
		t.Errorf("%+v", got)
	}
}

func TestAfterItsEndATradeCannotBePaid(t *testing.T) {
	r := newRig(t)
	link := r.link(number(1))
	r.press(link, "")
	r.clock.Advance(15 * time.Minute)
	_, page := r.press(link, "pay")
	contains(t, page, "This payment is closed")
	if n := r.one(); n.Kind != paygate.NoticeClosed || n.ProviderState != "CLOSED" {
		t.Errorf("%+v", n)
	}
	if got := r.ad.Query(t.Context(), paygate.Ref{MerchantNo: number(1)}); got.State != paygate.PaymentClosed {
		t.Errorf("%+v", got)
	}
}

// P4, S23: what differs is told as it was signed, for whoever compares it with the intent.
func TestP4S23MismatchesAreSeen(t *testing.T) {
	for name, c := range map[string]struct {
		f     gateway.Faults
		wrong func(paygate.Notice) bool
	}{
		"amount":   {gateway.Faults{AmountDelta: -1989}, func(n paygate.Notice) bool { return n.Amount == money.Of(1, money.CNY) }},
		"currency": {gateway.Faults{Currency: "JPY"}, func(n paygate.Notice) bool { return n.Amount == money.Of(1990, money.JPY) }},
		"no money": {gateway.Faults{Currency: "XTS"}, func(n paygate.Notice) bool { return n.Amount.Currency == "XTS" }},
		"merchant": {gateway.Faults{MerchantID: "m_slow"}, func(n paygate.Notice) bool { return n.Account == "m_slow/app_1" }},
		"app":      {gateway.Faults{AppID: "m_slow"}, func(n paygate.Notice) bool { return n.Account == "m_hufu/m_slow" }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.faults(c.f)
			r.press(r.link(number(1)), "pay")
			if n := r.one(); !c.wrong(n) || n.Kind != paygate.NoticePaid {
				t.Errorf("%+v", n)
			}
		})
	}
}

func TestP4NoAmountAtAllIsMalformed(t *testing.T) {
	r := newRig(t)
	r.faults(gateway.Faults{AmountDelta: -1990})
	r.press(r.link(number(1)), "pay")
	r.gw.Step(t.Context())
	wantCode(t, r.received()[0].err, "paygate.notice_malformed")
}

// P5, S21: the order is the one in the signed body, whatever address the notice came to.
func TestP5S21ReplayOnAnotherOrder(t *testing.T) {
	r := newRig(t)
	r.faults(gateway.Faults{NotifyURL: r.shop.URL + "/pay/notices/another-order"})
	r.press(r.link(number(1)), "pay")
	r.gw.Step(t.Context())
	g := r.received()[0]
	if g.path != "/pay/notices/another-order" || g.err != nil || g.notice.MerchantNo != number(1) {
		t.Errorf("%+v", g)
	}
	first := g.notice

	// A gateway that says of one transaction that it paid two orders: the transaction betrays it.
	r.faults(gateway.Faults{OutTradeNo: number(2)})
	r.gw.Resend(first.EventID)
	if n := r.one(); n.MerchantNo != number(2) || n.TxnID != first.TxnID {
		t.Errorf("%+v", n)
	}
}

func TestP6S26WeakKeysDoNotStart(t *testing.T) {
	r := newRig(t)
	for code, secrets := range map[string][]string{
		"paygate.key_missing": {}, "paygate.key_short": {secretA, "short"}, "paygate.key_weak": {strings.Repeat("a", 40)},
	} {
		_, err := sandbox.New(sandbox.Config{BaseURL: r.gwHTTP.URL, MerchantID: "m_hufu", AppID: "app_1", Secrets: secrets})
		wantCode(t, err, code)
	}
	_, err := gateway.New(gateway.Config{Merchants: []gateway.Merchant{{ID: "m", AppID: "a", Secrets: []string{"short"}}}})
	wantCode(t, err, "sandbox.merchant_malformed")
	if err := r.ad.SelfTest(t.Context()); err != nil {
		t.Error(err)
	}
	// The right length and the wrong key.
	wantCode(t, r.adapter(sandbox.Config{Secrets: []string{secretB}}).SelfTest(t.Context()), "paygate.answer_rejected")
	// A gateway that doesn't hold the key can't pass for the real one.
	r.faults(gateway.Faults{Answers: map[string]string{"ping": "missigned"}})
	wantCode(t, r.ad.SelfTest(t.Context()), "paygate.answer_unsigned")
}

func TestP7S24UnpaidStatesSignedRightly(t *testing.T) {
	for _, state := range []string{"UNPAID", "PAYERROR", "WAIT_BUYER_PAY", "paid", "PAID ", "SUCCESS", "REFUND", "0"} {
		r := newRig(t)
		r.faults(gateway.Faults{State: state})
		r.press(r.link(number(1)), "pay")
		if n := r.one(); n.Kind != paygate.NoticeUnpaid || n.ProviderState != state {
			t.Errorf("%q reads as %+v", state, n)
		}
	}
}

// P8, P19: a notice that isn't taken comes again, on the channel's timetable, as the same
// event, until it is taken or the table ends.
func TestP8P19NoticesComeOnTheTimetable(t *testing.T) {
	for merchant, total := range map[string]time.Duration{"m_hufu": 24*time.Hour + 4*time.Minute, "m_slow": 24*time.Hour + 24*time.Minute} {
		r := newRig(t)
		table := gateway.Timetables["wechat"]
		if merchant == "m_slow" {
			table = gateway.Timetables["alipay"]
			r.ad = r.adapter(sandbox.Config{MerchantID: "m_slow", AppID: "app_2", Secrets: []string{secretB}})
		}
		r.refuse = func(got) bool { return true }
		r.press(r.link(number(1)), "pay")
		var all []got
		for try := 0; ; try++ {
			next, some := r.gw.Step(t.Context())
			list := r.received()
			if len(list) != 1 || list[0].err != nil {
				t.Fatalf("%s: try %d brought %+v", merchant, try+1, list)
			}
			all = append(all, list...)
			if !some {
				break
			}
			if wait := next.Sub(r.clock.Now()); wait != table[try] {
				t.Errorf("%s: after try %d it waits %v, want %v", merchant, try+1, wait, table[try])
			}
			r.clock.Advance(next.Sub(r.clock.Now()))
		}
		if len(all) != len(table)+1 || r.clock.Now().Sub(start) != total || len(r.events(all)) != 1 {
			t.Errorf("%s: %d tries in %v", merchant, len(all), r.clock.Now().Sub(start))
		}
	}
}

func TestP8TakenAtTheSecondTry(t *testing.T) {
	r := newRig(t)
	tries := 0
	r.refuse = func(got) bool { tries++; return tries == 1 }
	r.press(r.link(number(1)), "pay")
	first := r.one()
	r.clock.Advance(15 * time.Second)
	if again := r.one(); again != first {
		t.Errorf("%+v, then %+v", first, again)
	}
	if _, some := r.gw.Step(t.Context()); some {
		t.Error("something is still due")
	}
}

func TestP9P18CloseAgainstPay(t *testing.T) {
	r := newRig(t)
	r.pay(number(1))
	if got := r.ad.Close(t.Context(), paygate.Ref{MerchantNo: number(1)}); got.State != paygate.ClosePaid {
		t.Errorf("closing a paid trade: %+v", got)
	}
	// A link that was never opened can be closed, and then not be paid.
	link := r.link(number(2))
	for range 2 {
		if got := r.ad.Close(t.Context(), paygate.Ref{MerchantNo: number(2)}); got.State != paygate.CloseDone {
			t.Errorf("closing what was never opened: %+v", got)
		}
	}
	_, page := r.press(link, "pay")
	contains(t, page, "This payment is closed")
	if got := r.ad.Query(t.Context(), paygate.Ref{MerchantNo: number(2)}); got.State != paygate.PaymentClosed {
		t.Errorf("%+v", got)
	}
	r.faults(gateway.Faults{Answers: map[string]string{"close": "absent"}})
	if got := r.ad.Close(t.Context(), paygate.Ref{MerchantNo: number(3)}); got.State != paygate.CloseAbsent {
		t.Errorf("%+v", got)
	}
}

// P9: of a close and a payment at once, exactly one wins, and both sides say the same.
func TestP9CloseRacesPay(t *testing.T) {
	r := newRig(t)
	for i := range 40 {
		no := number(i)
		link := r.link(no)
		r.press(link, "")
		closed := make(chan paygate.Closing)
		go func() { closed <- r.ad.Close(context.Background(), paygate.Ref{MerchantNo: no}) }()
		r.press(link, "pay")
		c, p := <-closed, r.ad.Query(t.Context(), paygate.Ref{MerchantNo: no})
		if !(c.State == paygate.ClosePaid && p.State == paygate.PaymentPaid) && !(c.State == paygate.CloseDone && p.State == paygate.PaymentClosed) {
			t.Fatalf("close says %+v, query says %+v", c, p)
		}
	}
}

func TestP11RefundsAndTheirNotices(t *testing.T) {
	r := newRig(t)
	r.pay(number(1))
	first := r.ad.Refund(t.Context(), r.request(number(1), "refund_0001", 990))
	if first.State != paygate.RefundDone || first.Amount.Minor != 990 || first.RefundID == "" || !first.DoneAt.Equal(start) {
		t.Fatalf("%+v", first)
	}
	n := r.one()
	want := paygate.RefundNews{RefundNo: "refund_0001", RefundID: first.RefundID, State: paygate.RefundDone, Amount: money.Of(990, money.CNY), Total: money.Of(990, money.CNY)}
	if n.Kind != paygate.NoticeRefund || n.Refund != want || n.Amount != yuan {
		t.Errorf("%+v", n)
	}
	// The same again is the same refund; another amount under its number is not.
	if again := r.ad.Refund(t.Context(), r.request(number(1), "refund_0001", 990)); again != first {
		t.Errorf("%+v, then %+v", first, again)
	}
	other := r.ad.Refund(t.Context(), r.request(number(1), "refund_0001", 991))
	if other.State != paygate.RefundRefused {
		t.Errorf("%+v", other)
	}
	wantCode(t, other.Why, "paygate.refund_no_used")
	more := r.ad.Refund(t.Context(), r.request(number(1), "refund_0002", 1001))
	if more.State != paygate.RefundRefused {
		t.Errorf("%+v", more)
	}
	wantCode(t, more.Why, "paygate.refund_too_much")
	if rest := r.ad.Refund(t.Context(), r.request(number(1), "refund_0003", 1000)); rest.State != paygate.RefundDone {
		t.Errorf("%+v", rest)
	}
	if n := r.one(); n.Refund.Total != yuan {
		t.Errorf("%+v", n)
	}
	if p := r.ad.Query(t.Context(), paygate.Ref{MerchantNo: number(1)}); p.State != paygate.PaymentPaid || p.Refunded != yuan {
		t.Errorf("%+v", p)
	}
	none := r.ad.Refund(t.Context(), r.request(number(9), "refund_0009", 1))
	if none.State != paygate.RefundRefused {
		t.Errorf("%+v", none)
	}
	wantCode(t, none.Why, "paygate.refund_no_payment")
	if got := r.ad.QueryRefund(t.Context(), paygate.RefundRef{MerchantNo: number(1), RefundNo: "refund_9999"}); got.State != paygate.RefundAbsent || got.Why != nil {
		t.Errorf("%+v", got)
	}
}

// P11, F20: the refund's notice overtakes the payment's.
func TestP11F20RefundNoticeBeforePayNotice(t *testing.T) {
	r := newRig(t)
	r.faults(gateway.Faults{Reorder: true})
	r.press(r.link(number(1)), "pay")
	if r.gw.Step(t.Context()); len(r.received()) != 0 {
		t.Fatal("the payment's notice wasn't held")
	}
	r.ad.Refund(t.Context(), r.request(number(1), "refund_0001", 1990))
	r.gw.Step(t.Context())
	list := r.received()
	if len(list) != 2 || list[0].notice.Kind != paygate.NoticeRefund || list[1].notice.Kind != paygate.NoticePaid {
		t.Errorf("%+v", list)
	}
	// What is held for ever goes when the switch is turned off.
	r.press(r.link(number(2)), "pay")
	r.gw.Step(t.Context())
	r.faults(gateway.Faults{})
	r.one()
}

// S29: refunds at once never exceed what was captured.
func TestS29P11ParallelRefunds(t *testing.T) {
	r := newRig(t)
	r.pay(number(1))
	done := make(chan paygate.RefundResult)
	for i := range 20 {
		go func() { done <- r.ad.Refund(context.Background(), r.request(number(1), number(100+i), 500)) }()
	}
	sum := int64(0)
	for range 20 {
		if got := <-done; got.State == paygate.RefundDone {
			sum += got.Amount.Minor
		} else if got.State != paygate.RefundRefused {
			t.Errorf("%+v", got)
		}
	}
	if sum != 1500 {
		t.Errorf("%d refunded of 1990 in parts of 500", sum)
	}
}

// F20: refunds that take their time, and end well or not.
func TestF20RefundLateAndFailed(t *testing.T) {
	for fails, state := range map[bool]paygate.RefundState{false: paygate.RefundDone, true: paygate.RefundFailed} {
		r := newRig(t)
		r.pay(number(1))
		r.faults(gateway.Faults{RefundSeconds: 60, RefundFails: fails})
		req := r.request(number(1), "refund_0001", 1990)
		if got := r.ad.Refund(t.Context(), req); got.State != paygate.RefundPending {
			t.Fatalf("%+v", got)
		}
		if got := r.ad.QueryRefund(t.Context(), req.Ref()); got.State != paygate.RefundPending {
			t.Fatalf("%+v", got)
		}
		// A refund under way binds the money.
		wantCode(t, r.ad.Refund(t.Context(), r.request(number(1), "refund_0009", 1)).Why, "paygate.refund_too_much")
		r.clock.Advance(time.Minute)
		if got := r.ad.QueryRefund(t.Context(), req.Ref()); got.State != state {
			t.Errorf("%+v", got)
		} else if fails {
			wantCode(t, got.Why, "paygate.refund_failed")
		}
		if n := r.one(); n.Refund.State != state {
			t.Errorf("%+v", n)
		}
		// Money that didn't go back can be given back under a number of its own.
		again := r.ad.Refund(t.Context(), r.request(number(1), "refund_0002", 1990))
		if (again.State == paygate.RefundPending) != fails {
			t.Errorf("after %v: %+v", state, again)
		}
	}
}

// F20: the payer's bank takes the money back.
func TestF20Chargeback(t *testing.T) {
	r := newRig(t)
	paid := r.pay(number(1))
	if r.gw.Dispute("m_hufu", number(2)) || !r.gw.Dispute("m_hufu", number(1)) {
		t.Fatal("a dispute is about a payment")
	}
	if n := r.one(); n.Kind != paygate.NoticeDispute || n.TxnID != paid.TxnID || n.Amount != yuan {
		t.Errorf("%+v", n)
	}
}

func TestP17PaidTwice(t *testing.T) {
	r := newRig(t)
	r.faults(gateway.Faults{PayTwice: true})
	r.press(r.link(number(1)), "pay")
	r.gw.Step(t.Context())
	list := r.received()
	if len(list) != 2 || list[0].notice.TxnID == list[1].notice.TxnID || len(r.events(list)) != 2 || list[1].notice.MerchantNo != number(1) {
		t.Fatalf("%+v", list)
	}
	for i, g := range list { // each payment is found and given back on its own
		if p := r.ad.Query(t.Context(), paygate.Ref{MerchantNo: number(1), TxnID: g.notice.TxnID}); p.TxnID != g.notice.TxnID {
			t.Errorf("%+v", p)
		}
		req := r.request(number(1), number(10+i), 1990)
		req.TxnID = g.notice.TxnID
		if got := r.ad.Refund(t.Context(), req); got.State != paygate.RefundDone {
			t.Errorf("%+v", got)
		}
	}
}

// P20: the bill tells of every payment and refund, with the fee.
func TestP20Bill(t *testing.T) {
	r := newRig(t)
	read := func() (lines []paygate.BillLine, err error) {
		err = r.ad.Bill(t.Context(), start, func(l paygate.BillLine) error { lines = append(lines, l); return nil })
		return lines, err
	}
	n := r.pay(number(1))
	r.pay(number(2))
	r.ad.Refund(t.Context(), r.request(number(1), "refund_0001", 990))
	r.one()
	lines, err := read()
	if err != nil || len(lines) != 3 {
		t.Fatal(lines, err)
	}
	want := paygate.BillLine{Row: 2, Kind: paygate.BillPayment, MerchantNo: number(1), TxnID: n.TxnID, Account: r.ad.Account(),
		Amount: yuan, Fee: money.Of(12, money.CNY), ProviderState: "PAID", At: start}
	if lines[0] != want {
		t.Errorf("%+v, want %+v", lines[0], want)
	}
	if l := lines[1]; l.Kind != paygate.BillRefund || l.RefundNo != "refund_0001" || l.Amount.Minor != 990 || l.Fee.Minor != -6 {
		t.Errorf("%+v", l)
	}
	// 12:15 UTC is 20:15 in Beijing; four hours on is the next day's bill.
	r.clock.Advance(4 * time.Hour)
	r.pay(number(3))
	if lines, err = read(); err != nil || len(lines) != 3 {
		t.Error(lines, err)
	}
	for bad, check := range map[string]func() bool{
		"missing": func() bool { return err == nil && len(lines) == 2 },
		"extra":   func() bool { return err == nil && len(lines) == 4 && lines[3].MerchantNo == "nobody-knows-this" },
		"amount":  func() bool { return err == nil && lines[0].Amount.Minor == 19900 },
	} {
		r.faults(gateway.Faults{Bill: bad})
		if lines, err = read(); !check() {
			t.Errorf("%s: %+v, %v", bad, lines, err)
		}
	}
	for _, bad := range []string{"cut", "gbk"} {
		r.faults(gateway.Faults{Bill: bad})
		lines, err = read()
		wantCode(t, err, "paygate.bill_malformed")
		if len(lines) != 0 {
			t.Errorf("%s: %d lines of a damaged bill were handed on", bad, len(lines))
		}
	}
	r.faults(gateway.Faults{Answers: map[string]string{"bill": "unsigned"}})
	_, err = read()
	wantCode(t, err, "paygate.answer_unsigned")
}

func TestS20BadSignatures(t *testing.T) {
	for how, code := range map[string]string{
		"absent": "paygate.signature_missing", "forged": "paygate.signature_wrong", "other_key": "paygate.signature_wrong",
		"empty_key": "paygate.signature_wrong", "stale": "paygate.signature_stale",
	} {
		r := newRig(t)
		r.faults(gateway.Faults{Signature: how})
		r.press(r.link(number(1)), "pay")
		r.gw.Step(t.Context())
		list := r.received()
		if len(list) != 1 || list[0].notice != (paygate.Notice{}) {
			t.Fatalf("%s: %+v", how, list)
		}
		wantCode(t, list[0].err, code)
		// Refused, so it comes again; right this time.
		r.faults(gateway.Faults{})
		r.clock.Advance(15 * time.Second)
		r.one()
	}
}

// S20: every bit of what is signed counts, and a message of one sort is none of another.
func TestS20EveryChangeBreaksTheSignature(t *testing.T) {
	r := newRig(t)
	r.press(r.link(number(1)), "pay")
	r.gw.Step(t.Context())
	g := r.received()[0]
	for i := range g.body {
		changed := append([]byte(nil), g.body...)
		changed[i] ^= 1
		if _, err := r.ad.ParseNotice(g.header, changed); err == nil {
			t.Fatalf("byte %d may be changed", i)
		}
	}
	sig := g.header.Get(gateway.SignatureHeader)
	for _, bad := range []string{
		"", "t=1", sig + ",", strings.Replace(sig, "v1=", "v0=", 1), strings.Replace(sig, "v1=", "v1=00", 1), "t=1," + sig,
		strings.ToUpper(sig), " " + sig, strings.Replace(sig, "t=", "t=0", 1), strings.Replace(sig, "t=", "t=-", 1), sig[:len(sig)-1],
	} {
		if _, err := r.ad.ParseNotice(http.Header{gateway.SignatureHeader: {bad}}, g.body); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	if _, err := r.ad.ParseNotice(http.Header{gateway.SignatureHeader: {sig, sig}}, g.body); err == nil {
		t.Error("two headers are accepted")
	}
	if _, err := r.ad.ParseNotice(g.header, make([]byte, paygate.MaxNotice+1)); err == nil {
		t.Error("an endless body is read")
	}
	r.clock.Advance(300 * time.Second)
	if _, err := r.ad.ParseNotice(g.header, g.body); err != nil {
		t.Errorf("at the edge of the tolerance: %v", err)
	}
	r.clock.Advance(time.Second)
	_, err := r.ad.ParseNotice(g.header, g.body)
	wantCode(t, err, "paygate.signature_stale")
}

// An old call can't be played again, and a shop whose clock is wrong is told so.
func TestStaleCallsAreRefused(t *testing.T) {
	r := newRig(t)
	for off, ok := range map[time.Duration]bool{0: true, 300 * time.Second: true, -300 * time.Second: true, 301 * time.Second: false, -301 * time.Second: false} {
		ad, err := sandbox.New(sandbox.Config{BaseURL: r.gwHTTP.URL, MerchantID: "m_hufu", AppID: "app_1", Secrets: []string{secretA}, Clock: clock.NewFake(start.Add(off))})
		if err != nil {
			t.Fatal(err)
		}
		err = ad.SelfTest(t.Context())
		ad.Stop()
		if ok && err != nil {
			t.Errorf("%v off: %v", off, err)
		} else if !ok {
			wantCode(t, err, "paygate.answer_rejected")
		}
	}
}

// A secret is changed on one side first, then on the other; nothing is lost between.
func TestSecretsRollOver(t *testing.T) {
	const next = "0f6bd1c2a7934e588e21c40b79adf365"
	for name, c := range map[string]struct{ gateway, shop []string }{
		"the gateway first": {[]string{next, secretA}, []string{secretA}},
		"the shop first":    {[]string{secretA}, []string{secretA, next}},
		"both":              {[]string{next, secretA}, []string{next, secretA}},
		"done":              {[]string{next}, []string{next}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.shut()
			r.config.Merchants[0].Secrets = c.gateway
			r.open()
			r.ad = r.adapter(sandbox.Config{Secrets: c.shop})
			r.pay(number(1))
			if err := r.ad.SelfTest(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// S25: the way back from the cashier says "paid" without a payment; only the query counts.
func TestS25TheReturnProvesNothing(t *testing.T) {
	r := newRig(t)
	_, page := r.press(r.link(number(1)), "")
	contains(t, page, "status=cancelled", "out_trade_no="+number(1), "from=cashier")
	if got := r.ad.Query(t.Context(), paygate.Ref{MerchantNo: number(1)}); got.State == paygate.PaymentPaid {
		t.Errorf("%+v", got)
	}
}

// F18, S53, P13: whatever comes back that isn't a signed answer to the question is "unknown", on each
// call, and the question asked again tells what happened.
func TestF18UnknownIsNeverFailure(t *testing.T) {
	codes := map[string]string{
		"unavailable": "paygate.answer_status", "error": "paygate.answer_status", "unknown": "paygate.answer_unclear",
		"garbage": "paygate.answer_unsigned", "huge": "paygate.answer_too_large", "redirect": "paygate.answer_redirect",
		"lost": "paygate.unreachable", "unclear": "paygate.answer_unclear", "unsigned": "paygate.answer_unsigned",
		"missigned": "paygate.answer_unsigned", "mismatch": "paygate.answer_mismatch", "hang": "paygate.timeout",
	}
	for how, hasEffect := range gateway.AnswerFaults {
		if how == "absent" || how == "slow" {
			continue
		}
		t.Run(how, func(t *testing.T) {
			r := newRig(t)
			r.pay(number(1))
			r.press(r.link(number(2)), "")
			patient := r.ad
			if how == "hang" {
				r.ad = r.adapter(sandbox.Config{Timeout: 50 * time.Millisecond})
			}
			r.faults(gateway.Faults{Answers: map[string]string{"all": how}})
			p := r.ad.Query(t.Context(), paygate.Ref{MerchantNo: number(1)})
			if p.State != paygate.PaymentUnknown {
				t.Errorf("query: %+v", p)
			}
			wantCode(t, p.Why, codes[how])
			c := r.ad.Close(t.Context(), paygate.Ref{MerchantNo: number(2)})
			if c.State != paygate.CloseUnknown {
				t.Errorf("close: %+v", c)
			}
			wantCode(t, c.Why, codes[how])
			req := r.request(number(1), "refund_0001", 1990)
			f := r.ad.Refund(t.Context(), req)
			if f.State != paygate.RefundUnknown {
				t.Errorf("refund: %+v", f)
			}
			wantCode(t, f.Why, codes[how])
			if q := r.ad.QueryRefund(t.Context(), req.Ref()); q.State != paygate.RefundUnknown {
				t.Errorf("query refund: %+v", q)
			}
			if err := r.ad.SelfTest(t.Context()); err == nil {
				t.Error("the self-test passes")
			}

			r.faults(gateway.Faults{})
			r.ad = patient
			q := r.ad.QueryRefund(t.Context(), req.Ref())
			if want := map[bool]paygate.RefundState{true: paygate.RefundDone, false: paygate.RefundAbsent}[hasEffect]; q.State != want {
				t.Errorf("asked again: %+v, want %s", q, want)
			}
			// The same request again makes it one refund either way (P11, P13).
			if f := r.ad.Refund(t.Context(), req); f.State != paygate.RefundDone || f.Amount != yuan {
				t.Errorf("sent again: %+v", f)
			}
		})
	}
}

func TestF18ASlowAnswerIsAnAnswer(t *testing.T) {
	r := newRig(t)
	r.pay(number(1))
	r.faults(gateway.Faults{Answers: map[string]string{"query": "slow"}, SlowSeconds: 0.001})
	if p := r.ad.Query(t.Context(), paygate.Ref{MerchantNo: number(1)}); p.State != paygate.PaymentPaid {
		t.Errorf("%+v", p)
	}
}

func TestF12NobodyThere(t *testing.T) {
	r := newRig(t)
	r.gwHTTP.Close()
	p := r.ad.Query(t.Context(), paygate.Ref{MerchantNo: number(1)})
	if p.State != paygate.PaymentUnknown {
		t.Errorf("%+v", p)
	}
	wantCode(t, p.Why, "paygate.unreachable")
}

// A good answer to one question is no answer to another: it is bound to its request.
func TestAnAnswerCannotBeReplayed(t *testing.T) {
	r := newRig(t)
	r.pay(number(1))
	var kept *http.Response
	var body []byte
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if kept == nil {
			fwd, err := http.NewRequest(req.Method, r.gwHTTP.URL+req.URL.Path, req.Body)
			if err != nil {
				t.Error(err)
				return
			}
			fwd.Header = req.Header
			res, err := r.gwHTTP.Client().Do(fwd)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if body, err = io.ReadAll(res.Body); err != nil {
				t.Error(err)
			}
			kept = res
		}
		w.Header().Set(gateway.SignatureHeader, kept.Header.Get(gateway.SignatureHeader))
		w.Write(body)
	}))
	defer proxy.Close()
	ad := r.adapter(sandbox.Config{BaseURL: proxy.URL})
	if p := ad.Query(t.Context(), paygate.Ref{MerchantNo: number(1)}); p.State != paygate.PaymentPaid {
		t.Fatalf("through the proxy: %+v", p)
	}
	p := ad.Query(t.Context(), paygate.Ref{MerchantNo: number(1)})
	if p.State != paygate.PaymentUnknown {
		t.Errorf("replayed: %+v", p)
	}
	wantCode(t, p.Why, "paygate.answer_unsigned")
}
