// Package wechat is the adapter to WeChat Pay's API v3, on the standard library alone. What it
// sends and believes is WeChat Pay's public documentation (pay.weixin.qq.com/doc/v3/merchant),
// proven against the npm package wechatpay-axios-plugin in conformance/.
//
// Platform keys come in two ways, and both may be in use while a merchant changes over: a
// public key of WeChat Pay's with an id of its own, or platform certificates that are fetched
// and renewed by themselves.
package wechat

import (
	"context"
	"crypto/rsa"
	"regexp"
	"strings"
	"sync"
	"time"

	"hufu/internal/clock"
	"hufu/internal/fault"
	"hufu/internal/paygate"
	"hufu/internal/paygate/wire"
)

// Name is the channel's name.
const Name = "wechat"

// Production is where WeChat Pay answers.
const Production = "https://api.mch.weixin.qq.com"

// apiKeyBytes is the length of an APIv3 key, which is an AES-256 key as it stands.
const apiKeyBytes = 32

// Config says which merchant account to use. Its JSON form is what an operator keeps in a
// file.
type Config struct {
	BaseURL     string `json:"base_url,omitempty"`      // "" is Production
	MerchantID  string `json:"merchant_id"`             // 商户号
	AppID       string `json:"app_id"`                  // 公众账号ID, of the account the merchant is bound to
	SerialNo    string `json:"serial_no"`               // of the merchant's certificate, hexadecimal
	PrivateKey  string `json:"private_key"`             // of the merchant's certificate, PEM
	APIv3Key    string `json:"api_v3_key"`              // 32 characters
	PublicKeyID string `json:"public_key_id,omitempty"` // "PUB_KEY_ID_...", with PublicKey; neither is certificate mode
	PublicKey   string `json:"public_key,omitempty"`    // WeChat Pay's, PEM
	AppSecret   string `json:"app_secret,omitempty"`    // of the account AppID; without it nobody can pay inside WeChat

	Timeout time.Duration `json:"-"` // of one call; zero is wire.DefaultTimeout
	Clock   clock.Clock   `json:"-"` // nil is the machine's
}

// Gateway is the adapter. It implements paygate.Gateway and paygate.Biller.
type Gateway struct {
	base, merchant, appID, serial string
	private                       *rsa.PrivateKey
	apiKey                        []byte
	publicKeyID                   string
	appSecret                     string
	authorizeURL, accountsURL     string
	clock                         clock.Clock
	client                        *wire.Client
	keys                          keyring

	life context.Context // of what it does by itself; ended by Stop
	stop context.CancelFunc
	own  sync.WaitGroup
}

var (
	_ paygate.Gateway = (*Gateway)(nil)
	_ paygate.Biller  = (*Gateway)(nil)

	merchantForm = regexp.MustCompile(`^[0-9]{8,32}$`)
	appForm      = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)
	serialForm   = regexp.MustCompile(`^[0-9A-F]{8,64}$`)
)

// publicKeyPrefix begins the id of a public key of WeChat Pay's; the serial of a certificate
// is hexadecimal.
const publicKeyPrefix = "PUB_KEY_ID_"

// New checks the configuration and makes the adapter; it calls nobody. Faults:
// paygate.account_malformed, address_malformed, key_missing, key_malformed, key_few_bits,
// key_weak, api_key_length.
func New(c Config) (*Gateway, error) {
	if c.BaseURL == "" {
		c.BaseURL = Production
	}
	base, err := paygate.Origin(c.BaseURL)
	if err != nil {
		return nil, err
	}
	c.SerialNo = strings.ToUpper(strings.TrimSpace(c.SerialNo))
	if !merchantForm.MatchString(c.MerchantID) || !appForm.MatchString(c.AppID) || !serialForm.MatchString(c.SerialNo) {
		return nil, fault.New(fault.Invalid, "paygate.account_malformed")
	}
	g := &Gateway{base: base, merchant: c.MerchantID, appID: c.AppID, serial: c.SerialNo, apiKey: []byte(c.APIv3Key),
		publicKeyID: c.PublicKeyID, clock: c.Clock, keys: keyring{byID: map[string]platformKey{}}}
	if g.authorizeURL, g.accountsURL = authorizeURL, accountsURL; base != Production {
		g.authorizeURL, g.accountsURL = base, base
	}
	if g.appSecret = c.AppSecret; c.AppSecret != "" {
		if err := paygate.CheckSecret(c.AppSecret, apiKeyBytes); err != nil {
			return nil, err
		}
	}
	if err := g.checkAPIKey(); err != nil {
		return nil, err
	}
	if g.private, err = paygate.PrivateKey(c.PrivateKey, "private_key"); err != nil {
		return nil, err
	}
	if (c.PublicKeyID == "") != (c.PublicKey == "") || c.PublicKeyID != "" && !strings.HasPrefix(c.PublicKeyID, publicKeyPrefix) {
		return nil, fault.New(fault.Invalid, "paygate.key_malformed", "key", "public_key_id")
	}
	if c.PublicKey != "" {
		k, err := paygate.PublicKey(c.PublicKey, "public_key")
		if err != nil {
			return nil, err
		}
		g.keys.byID[c.PublicKeyID] = platformKey{key: k}
	}
	if g.clock == nil {
		g.clock = clock.System{}
	}
	g.client = wire.New(c.Timeout)
	g.life, g.stop = context.WithCancel(context.Background())
	return g, nil
}

func (g *Gateway) checkAPIKey() error {
	if err := paygate.CheckSecret(string(g.apiKey), apiKeyBytes); err != nil {
		return err
	}
	if len(g.apiKey) != apiKeyBytes {
		return fault.New(fault.Invalid, "paygate.api_key_length")
	}
	return nil
}

// Stop ends what it does by itself and drops idle connections.
func (g *Gateway) Stop() {
	g.stop()
	g.own.Wait()
	g.client.Close()
}

// Name implements paygate.Gateway.
func (g *Gateway) Name() string { return Name }

// Account implements paygate.Gateway: the merchant's number.
func (g *Gateway) Account() string { return g.merchant }

// account names who was paid. Money for another app of the same merchant's is not for us.
func (g *Gateway) account(merchant, app string) string {
	if app == g.appID {
		return merchant
	}
	return merchant + "/" + app
}

// Taken implements paygate.Gateway.
func (g *Gateway) Taken() paygate.Reply { return paygate.Reply{Status: 204} }

// Refused implements paygate.Gateway.
func (g *Gateway) Refused() paygate.Reply {
	return paygate.Reply{Status: 401, ContentType: "application/json; charset=utf-8", Body: `{"code":"FAIL","message":"失败"}`}
}
