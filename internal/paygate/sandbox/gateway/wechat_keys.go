package gateway

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// WeChat are the keys of a merchant who speaks WeChat Pay's protocol.
type WeChat struct {
	ShopSerial string        `json:"shop_serial"` // the number of the shop's certificate
	ShopKey    string        `json:"shop_key"`    // its public key, PEM
	APIv3Key   string        `json:"api_v3_key"`
	AppSecret  string        `json:"app_secret"`
	Platform   []PlatformKey `json:"platform"` // the gateway's; the first signs notices

	shop *rsa.PublicKey
}

// PlatformKey is a key that the gateway signs with: a certificate's, which shops fetch, or one
// with an id of its own, which they are given by hand.
type PlatformKey struct {
	ID          string `json:"id"`                    // "PUB_KEY_ID_..." or the certificate's number
	Private     string `json:"private"`               // PEM
	Certificate string `json:"certificate,omitempty"` // PEM

	key *rsa.PrivateKey
}

func (w *WeChat) parse() error {
	var err error
	if w.shop, err = publicPEM(w.ShopKey); err != nil {
		return err
	}
	if len(w.APIv3Key) != 32 || len(w.Platform) == 0 {
		return errors.New("the APIv3 key hasn't 32 bytes, or there is no platform key")
	}
	w.Platform = append([]PlatformKey(nil), w.Platform...)
	for i := range w.Platform {
		if w.Platform[i].key, err = privatePEM(w.Platform[i].Private); err != nil {
			return err
		}
	}
	return nil
}

// signer is the platform key of that id, or the first.
func (w *WeChat) signer(id string) PlatformKey {
	for _, p := range w.Platform {
		if p.ID == id {
			return p
		}
	}
	return w.Platform[0]
}

// NewWeChat draws all keys of a merchant: the gateway's half, and the shop's as the JSON that
// an adapter to WeChat Pay is set up with. Without a public key the platform key is a
// certificate's.
func NewWeChat(merchant, app string, publicKey bool, now time.Time) (w WeChat, shop map[string]string, err error) {
	mine, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return w, nil, err
	}
	shopPrivate, shopPublic, err := pemPair(mine)
	if err != nil {
		return w, nil, err
	}
	w = WeChat{ShopSerial: strings.ToUpper(token("")), ShopKey: shopPublic, APIv3Key: rand.Text()[:16] + rand.Text()[:16], AppSecret: token("")[:16] + token("")[:16]}
	p, public, err := NewPlatformKey(publicKey, now)
	if err != nil {
		return w, nil, err
	}
	w.Platform = []PlatformKey{p}
	shop = map[string]string{"merchant_id": merchant, "app_id": app, "serial_no": w.ShopSerial, "private_key": shopPrivate, "api_v3_key": w.APIv3Key, "app_secret": w.AppSecret}
	if publicKey {
		shop["public_key_id"], shop["public_key"] = p.ID, public
	}
	return w, shop, nil
}

// NewPlatformKey draws a platform key, and gives its public half in PEM.
func NewPlatformKey(publicKey bool, now time.Time) (p PlatformKey, public string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return p, "", err
	}
	private, public, err := pemPair(key)
	if err != nil {
		return p, "", err
	}
	if publicKey {
		return PlatformKey{ID: "PUB_KEY_ID_" + fmt.Sprintf("%024d", now.UnixNano()), Private: private}, public, nil
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 159))
	if err != nil {
		return p, "", err
	}
	cert := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "Sandbox Pay platform"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(5, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		return p, "", err
	}
	return PlatformKey{ID: fmt.Sprintf("%X", serial), Private: private, Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}, public, nil
}

// wrapped encrypts something for a shop as WeChat Pay does.
func wrapped(apiKey, associated, original string, plain []byte) map[string]string {
	block, err := aes.NewCipher([]byte(apiKey))
	if err != nil {
		panic(err) // its length was checked
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	nonce := []byte(rand.Text()[:aead.NonceSize()])
	out := map[string]string{"algorithm": "AEAD_AES_256_GCM", "nonce": string(nonce), "associated_data": associated,
		"ciphertext": base64.StdEncoding.EncodeToString(aead.Seal(nil, nonce, plain, []byte(associated)))}
	if original != "" {
		out["original_type"] = original
	}
	return out
}

// compactJSON writes JSON as WeChat Pay does: without escapes for HTML and without a line feed.
func compactJSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // every field is plain
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
