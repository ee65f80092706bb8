package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// tokenBytes: 256 bits.
const tokenBytes = 32

var tokenForm = base64.RawURLEncoding.Strict()

// newToken makes a secret that can't be guessed, in 43 characters.
func newToken() string {
	b := make([]byte, tokenBytes)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return tokenForm.EncodeToString(b)
}

// hashToken is what is stored of a token, false when s can't be one. A token has 256 bits, so
// a plain hash can't be searched.
func hashToken(s string) ([]byte, bool) {
	b, err := tokenForm.DecodeString(s)
	if err != nil || len(b) != tokenBytes {
		return nil, false
	}
	h := sha256.Sum256(b)
	return h[:], true
}

// CSRF is the proof that a form was made for the holder of a cookie's secret, which is the
// session token or, before sign-in, another random cookie. It can't be turned back into the
// secret.
func CSRF(secret string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("hufu.csrf"))
	return tokenForm.EncodeToString(m.Sum(nil)[:18])
}

// CheckCSRF reports, in constant time, whether proof is that of the secret. An empty secret
// has none.
func CheckCSRF(secret, proof string) bool {
	return secret != "" && subtle.ConstantTimeCompare([]byte(CSRF(secret)), []byte(proof)) == 1
}

// keyed hashes parts under the key of the service, each part apart from the next, so that
// who has only the database can't search short inputs.
func (s *Service) keyed(what string, parts ...string) []byte {
	m := hmac.New(sha256.New, s.key)
	for _, p := range append([]string{what}, parts...) {
		n := len(p)
		m.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		m.Write([]byte(p))
	}
	return m.Sum(nil)
}

// bucket names a limiter's bucket for values that may come from outside and may be private.
func (s *Service) bucket(name string, values ...string) string {
	return name + ":" + tokenForm.EncodeToString(s.keyed("bucket."+name, values...)[:12])
}

// deviceToken is given to a browser that has signed in as a contact.
func (s *Service) deviceToken(contact string) string {
	b := make([]byte, 12)
	_, _ = rand.Read(b)
	nonce := tokenForm.EncodeToString(b)
	return nonce + "." + s.deviceProof(contact, nonce)
}

func (s *Service) deviceProof(contact, nonce string) string {
	return tokenForm.EncodeToString(s.keyed("device", contact, nonce)[:18])
}

// knownDevice is the name of the device that a token proves for a contact, or "".
func (s *Service) knownDevice(contact, token string) string {
	nonce, proof, _ := strings.Cut(token, ".")
	if contact == "" || nonce == "" || subtle.ConstantTimeCompare([]byte(proof), []byte(s.deviceProof(contact, nonce))) != 1 {
		return ""
	}
	return nonce
}
