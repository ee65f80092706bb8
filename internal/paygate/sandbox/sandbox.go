// Package sandbox is the adapter to the sandbox gateway, whose protocol is written down in
// docs/sandbox-gateway.md. It shares no code with the gateway itself (package gateway), so
// that one mistake can't hide itself on both sides.
package sandbox

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"hufu/internal/clock"
	"hufu/internal/fault"
	"hufu/internal/money"
	"hufu/internal/paygate"
	"hufu/internal/paygate/wire"
)

// Name is the channel's name.
const Name = "sandbox"

// MinSecret is the least number of bytes of a secret: as long as HMAC-SHA-256's output
// (RFC 2104, section 3).
const MinSecret = 32

// Config says which merchant account to use and where.
type Config struct {
	BaseURL    string        // where this server reaches the gateway: "http://127.0.0.1:8090"
	CashierURL string        // where the shopper's browser reaches it, if that differs
	MerchantID string        // given by the gateway
	AppID      string        // given by the gateway
	Secrets    []string      // newest first: the first signs, all verify, so that a secret can be rolled over
	Timeout    time.Duration // of one call; zero is wire.DefaultTimeout
	Clock      clock.Clock   // nil is the machine's
}

// Gateway is the adapter. It implements paygate.Gateway and paygate.Biller.
type Gateway struct {
	base, cashier   string
	merchant, appID string
	secrets         []string
	clock           clock.Clock
	client          *wire.Client
}

var (
	_ paygate.Gateway = (*Gateway)(nil)
	_ paygate.Biller  = (*Gateway)(nil)
)

// New checks the configuration and makes the adapter; it calls nobody. It refuses a missing,
// short or weak secret with paygate.key_missing, paygate.key_short or paygate.key_weak.
func New(c Config) (*Gateway, error) {
	if len(c.Secrets) == 0 {
		return nil, fault.New(fault.Invalid, "paygate.key_missing")
	}
	for _, s := range c.Secrets {
		if err := paygate.CheckSecret(s, MinSecret); err != nil {
			return nil, err
		}
	}
	base, err := paygate.Origin(c.BaseURL)
	if err != nil {
		return nil, err
	}
	cashier := base
	if c.CashierURL != "" {
		if cashier, err = paygate.Origin(c.CashierURL); err != nil {
			return nil, err
		}
	}
	if !paygate.ValidID(c.MerchantID) || !paygate.ValidID(c.AppID) {
		return nil, fault.New(fault.Invalid, "paygate.account_malformed")
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	return &Gateway{
		base: base, cashier: cashier, merchant: c.MerchantID, appID: c.AppID,
		secrets: append([]string(nil), c.Secrets...), clock: c.Clock, client: wire.New(c.Timeout),
	}, nil
}

// Stop drops idle connections.
func (g *Gateway) Stop() { g.client.Close() }

// Name implements paygate.Gateway.
func (g *Gateway) Name() string { return Name }

// Account implements paygate.Gateway: "merchant/app".
func (g *Gateway) Account() string { return account(g.merchant, g.appID) }

func account(merchant, app string) string { return merchant + "/" + app }

// Taken implements paygate.Gateway.
func (g *Gateway) Taken() paygate.Reply {
	return paygate.Reply{Status: 200, ContentType: "text/plain; charset=utf-8", Body: "success"}
}

// Refused implements paygate.Gateway.
func (g *Gateway) Refused() paygate.Reply {
	return paygate.Reply{Status: 400, ContentType: "text/plain; charset=utf-8", Body: "fail"}
}

// Cashier implements paygate.Gateway. The link is signed here; the gateway learns of the
// charge when a browser opens it.
func (g *Gateway) Cashier(_ context.Context, c paygate.Charge) (paygate.Cashier, error) {
	if err := c.Check(); err != nil {
		return paygate.Cashier{}, err
	}
	fields := []field{
		{"amount", strconv.FormatInt(c.Amount.Minor, 10)},
		{"app_id", g.appID},
		{"currency", string(c.Amount.Currency)},
		{"expires_at", strconv.FormatInt(c.ExpiresAt.Unix(), 10)},
		{"merchant_id", g.merchant},
		{"notify_url", c.NotifyURL},
		{"out_trade_no", c.MerchantNo},
		{"return_url", c.ReturnURL},
		{"subject", c.Subject},
	}
	q := make(url.Values, len(fields)+2)
	for _, f := range fields {
		q.Set(f.name, f.value)
	}
	q.Set("sign", signLink(g.secrets[0], fields))
	if c.Lang != "" {
		q.Set("lang", c.Lang)
	}
	way := paygate.Cashier{RedirectURL: g.cashier + "/cashier?" + q.Encode()}
	if c.Device == paygate.Desktop { // a phone may pay what a desk ordered
		way.QRText = way.RedirectURL
	}
	return way, nil
}

func amount(minor int64, currency string) money.Amount {
	return money.Of(minor, money.Currency(currency))
}
