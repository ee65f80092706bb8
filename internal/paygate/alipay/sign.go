package alipay

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"

	"hufu/internal/fault"
)

// content is what is signed of parameters: in the order of their names, as k=v joined by &, not
// escaped. Without are left out.
func content(params map[string]string, without ...string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if slices.Contains(without, name) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name + "=" + params[name])
	}
	return b.String()
}

// sign signs the parameters of a request, none of which may be empty; sign_type is among what is
// signed. Of a notice everything is signed but sign and sign_type, empty values too.
func (g *Gateway) sign(params map[string]string) (string, error) {
	sum := sha256.Sum256([]byte(content(params, "sign")))
	sig, err := rsa.SignPKCS1v15(rand.Reader, g.private, crypto.SHA256, sum[:])
	if err != nil {
		return "", fault.Wrap(err, fault.Internal, "internal")
	}
	return base64.StdEncoding.EncodeToString(sig), nil
}

var (
	errMissing = fault.New(fault.Unauthenticated, "paygate.signature_missing")
	errWrong   = fault.New(fault.Unauthenticated, "paygate.signature_wrong")
)

// check tells whether Alipay signed a text.
func (g *Gateway) check(text, signature string) error {
	if signature == "" {
		return errMissing
	}
	sig, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return errWrong
	}
	sum := sha256.Sum256([]byte(text))
	if rsa.VerifyPKCS1v15(g.public, crypto.SHA256, sum[:], sig) != nil {
		return errWrong
	}
	return nil
}

// flat reads a form in which each name stands once: of two values only one would be signed.
func flat(body []byte) (map[string]string, bool) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, false
	}
	out := make(map[string]string, len(form))
	for name, values := range form {
		if len(values) != 1 {
			return nil, false
		}
		out[name] = values[0]
	}
	return out, true
}
