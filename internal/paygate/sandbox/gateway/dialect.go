package gateway

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// dialect is a protocol in which the gateway and a merchant's shop speak. All of them speak of
// the same trades.
type dialect interface {
	// hear verifies a call and reads it; ok is false when it can't be believed.
	hear(s *Server, name string, r *http.Request, body []byte) (c heard, ok bool)
	// turnAway answers a call that isn't believed.
	turnAway(w http.ResponseWriter)
	// say puts an answer into the protocol's words.
	say(c heard, a reply) said
	// seal signs an answer: not at all when the fault how is "unsigned", and with a key that
	// isn't the gateway's when it is "missigned".
	seal(h http.Header, c heard, out said, at time.Time, how string) said
	// tell puts a notice into the protocol's words and signs it as the faults have it.
	tell(m Merchant, f Faults, n Notice, at time.Time) (http.Header, []byte)
	// taken tells whether a shop's answer ends the repeats of a notice.
	taken(status int, answer string) bool
	// knows tells whether the protocol has a notice of that type and state.
	knows(kind, state string) bool
}

// heard is a call that is believed.
type heard struct {
	name    string
	m       Merchant
	q       request
	receipt string // what the answer's signature refers to
	host    string // by which the shop reached the gateway
}

// said is an answer as it goes out.
type said struct {
	status int
	kind   string // Content-Type; "" without a body
	body   []byte
}

// dialects are the protocols by the name merchants have them under.
var dialects = map[string]dialect{"": plain{}, "wechat": wechat{}, "alipay": alipay{}}

func (m Merchant) dialect() dialect { return dialects[m.Protocol] }

// call answers a signed call. do runs under mu, after everything due by time was settled.
func (s *Server) call(d dialect, name string, do func(m Merchant, q request, now time.Time, f Faults) reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		if err != nil {
			http.Error(w, "the body can't be read or is too large", http.StatusBadRequest)
			return
		}
		now := s.clock.Now()
		c, ok := d.hear(s, name, r, body)
		if !ok {
			s.log.Info("a call was refused", "call", name, "merchant", c.m.ID)
			d.turnAway(w)
			return
		}
		c.name, c.host = name, r.Host

		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			http.Error(w, "closing", http.StatusServiceUnavailable)
			return
		}
		s.calls[c.m.ID+" "+name]++
		f := s.faults[c.m.ID].rolled(fmt.Sprintf("%s/%d", name, s.calls[c.m.ID+" "+name]))
		how := f.answer(name)
		var a reply
		if how == "" || AnswerFaults[how] {
			s.settle(now)
			a = do(c.m, c.q, now, f)
		}
		s.mu.Unlock()
		s.stir()

		e := exchange{MerchantID: c.m.ID, OutTradeNo: c.q.OutTradeNo, Name: name, Where: r.URL.Path, Body: string(body), Fault: how}
		defer func() { s.note(e) }()
		if a.OutTradeNo == "" {
			a.OutTradeNo = c.q.OutTradeNo
		}
		if a.RefundNo == "" {
			a.RefundNo = c.q.RefundNo
		}
		switch how {
		case "unavailable":
			e.Status = http.StatusServiceUnavailable
			http.Error(w, "try later", http.StatusServiceUnavailable)
			return
		case "error", "garbage":
			e.Status = map[string]int{"error": 500, "garbage": 200}[how]
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(e.Status)
			io.WriteString(w, "<html><body><h1>nginx</h1></body></html>")
			return
		case "redirect":
			e.Status = http.StatusFound
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		case "hang":
			s.pause(r, 365*24*time.Hour)
			panic(http.ErrAbortHandler)
		case "lost":
			panic(http.ErrAbortHandler)
		case "slow":
			s.pause(r, s.scaled(seconds(f.SlowSeconds)))
		case "huge":
			e.Status = http.StatusOK
			for line := []byte(strings.Repeat(" ", 1<<16)); err == nil && r.Context().Err() == nil; {
				_, err = w.Write(line)
			}
			return
		case "unknown", "unclear":
			a.Code, a.Message, a.csv = "UNKNOWN", "the gateway does not know yet", nil
		case "absent":
			a.Code, a.Message = "NOT_FOUND", "no such trade"
		case "mismatch":
			a.OutTradeNo = "another-order"
		}
		out := d.seal(w.Header(), c, d.say(c, a), s.clock.Now(), how)
		e.Status, e.Answer = out.status, string(out.body)
		if out.kind != "" {
			w.Header().Set("Content-Type", out.kind)
		}
		w.WriteHeader(out.status)
		w.Write(out.body)
	}
}
