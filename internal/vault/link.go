package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// LinkSecret is the secret in the link to a thing: 132 bits of HMAC-SHA-256 over its name,
// in 22 letters. It is computed and never stored, so a database dump has none.
func (k *Keyring) LinkSecret(name string) string {
	h := hmac.New(sha256.New, k.set.Load().link.Bytes())
	h.Write([]byte("hufu.link\x00" + name))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))[:22]
}

// CheckLink reports, in constant time, whether secret is the link secret of a name.
func (k *Keyring) CheckLink(name, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(k.LinkSecret(name)), []byte(secret)) == 1
}

// Derive gives a key of 32 bytes for a use by name. It changes with the link key.
func (k *Keyring) Derive(name string) []byte {
	h := hmac.New(sha256.New, k.set.Load().link.Bytes())
	h.Write([]byte("hufu.derive\x00" + name))
	return h.Sum(nil)
}
