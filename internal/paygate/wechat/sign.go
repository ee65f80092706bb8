package wechat

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"hufu/internal/fault"
	"hufu/internal/paygate"
)

const (
	scheme    = "WECHATPAY2-SHA256-RSA2048"
	tolerance = 300 * time.Second // of a signature's age, as WeChat Pay asks
)

// sign is the signature of lines, each ended by a line feed, with the merchant's key.
func (g *Gateway) sign(lines ...string) (string, error) {
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n") + "\n"))
	sig, err := rsa.SignPKCS1v15(rand.Reader, g.private, crypto.SHA256, sum[:])
	if err != nil {
		return "", fault.Wrap(err, fault.Internal, "internal")
	}
	return base64.StdEncoding.EncodeToString(sig), nil
}

// authorize gives the Authorization header of a request: target is its path and query, body
// the very bytes that are sent.
func (g *Gateway) authorize(method, target, body string) (string, error) {
	nonce, unix := rand.Text(), strconv.FormatInt(g.clock.Now().Unix(), 10)
	sig, err := g.sign(method, target, unix, nonce, body)
	if err != nil {
		return "", err
	}
	return scheme + ` mchid="` + g.merchant + `",nonce_str="` + nonce + `",timestamp="` + unix + `",serial_no="` + g.serial + `",signature="` + sig + `"`, nil
}

// seal is what the headers of an answer or a notice say of its signature.
type seal struct {
	keyID, unix, nonce string
	signature          []byte
}

// readSeal takes the headers apart. Each must stand once. A signature made to be refused
// (WECHATPAY/SIGNTEST/...) holds no base64 of an RSA signature's length, or is wrong.
func readSeal(h paygate.Header) (seal, error) {
	var values [4]string
	for i, name := range []string{"Wechatpay-Serial", "Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature"} {
		all := h.Values(name)
		if len(all) == 0 || all[0] == "" {
			return seal{}, fault.New(fault.Unauthenticated, "paygate.signature_missing")
		}
		if len(all) > 1 || len(all[0]) > 1024 {
			return seal{}, errWrong
		}
		values[i] = all[0]
	}
	if kind := h.Values("Wechatpay-Signature-Type"); len(kind) > 1 || len(kind) == 1 && kind[0] != scheme {
		return seal{}, errWrong
	}
	s := seal{keyID: values[0], unix: values[1], nonce: values[2]}
	var err error
	if s.signature, err = base64.StdEncoding.DecodeString(values[3]); err != nil {
		return seal{}, errWrong
	}
	return s, nil
}

var errWrong = fault.New(fault.Unauthenticated, "paygate.signature_wrong")

// check accepts a message that the key signed a short time ago.
func (s seal) check(key *rsa.PublicKey, body []byte, now time.Time) error {
	sum := sha256.Sum256([]byte(s.unix + "\n" + s.nonce + "\n" + string(body) + "\n"))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], s.signature) != nil {
		return errWrong
	}
	unix, err := strconv.ParseInt(s.unix, 10, 64)
	if err != nil {
		return errWrong
	}
	// The age is asked of a right signature only, so that a stranger learns nothing of our clock.
	if age := now.Unix() - unix; age >= int64(tolerance/time.Second) || age <= -int64(tolerance/time.Second) {
		return fault.New(fault.Unauthenticated, "paygate.signature_stale", "seconds", strconv.FormatInt(age, 10))
	}
	return nil
}

// sealed is something encrypted with the APIv3 key.
type sealed struct {
	Algorithm  string `json:"algorithm"`
	Nonce      string `json:"nonce"`
	Associated string `json:"associated_data"`
	Ciphertext string `json:"ciphertext"`
	Original   string `json:"original_type"`
}

// open decrypts it. An error says that it was encrypted with another key or changed.
func (g *Gateway) open(s sealed) ([]byte, error) {
	if s.Algorithm != "AEAD_AES_256_GCM" {
		return nil, errors.New("algorithm is another")
	}
	text, err := base64.StdEncoding.DecodeString(s.Ciphertext)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(g.apiKey)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	if len(s.Nonce) != aead.NonceSize() {
		return nil, errors.New("nonce is malformed")
	}
	return aead.Open(nil, []byte(s.Nonce), text, []byte(s.Associated))
}

// verify believes an answer or a notice when a platform key that is known signed it.
func (g *Gateway) verify(h paygate.Header, body []byte) error {
	s, err := readSeal(h)
	if err != nil {
		return err
	}
	key := g.keys.find(s.keyID, g.clock.Now())
	if key == nil {
		return &unknownKey{s.keyID}
	}
	return s.check(key, body, g.clock.Now())
}

// unknownKey tells of a message signed with a key that has to be fetched first.
type unknownKey struct{ id string }

func (e *unknownKey) Error() string {
	return "wechat: no platform key " + strconv.Quote(paygate.Clip(e.id))
}
