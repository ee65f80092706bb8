package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"hufu/internal/flow/terms"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/paygate/sandbox/gateway"
)

// answer is what these tests read of the API's answers.
type answer struct {
	ID    id.Order `json:"id"`
	State string   `json:"state"`
	Token string   `json:"token"`
	Total struct {
		Minor int64 `json:"minor"`
	} `json:"total"`
	Payment struct {
		Intent string `json:"intent"`
	} `json:"payment"`
	Rights []struct {
		ID   id.Right `json:"id"`
		Code string   `json:"code"`
	} `json:"rights"`
	Code string `json:"code"` // of a problem

	status int
	raw    []byte
}

// newHTTP makes a client with connections of its own.
func newHTTP() *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, MaxIdleConnsPerHost: 64, IdleConnTimeout: 10 * time.Second}}
}

// call sends one request and reads the whole answer. Its error means that nobody knows
// whether it was carried out.
func call(ctx context.Context, h *http.Client, method, url string, header map[string]string, body []byte) (*answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	for name, v := range header {
		r.Header.Set(name, v)
	}
	res, err := h.Do(r)
	if err != nil {
		return nil, err
	}
	defer discard(res.Body)
	a := &answer{status: res.StatusCode}
	if a.raw, err = io.ReadAll(res.Body); err != nil {
		return nil, err
	}
	if len(a.raw) > 0 && a.raw[0] == '{' {
		if err := json.Unmarshal(a.raw, a); err != nil {
			return nil, fmt.Errorf("%w in %s", err, a.raw)
		}
	}
	return a, nil
}

// accepted is what buyers accept: the terms of every offer that putOnSale makes are the same.
var accepted = terms.In(i18n.ZH, contentOf(benefitOf("any", ""))).Hash

func orderBody(offer id.Offer, quantity int) []byte {
	return fmt.Appendf(nil, `{"lines":[{"offer":%q,"quantity":%d,"terms":%q}],"phone":"13800001234","gateway":"sandbox"}`, offer, quantity, accepted)
}

func place(ctx context.Context, h *http.Client, addr, key string, offer id.Offer) (*answer, error) {
	return call(ctx, h, "POST", "http://"+addr+"/api/v1/orders", map[string]string{"Idempotency-Key": key}, orderBody(offer, 1))
}

// paid tells the shop, as the gateway does, that an intent was paid. Told again under the
// same number it is the same payment.
func paid(ctx context.Context, h *http.Client, addr, intent, number string, minor int64) (*answer, error) {
	signature, body := paidNotice(intent, number, minor)
	return call(ctx, h, "POST", "http://"+addr+"/api/v1/gateways/sandbox/notices", map[string]string{gateway.SignatureHeader: signature}, body)
}

func paidNotice(intent, number string, minor int64) (signature string, body []byte) {
	now := time.Now()
	return gateway.SignNotice(gatewaySecret, now, gateway.Notice{ID: "evt-" + number, Type: "trade", MerchantID: "hufu", AppID: "shop", OutTradeNo: intent,
		TransactionID: "txn-" + number, State: "PAID", Amount: minor, Currency: "CNY", OccurredAt: now})
}

// String implements fmt.Stringer.
func (a *answer) String() string {
	if a == nil {
		return "no answer"
	}
	return fmt.Sprintf("%d %s", a.status, a.raw)
}

// taken reports whether the notice was answered with the gateway's word for success.
func (a *answer) taken() bool { return a.status == 200 && string(a.raw) == "success" }

func reveal(ctx context.Context, h *http.Client, addr string, order id.Order, token, key string) (*answer, error) {
	return call(ctx, h, "POST", "http://"+addr+"/api/v1/orders/"+string(order)+"/reveal",
		map[string]string{"Authorization": "Bearer " + token, "Idempotency-Key": key}, []byte(`{"confirm":true}`))
}
