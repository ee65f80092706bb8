package gateway

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"time"
)

// introduction is a code that says who somebody is, once.
type introduction struct {
	app, payer string
	at         time.Time
}

// introductionLife is for how long a code is good.
const introductionLife = 5 * time.Minute

func (s *Server) wechatOf(app string) (Merchant, bool) {
	for _, m := range s.merchants {
		if m.Protocol == "wechat" && m.AppID == app {
			return m, true
		}
	}
	return Merchant{}, false
}

// introduce sends the app back to the shop with a code for its user (网页授权, snsapi_base).
func (s *Server) introduce(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if _, known := s.wechatOf(q.Get("appid")); !known || err != nil || !isWeb(q.Get("redirect_uri")) || q.Get("response_type") != "code" {
		s.problem(w, r, http.StatusForbidden, "bad_link")
		return
	}
	code := token("")
	one := introduction{q.Get("appid"), payer(w, r), s.clock.Now()}
	s.mu.Lock()
	s.introductions[code] = one
	s.mu.Unlock()
	to := back.Query()
	to.Set("code", code)
	to.Set("state", q.Get("state"))
	back.RawQuery = to.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// introduced tells the shop whose code it is.
func (s *Server) introduced(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	m, known := s.wechatOf(q.Get("appid"))
	if !known || q.Get("grant_type") != "authorization_code" || subtle.ConstantTimeCompare([]byte(q.Get("secret")), []byte(m.WeChat.AppSecret)) != 1 {
		answerJSON(w, http.StatusOK, map[string]any{"errcode": 40125, "errmsg": "invalid appsecret"})
		return
	}
	s.mu.Lock()
	one, ok := s.introductions[q.Get("code")]
	delete(s.introductions, q.Get("code"))
	for code, i := range s.introductions {
		if s.clock.Now().Sub(i.at) > introductionLife {
			delete(s.introductions, code)
		}
	}
	s.mu.Unlock()
	if !ok || one.app != m.AppID || s.clock.Now().Sub(one.at) > introductionLife {
		answerJSON(w, http.StatusOK, map[string]any{"errcode": 40029, "errmsg": "invalid code"})
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"access_token": token(""), "expires_in": 7200, "openid": one.payer, "scope": "snsapi_base"})
}
