package wechat

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"hufu/internal/fault"
	"hufu/internal/paygate"
	"hufu/internal/paygate/wire"
)

// Where WeChat itself answers, which says who somebody is (网页授权).
const (
	authorizeURL = "https://open.weixin.qq.com"
	accountsURL  = "https://api.weixin.qq.com"
)

var _ paygate.Introducer = (*Gateway)(nil)

// InApp implements paygate.Introducer. Without the account's secret nobody can be asked for,
// and WeChat's own browser is as any other.
func (g *Gateway) InApp(userAgent string) bool {
	return g.appSecret != "" && strings.Contains(userAgent, "MicroMessenger/")
}

// Introduce implements paygate.Introducer. The scope asks for the openid alone, which WeChat
// gives without a question to the shopper.
func (g *Gateway) Introduce(returnURL, state string) string {
	q := url.Values{"appid": {g.appID}, "redirect_uri": {returnURL}, "response_type": {"code"}, "scope": {"snsapi_base"}, "state": {state}}
	return g.authorizeURL + "/connect/oauth2/authorize?" + q.Encode() + "#wechat_redirect"
}

// Payer implements paygate.Introducer. The answer isn't signed: it comes over TLS from WeChat's
// own host, and decides no more than who may pay.
func (g *Gateway) Payer(ctx context.Context, code string) (string, error) {
	q := url.Values{"appid": {g.appID}, "secret": {g.appSecret}, "code": {code}, "grant_type": {"authorization_code"}}
	req, err := http.NewRequest(http.MethodGet, g.accountsURL+"/sns/oauth2/access_token?"+q.Encode(), nil)
	if err != nil {
		return "", fault.Wrap(err, fault.Internal, "internal")
	}
	a, err := g.client.Do(ctx, req, wire.DefaultLimit)
	if err != nil {
		return "", err
	}
	var who struct {
		OpenID string `json:"openid"`
		Code   int    `json:"errcode"`
	}
	if a.Status != http.StatusOK || json.Unmarshal(a.Body, &who) != nil {
		return "", fault.New(fault.Unavailable, "paygate.answer_status", "status", strconv.Itoa(a.Status))
	}
	switch who.Code {
	case 0:
	case 40029, 40163, 42003: // no code, one that was used, one that is over
		return "", fault.New(fault.Gone, "paygate.introduction_over")
	default:
		return "", paygate.Unclear(strconv.Itoa(who.Code))
	}
	if who.OpenID == "" || !openID(who.OpenID) {
		return "", fault.New(fault.Unavailable, "paygate.answer_malformed")
	}
	return who.OpenID, nil
}
