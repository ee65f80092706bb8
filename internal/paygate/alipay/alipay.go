// Package alipay is the adapter to Alipay's open platform (gateway v1, RSA2), on the standard
// library alone. What it sends and believes is Alipay's public documentation
// (opendocs.alipay.com), proven against the npm package alipay-sdk in conformance/.
package alipay

import (
	"crypto/rsa"
	"regexp"
	"time"

	"hufu/internal/clock"
	"hufu/internal/fault"
	"hufu/internal/paygate"
	"hufu/internal/paygate/wire"
)

// Name is the channel's name.
const Name = "alipay"

// Production is where Alipay answers.
const Production = "https://openapi.alipay.com"

// path is the one address of all calls.
const path = "/gateway.do"

// Config says which account to use. Its JSON form is what an operator keeps in a file.
type Config struct {
	BaseURL    string `json:"base_url,omitempty"` // "" is Production
	AppID      string `json:"app_id"`
	SellerID   string `json:"seller_id"`              // the account money arrives at: 2088 and 12 digits
	PrivateKey string `json:"private_key"`            // of the app, PEM or bare base64
	PublicKey  string `json:"public_key"`             // Alipay's, as the app's page shows it
	ScanAtDesk bool   `json:"scan_at_desk,omitempty"` // at a desk show a code of trade.precreate in place of Alipay's own page

	Timeout time.Duration `json:"-"` // of one call; zero is wire.DefaultTimeout
	Clock   clock.Clock   `json:"-"` // nil is the machine's
}

// Gateway is the adapter. It implements paygate.Gateway and paygate.Biller.
type Gateway struct {
	base, app, seller string
	scan              bool
	private           *rsa.PrivateKey
	public            *rsa.PublicKey
	clock             clock.Clock
	client            *wire.Client
}

var (
	_ paygate.Gateway = (*Gateway)(nil)
	_ paygate.Biller  = (*Gateway)(nil)

	appForm    = regexp.MustCompile(`^[0-9]{10,32}$`)
	sellerForm = regexp.MustCompile(`^2088[0-9]{12}$`)
)

// New checks the configuration and makes the adapter; it calls nobody. Faults:
// paygate.account_malformed, address_malformed, key_missing, key_malformed, key_few_bits.
func New(c Config) (*Gateway, error) {
	if c.BaseURL == "" {
		c.BaseURL = Production
	}
	base, err := paygate.Origin(c.BaseURL)
	if err != nil {
		return nil, err
	}
	if !appForm.MatchString(c.AppID) || !sellerForm.MatchString(c.SellerID) {
		return nil, fault.New(fault.Invalid, "paygate.account_malformed")
	}
	g := &Gateway{base: base, app: c.AppID, seller: c.SellerID, scan: c.ScanAtDesk, clock: c.Clock}
	if g.private, err = paygate.PrivateKey(c.PrivateKey, "private_key"); err != nil {
		return nil, err
	}
	if g.public, err = paygate.PublicKey(c.PublicKey, "public_key"); err != nil {
		return nil, err
	}
	if g.public.Equal(&g.private.PublicKey) { // the app's own key in the place of Alipay's verifies what we sign
		return nil, fault.New(fault.Invalid, "paygate.key_own")
	}
	if g.clock == nil {
		g.clock = clock.System{}
	}
	g.client = wire.New(c.Timeout)
	return g, nil
}

// Stop drops idle connections.
func (g *Gateway) Stop() { g.client.Close() }

// Name implements paygate.Gateway.
func (g *Gateway) Name() string { return Name }

// Account implements paygate.Gateway: the seller's number.
func (g *Gateway) Account() string { return g.seller }

// account names who was paid. Money for another app of the same seller's is not for us.
func (g *Gateway) account(seller, app string) string {
	if app == g.app {
		return seller
	}
	return seller + "/" + app
}

// Taken implements paygate.Gateway: seven characters and no more.
func (g *Gateway) Taken() paygate.Reply {
	return paygate.Reply{Status: 200, ContentType: "text/plain; charset=utf-8", Body: "success"}
}

// Refused implements paygate.Gateway.
func (g *Gateway) Refused() paygate.Reply {
	return paygate.Reply{Status: 400, ContentType: "text/plain; charset=utf-8", Body: "failure"}
}
