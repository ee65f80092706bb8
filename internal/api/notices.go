package api

import (
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"

	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/paygate"
	"hufu/internal/payment"
)

// notices takes the gateways' messages. Their form is the gateways' own, so they stand
// outside the OpenAPI document.
func (a *API) notices(mux *http.ServeMux) {
	mux.HandleFunc("POST "+Prefix+"/gateways/{gateway}/notices", func(w http.ResponseWriter, r *http.Request) {
		g, ok := a.Flows.Gateways[r.PathValue("gateway")]
		if !ok {
			a.Fail(w, r, errNothing)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, paygate.MaxNotice))
		if err != nil {
			a.refused.count(g.Name(), "unread")
			replyTo(w, g.Refused())
			return
		}
		n, err := g.ParseNotice(r.Header, body)
		if err != nil {
			a.refused.count(g.Name(), fault.CodeOf(err))
			a.Log.Warn("a notice was refused", "gateway", g.Name(), "error", err)
			replyTo(w, g.Refused())
			return
		}
		var done flow.Confirmed
		switch n.Kind {
		case paygate.NoticePaid, paygate.NoticeUnpaid, paygate.NoticeClosed:
			done, err = a.Flows.Confirm(r.Context(), flow.Confirm{
				Message: payment.Message{Provider: g.Name(), Event: n.EventID, Intent: id.Intent(n.MerchantNo), Txn: n.TxnID, Paid: n.Kind == paygate.NoticePaid,
					Amount: n.Amount, Account: n.Account == g.Account(), PayerID: n.PayerID},
				OccurredAt: n.OccurredAt, Header: headerText(r.Header), Body: body,
			})
		case paygate.NoticeRefund, paygate.NoticeDispute:
			_, err = a.Flows.TakeNews(r.Context(), flow.News{Provider: g.Name(), Notice: n, Header: headerText(r.Header), Body: body})
		}
		switch {
		case err != nil:
			a.refused.count(g.Name(), "not_recorded")
			a.Log.Error("a notice could not be recorded", "gateway", g.Name(), "event", n.EventID, "error", err)
			refused := g.Refused()
			refused.Status = http.StatusServiceUnavailable // the fault is ours, whatever the word is
			replyTo(w, refused)
		case done.Verdict == payment.Unknown:
			a.refused.count(g.Name(), string(payment.Unknown))
			replyTo(w, g.Refused()) // we may not have committed yet: let it come again (P8)
		default:
			replyTo(w, g.Taken())
		}
	})
}

// refusals counts the notices that were refused, by gateway and reason (S20).
type refusals struct {
	mu sync.Mutex
	of map[[2]string]uint64
}

func (r *refusals) count(gateway, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil {
		r.of = map[[2]string]uint64{}
	}
	r.of[[2]string{gateway, why}]++
}

// RefusedNotices tells how many notices this process has refused, by gateway and reason: the
// code of the fault that speaks against it, or "unread", "not_recorded", "unknown_intent".
func (a *API) RefusedNotices() map[[2]string]uint64 {
	a.refused.mu.Lock()
	defer a.refused.mu.Unlock()
	return maps.Clone(a.refused.of)
}

func replyTo(w http.ResponseWriter, r paygate.Reply) {
	if r.ContentType != "" {
		w.Header().Set("Content-Type", r.ContentType)
	}
	w.WriteHeader(r.Status)
	_, _ = io.WriteString(w, r.Body)
}

// headerText keeps the headers that belong to a notice and its signature.
func headerText(h http.Header) string {
	var b strings.Builder
	for name, values := range h {
		if strings.Contains(name, "Signature") || strings.HasPrefix(name, "Wechatpay") || name == "Request-Id" || name == "Content-Type" {
			for _, v := range values {
				b.WriteString(name + ": " + v + "\n")
			}
		}
	}
	return b.String()
}
