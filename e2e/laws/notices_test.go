package laws

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"hufu/internal/api"
	"hufu/internal/flow/flowtest"
	"hufu/internal/order"
	"hufu/internal/paygate/sandbox"
	"hufu/internal/paygate/sandbox/gateway"
)

const noticeSecret = "laws-secret-7c1f60d29c7e83a5f0d6b2c9817e3a54"

// TestNoticesAreAnsweredAsTheyWereTaken: a notice of something unknown is to come again, one
// to another account pays nothing, and one that says nothing of ours is refused.
func TestNoticesAreAnsweredAsTheyWereTaken(t *testing.T) {
	each(t, func(t *testing.T, s *flowtest.Shop) {
		channel, err := sandbox.New(sandbox.Config{BaseURL: "http://127.0.0.1:9", MerchantID: "hufu", AppID: "shop", Secrets: []string{noticeSecret}, Clock: s.Time})
		if err != nil {
			t.Fatal(err)
		}
		defer channel.Stop()
		s.Gateways[sandbox.Name] = channel
		c := flowtest.Order(flowtest.Want{Offer: single(t, s, 3), Quantity: 1})
		c.Gateway = sandbox.Name
		p, err := s.Place(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		api.New(api.Options{Flows: s.Flows, PublicURL: "http://127.0.0.1"}).Routes(mux)
		tell := func(number string, change func(n *gateway.Notice)) bool {
			t.Helper()
			n := gateway.Notice{ID: "evt-" + number, Type: "trade", MerchantID: "hufu", AppID: "shop", OutTradeNo: string(p.Intent.ID), TransactionID: "txn-" + number,
				State: "PAID", Amount: p.Intent.Amount.Minor, Currency: "CNY", OccurredAt: s.Time.Now()}
			change(&n)
			signature, body := gateway.SignNotice(noticeSecret, s.Time.Now(), n)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, api.Prefix+"/gateways/sandbox/notices", bytes.NewReader(body))
			r.Header.Set(gateway.SignatureHeader, signature)
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			said, err := io.ReadAll(w.Result().Body)
			if err != nil {
				t.Fatal(err)
			}
			return w.Code == http.StatusOK && string(said) == "success"
		}
		if tell("early", func(n *gateway.Notice) { n.OutTradeNo = "int_01m829t4pcepyr8wndn3cx8ae7" }) {
			t.Error("a notice about nothing known is taken, and never comes again")
		}
		if !tell("elsewhere", func(n *gateway.Notice) { n.MerchantID = "another" }) {
			t.Error("a notice about another account isn't kept")
		}
		if o := s.Look(t, p.Order.ID); o.State != order.Pending {
			t.Errorf("after a payment to another account the order is %s", o.State)
		}
		if !tell("right", func(*gateway.Notice) {}) || s.Look(t, p.Order.ID).State != order.Fulfilled {
			t.Error("a right notice doesn't deliver")
		}
		holds(t, s)
	})
}
