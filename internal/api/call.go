package api

import (
	"crypto/sha256"
	"net/http"
	"strings"

	"hufu/internal/fault"
	"hufu/internal/httpx"
	"hufu/internal/identity"
)

// Call is one request on its way through an operation.
type Call struct {
	httpx.Caller
	spec    *spec
	w       http.ResponseWriter
	r       *http.Request
	key     string // of idempotency, checked
	body    []byte // valid until the handler returns
	session *identity.Session
	token   string // that came as Bearer
	status  int    // of the answer
	done    []byte // the answer, when it is encoded already
}

func (c *Call) header() http.Header { return c.w.Header() }

// hash is of everything the request says.
func (c *Call) hash() []byte {
	h := sha256.New()
	h.Write([]byte(c.r.URL.Path + "\n" + c.r.URL.RawQuery + "\n"))
	h.Write(c.body)
	return h.Sum(nil)
}

// origin is where the request came from.
func (c *Call) origin() identity.Origin {
	return identity.Origin{Address: c.address(), Agent: c.r.UserAgent(), Device: c.r.Header.Get("X-Device-Token")}
}

func (c *Call) address() string {
	if !c.IP.IsValid() {
		return ""
	}
	return c.IP.String()
}

func (c *Call) actor() identity.Actor { return c.session.Actor(c.origin()) }

// party is the id of who signed in.
func (c *Call) party() string { return string(c.session.Party.ID) }

// bearer finds the token of a request: "" when it carries none.
func bearer(h http.Header) (string, error) {
	all := h["Authorization"]
	if len(all) == 0 {
		return "", nil
	}
	scheme, token, ok := strings.Cut(all[0], " ")
	if len(all) > 1 || !ok || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > 200 {
		return "", fault.New(fault.Unauthenticated, "request.authorization")
	}
	return token, nil
}
