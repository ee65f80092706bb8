package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader is the header that carries signatures in both directions.
const SignatureHeader = "Hufu-Sandbox-Signature"

// drift is how far the two clocks may be apart, in seconds.
const drift = 300

// Notice is what the gateway tells the shop: one flat JSON object.
type Notice struct {
	ID            string    `json:"id"`   // of the event; the same in every repeat
	Type          string    `json:"type"` // "trade", "refund" or "dispute"
	MerchantID    string    `json:"merchant_id"`
	AppID         string    `json:"app_id"`
	OutTradeNo    string    `json:"out_trade_no"`   // the shop's number
	TransactionID string    `json:"transaction_id"` // the gateway's number; empty for a trade never paid
	State         string    `json:"state"`          // of the trade: PAID, CLOSED
	Amount        int64     `json:"amount"`         // of the payment, in minor units
	Currency      string    `json:"currency"`
	OccurredAt    time.Time `json:"occurred_at"`
	PayerID       string    `json:"payer_id,omitempty"` // the account that paid, of a trade that is PAID
	Product       string    `json:"product,omitempty"`  // how it was paid, for protocols that tell

	RefundNo     string `json:"refund_no,omitempty"` // the shop's number of the refund
	RefundID     string `json:"refund_id,omitempty"`
	RefundState  string `json:"refund_state,omitempty"` // PROCESSING, DONE, FAILED
	RefundAmount int64  `json:"refund_amount,omitempty"`
	Refunded     int64  `json:"refunded,omitempty"` // all refunds of the payment so far
}

// SignNotice gives the signature header's value and the body of a notice sent at a moment.
// It is meant for load generators too: about 2 µs and no reflection for plain ASCII.
func SignNotice(secret string, sentAt time.Time, n Notice) (signature string, body []byte) {
	body = appendNotice(make([]byte, 0, 512), n)
	return stamp([]string{secret}, sentAt, "NOTICE", body), body
}

func appendNotice(b []byte, n Notice) []byte {
	text := func(name, v string) {
		b = append(b, name...)
		b = appendText(b, v)
	}
	text(`{"id":`, n.ID)
	text(`,"type":`, n.Type)
	text(`,"merchant_id":`, n.MerchantID)
	text(`,"app_id":`, n.AppID)
	text(`,"out_trade_no":`, n.OutTradeNo)
	text(`,"transaction_id":`, n.TransactionID)
	text(`,"state":`, n.State)
	b = append(b, `,"amount":`...)
	b = strconv.AppendInt(b, n.Amount, 10)
	text(`,"currency":`, n.Currency)
	b = append(b, `,"occurred_at":"`...)
	b = n.OccurredAt.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, '"')
	if n.PayerID != "" {
		text(`,"payer_id":`, n.PayerID)
	}
	if n.Type == "refund" {
		text(`,"refund_no":`, n.RefundNo)
		text(`,"refund_id":`, n.RefundID)
		text(`,"refund_state":`, n.RefundState)
		b = append(b, `,"refund_amount":`...)
		b = strconv.AppendInt(b, n.RefundAmount, 10)
		b = append(b, `,"refunded":`...)
		b = strconv.AppendInt(b, n.Refunded, 10)
	}
	return append(b, '}')
}

// appendText writes a JSON string; the slow road is for text that needs escapes.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			slow, err := json.Marshal(s)
			if err != nil {
				panic(err) // a string always marshals
			}
			return append(b, slow...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// stamp is the header's value: the time, and one signature for each secret.
func stamp(secrets []string, at time.Time, scope string, body []byte) string {
	out := strconv.AppendInt(append(make([]byte, 0, 96), "t="...), at.Unix(), 10)
	head := append(append(append(append(make([]byte, 0, 160), out[2:]...), '\n'), scope...), '\n')
	for _, secret := range secrets {
		out = hex.AppendEncode(append(out, ",v1="...), mac(secret, head, body))
	}
	return string(out)
}

func mac(secret string, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(make([]byte, 0, sha256.Size))
}

// admits tells whether a shop's header is right, and which of its signatures was.
func admits(secrets []string, header string, now time.Time, scope string, body []byte) (signature string, ok bool) {
	var t string
	var given []string
	for i, part := range strings.Split(header, ",") {
		switch {
		case i == 0 && strings.HasPrefix(part, "t="):
			t = part[2:]
		case i > 0 && i <= 8 && strings.HasPrefix(part, "v1="):
			given = append(given, part[3:])
		default:
			return "", false
		}
	}
	unix, err := strconv.ParseInt(t, 10, 64)
	if err != nil || now.Unix()-unix > drift || unix-now.Unix() > drift {
		return "", false
	}
	for _, secret := range secrets {
		right := hex.EncodeToString(mac(secret, []byte(t), []byte("\n"+scope+"\n"), body))
		for _, g := range given {
			if subtle.ConstantTimeCompare([]byte(right), []byte(g)) == 1 {
				signature = right
			}
		}
	}
	return signature, signature != ""
}

var linkNames = []string{"amount", "app_id", "currency", "expires_at", "merchant_id", "notify_url", "out_trade_no", "return_url", "subject"}

// linkSigned tells whether a cashier link is signed by the merchant. Each name must stand in
// it once, so that nothing signed can be shadowed by something that isn't.
func linkSigned(secrets []string, q url.Values) bool {
	var text strings.Builder
	text.WriteString("CASHIER\n")
	for _, name := range linkNames {
		if len(q[name]) != 1 || strings.ContainsAny(q[name][0], "\r\n") {
			return false
		}
		text.WriteString(name + "=" + q[name][0] + "\n")
	}
	for name := range q {
		if name != "sign" && name != "lang" && !slices.Contains(linkNames, name) {
			return false
		}
	}
	if len(q["sign"]) != 1 {
		return false
	}
	ok := false
	for _, secret := range secrets {
		right := hex.EncodeToString(mac(secret, []byte(text.String())))
		ok = ok || subtle.ConstantTimeCompare([]byte(right), []byte(q.Get("sign"))) == 1
	}
	return ok
}
