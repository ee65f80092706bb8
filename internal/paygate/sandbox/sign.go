package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"time"

	"hufu/internal/fault"
	"hufu/internal/paygate"
)

const (
	signatureHeader = "Hufu-Sandbox-Signature"
	tolerance       = 300 * time.Second
	maxSignatures   = 8
)

type field struct{ name, value string }

// signLink signs the fields of a cashier link, which must stand in the order of their names.
// No value holds a line feed, so the lines can be read in one way only.
func signLink(secret string, fields []field) string {
	mac := hmac.New(sha256.New, []byte(secret))
	io.WriteString(mac, "CASHIER\n")
	for _, f := range fields {
		io.WriteString(mac, f.name+"="+f.value+"\n")
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// digest is the HMAC of a message in its scope: "POST /v1/query", "RESPONSE 200 <signature of
// the request>" or "NOTICE". The scope keeps a message of one sort from passing for another.
func digest(secret, unix, scope string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	io.WriteString(mac, unix+"\n"+scope+"\n")
	mac.Write(body)
	return mac.Sum(nil)
}

// sign gives the header of a request and the signature in it.
func (g *Gateway) sign(scope string, body []byte) (header, signature string) {
	unix := strconv.FormatInt(g.clock.Now().Unix(), 10)
	signature = hex.EncodeToString(digest(g.secrets[0], unix, scope, body))
	return "t=" + unix + ",v1=" + signature, signature
}

// verify accepts a message when any signature in its header is right under any of our
// secrets and its time is near ours.
func (g *Gateway) verify(h paygate.Header, scope string, body []byte) error {
	values := h.Values(signatureHeader)
	if len(values) == 0 {
		return fault.New(fault.Unauthenticated, "paygate.signature_missing")
	}
	wrong := fault.New(fault.Unauthenticated, "paygate.signature_wrong")
	if len(values) > 1 {
		return wrong
	}
	unix, given, ok := readSignature(values[0])
	if !ok {
		return wrong
	}
	// Every pair is compared: how long it takes tells nothing about which was near.
	right := false
	for _, secret := range g.secrets {
		want := digest(secret, unix, scope, body)
		for _, sig := range given {
			if hmac.Equal(want, sig) {
				right = true
			}
		}
	}
	if !right {
		return wrong
	}
	t, err := strconv.ParseInt(unix, 10, 64)
	if err != nil {
		return wrong
	}
	// The age is asked of a right signature only, so that a stranger learns nothing of our clock.
	if age := g.clock.Now().Unix() - t; age > int64(tolerance/time.Second) || age < -int64(tolerance/time.Second) {
		return fault.New(fault.Unauthenticated, "paygate.signature_stale", "seconds", strconv.FormatInt(age, 10))
	}
	return nil
}

// readSignature takes "t=1700000000,v1=<hex>,v1=<hex>" apart. Other names are passed over, as
// a later version may bring them; a second t, no t, no v1 or too many are not.
func readSignature(s string) (unix string, given [][]byte, ok bool) {
	if len(s) > 1024 {
		return "", nil, false
	}
	for part := range strings.SplitSeq(s, ",") {
		name, value, found := strings.Cut(part, "=")
		if !found {
			return "", nil, false
		}
		switch name {
		case "t":
			if unix != "" || value == "" || len(value) > 12 || strings.Trim(value, "0123456789") != "" {
				return "", nil, false
			}
			unix = value
		case "v1":
			sig, err := hex.DecodeString(value)
			if err != nil || len(sig) != sha256.Size || len(given) == maxSignatures {
				return "", nil, false
			}
			given = append(given, sig)
		}
	}
	return unix, given, unix != "" && len(given) > 0
}
