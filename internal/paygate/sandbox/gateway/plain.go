package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// plain is the gateway's own protocol, which docs/sandbox-gateway.md describes.
type plain struct{}

// wrongKey signs what the faults want signed by somebody else.
const wrongKey = "another merchant's key, which is not this one's"

func (plain) hear(s *Server, _ string, r *http.Request, body []byte) (c heard, ok bool) {
	if json.Unmarshal(body, &c.q) != nil {
		return c, false
	}
	m, known := s.merchants[c.q.MerchantID]
	headers := r.Header.Values(SignatureHeader)
	if !known || m.Protocol != "" || c.q.AppID != m.AppID || len(headers) != 1 {
		return c, false
	}
	c.m = m
	c.receipt, ok = admits(m.Secrets, headers[0], s.clock.Now(), r.Method+" "+r.URL.Path, body)
	return c, ok
}

func (plain) turnAway(w http.ResponseWriter) {
	http.Error(w, "the signature is missing or wrong", http.StatusUnauthorized)
}

func (plain) say(c heard, a reply) said {
	if a.csv != nil {
		return said{http.StatusOK, "text/csv; charset=utf-8", a.csv}
	}
	a.MerchantID, a.AppID, a.Nonce = c.m.ID, c.m.AppID, c.q.Nonce
	out, err := json.Marshal(a)
	if err != nil {
		panic(err) // every field is plain
	}
	return said{http.StatusOK, "application/json", out}
}

func (plain) seal(h http.Header, c heard, out said, at time.Time, how string) said {
	secrets := c.m.Secrets
	switch how {
	case "unsigned":
		return out
	case "missigned":
		secrets = []string{wrongKey}
	}
	h.Set(SignatureHeader, stamp(secrets, at, "RESPONSE 200 "+c.receipt, out.body))
	return out
}

func (plain) tell(m Merchant, f Faults, n Notice, at time.Time) (http.Header, []byte) {
	body, secrets, h := appendNotice(nil, n), m.Secrets, http.Header{"Content-Type": {"application/json"}}
	switch f.Signature {
	case "absent":
		return h, body
	case "forged", "probe":
		h.Set(SignatureHeader, fmt.Sprintf("t=%d,v1=%064d", at.Unix(), 0))
		return h, body
	case "other_key":
		secrets = []string{wrongKey}
	case "empty_key":
		secrets = []string{""}
	case "stale":
		at = at.Add(-2 * drift * time.Second)
	}
	h.Set(SignatureHeader, stamp(secrets, at, "NOTICE", body))
	return h, body
}

func (plain) taken(status int, answer string) bool {
	return status == http.StatusOK && answer == "success"
}

func (plain) knows(string, string) bool { return true }
