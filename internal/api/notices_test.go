package api

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/exception"
	"hufu/internal/fault"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/paygate"
	"hufu/internal/payment"
)

// telling is a gateway whose next notice is said beforehand.
type telling struct {
	*flowtest.Gateway
	says *paygate.Notice
}

func (g telling) ParseNotice(_ paygate.Header, body []byte) (paygate.Notice, error) {
	if string(body) == "forged" {
		return paygate.Notice{}, fault.Wrap(errors.New("no"), fault.Unauthenticated, "paygate.signature_wrong")
	}
	return *g.says, nil
}

// told sends a notice and gives the status it is answered with.
func (r *rig) told(body string) int {
	h := httptest.NewRequest("POST", Prefix+"/gateways/"+flowtest.Channel+"/notices", strings.NewReader(body))
	w := httptest.NewRecorder()
	r.front.ServeHTTP(w, h)
	return w.Code
}

// What a gateway says of money that goes back is kept, and nothing that is taken is lost: a
// dispute and a refund that isn't ours are for a person, one of ours is asked about at once.
func TestNewsOfMoneyThatGoesBack(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		says := &paygate.Notice{}
		r.Flows.Gateways[flowtest.Channel] = telling{r.Gateway, says}
		stock := r.Stock(t, inventory.Counted)
		r.Receive(t, stock, 1)
		b := r.Buy(t, flowtest.Want{Offer: r.Sell(t, 1990, "", flowtest.Part{Stock: stock, Quantity: 1}), Quantity: 1})
		again := r.Gateway.PayTwice(b.Intent)
		if _, err := r.Confirm(t.Context(), again); err != nil {
			t.Fatal(err)
		}
		r.Gateway.Down(true)
		if _, err := r.SendRefunds(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		r.Gateway.Down(false)
		refunds := func() (out []payment.Refund) {
			t.Helper()
			r.in(func(ctx context.Context, tx *db.Tx) (err error) {
				out, err = r.Payments.RefundsOf(ctx, tx, []id.Order{b.Order.ID})
				return err
			})
			return out
		}
		cases := func() map[string]int64 {
			t.Helper()
			var out map[string]int64
			r.in(func(ctx context.Context, tx *db.Tx) (err error) {
				out, err = exception.Counts(ctx, tx)
				return err
			})
			return out
		}
		ours := refunds()[0]
		if n, err := r.SendRefunds(t.Context(), 10); n != 0 || err != nil || ours.State != payment.RefundSent {
			t.Fatalf("the refund doesn't wait: %d, %v, %s", n, err, ours.State)
		}

		*says = paygate.Notice{EventID: "ev-ours", Kind: paygate.NoticeRefund, MerchantNo: string(b.Intent.ID), TxnID: again.Txn, Amount: again.Amount,
			Refund: paygate.RefundNews{RefundNo: string(ours.ID), State: paygate.RefundDone, Amount: again.Amount}}
		if s := r.told("x"); s != 200 {
			t.Fatalf("answered %d", s)
		}
		if n, err := r.SendRefunds(t.Context(), 10); n != 1 || err != nil || refunds()[0].State != payment.RefundDone {
			t.Errorf("a refund that was told of: %d asked about, %v, %s", n, err, refunds()[0].State)
		}

		dispute := paygate.Notice{EventID: "ev-dispute", Kind: paygate.NoticeDispute, MerchantNo: string(b.Intent.ID), TxnID: "t1", Amount: b.Intent.Amount}
		foreign := paygate.Notice{EventID: "ev-foreign", Kind: paygate.NoticeRefund, MerchantNo: "unheard-of", TxnID: "t2", Amount: b.Intent.Amount,
			Refund: paygate.RefundNews{RefundNo: "made-elsewhere", State: paygate.RefundDone, Amount: b.Intent.Amount}}
		for _, n := range []paygate.Notice{dispute, foreign, dispute, foreign} {
			*says = n
			if s := r.told("x"); s != 200 {
				t.Fatalf("%s is answered %d", n.EventID, s)
			}
		}
		if c := cases(); c[exception.Dispute] != 1 || c[exception.ForeignRefund] != 1 {
			t.Errorf("open cases: %v", c)
		}
		r.in(func(ctx context.Context, tx *db.Tx) error {
			of, err := exception.Of(ctx, tx, b.Order.ID)
			found := false
			for _, c := range of {
				found = found || c.Kind == exception.Dispute && c.Amount == b.Intent.Amount
			}
			if !found {
				t.Errorf("the order's cases: %+v", of)
			}
			if err != nil {
				return err
			}
			kept, err := r.Payments.NoticesOf(ctx, tx, []id.Intent{b.Intent.ID, "unheard-of"})
			outcomes := map[string]int{}
			for _, n := range kept {
				if n.Outcome == "refund" || n.Outcome == "dispute" || n.Outcome == "foreign_refund" {
					outcomes[n.Outcome]++
				}
			}
			if len(outcomes) != 3 || outcomes["dispute"] != 1 || outcomes["foreign_refund"] != 1 {
				t.Errorf("kept: %v", outcomes)
			}
			return err
		})
	})
}

// Each refused notice is counted, by gateway and reason (S20).
func TestRefusedNoticesAreCounted(t *testing.T) {
	r := one(t)
	says := &paygate.Notice{EventID: "e", Kind: paygate.NoticePaid, MerchantNo: "int_01m829t4pcepyr8wndn3cx8ae7", TxnID: "t", OccurredAt: time.Unix(1, 0)}
	r.Flows.Gateways[flowtest.Channel] = telling{r.Gateway, says}
	for _, body := range []string{"forged", "forged", strings.Repeat("x", paygate.MaxNotice+1), "early"} {
		if s := r.told(body); s == 200 {
			t.Errorf("%.10s is taken", body)
		}
	}
	want := map[[2]string]uint64{{flowtest.Channel, "paygate.signature_wrong"}: 2, {flowtest.Channel, "unread"}: 1, {flowtest.Channel, "unknown_intent"}: 1}
	got := r.api.RefusedNotices()
	if len(got) != len(want) {
		t.Errorf("counted %v", got)
	}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("%v: %d, want %d", k, got[k], n)
		}
	}
}
