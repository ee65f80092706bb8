package wechat

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"hufu/internal/fault"
)

// platformKey is a key that WeChat Pay signs with.
type platformKey struct {
	key    *rsa.PublicKey
	expire time.Time // of its certificate; the zero time for a public key
}

// keyring holds the platform keys by the id that messages name them with.
type keyring struct {
	mu    sync.RWMutex
	byID  map[string]platformKey
	asked time.Time  // when the certificates were asked for last
	fetch sync.Mutex // one fetch at a time
}

// A stranger can name any key, so the certificates are asked for this often at most.
const askAgain = time.Minute

func (k *keyring) find(id string, now time.Time) *rsa.PublicKey {
	k.mu.RLock()
	defer k.mu.RUnlock()
	p, ok := k.byID[id]
	if !ok || !p.expire.IsZero() && !now.Before(p.expire) {
		return nil
	}
	return p.key
}

// due claims the right to ask for certificates now.
func (k *keyring) due(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if since := now.Sub(k.asked); !k.asked.IsZero() && since >= 0 && since < askAgain {
		return false
	}
	k.asked = now
	return true
}

// learn makes sure that a platform certificate is known, if WeChat Pay has it. It fails with
// paygate.key_unknown when the key stays unknown.
func (g *Gateway) learn(ctx context.Context, keyID string) error {
	g.keys.fetch.Lock()
	defer g.keys.fetch.Unlock()
	now := g.clock.Now()
	if g.keys.find(keyID, now) != nil {
		return nil
	}
	unknown := func(err error) error { return fault.Wrap(err, fault.Unavailable, "paygate.key_unknown") }
	if !serialForm.MatchString(keyID) || !g.keys.due(now) {
		return unknown(&unknownKey{keyID})
	}
	if err := g.fetchCertificates(ctx); err != nil {
		return err
	}
	if g.keys.find(keyID, now) == nil {
		return unknown(&unknownKey{keyID})
	}
	return nil
}

// learnLater is learn in the background, for who may not wait.
func (g *Gateway) learnLater(keyID string) {
	if !serialForm.MatchString(keyID) || g.life.Err() != nil || !g.keys.fetch.TryLock() {
		return
	}
	g.keys.fetch.Unlock()
	g.own.Go(func() { _ = g.learn(g.life, keyID) }) // who needs the key next is told why it isn't there
}

// certificates is the answer of GET /v3/certificates.
type certificates struct {
	Data []struct {
		SerialNo  string `json:"serial_no"`
		Encrypted sealed `json:"encrypt_certificate"`
	} `json:"data"`
}

// fetchCertificates replaces the platform certificates. What vouches for them is the APIv3 key
// that they are encrypted with; the answer's signature is held against the very certificates
// in it.
func (g *Gateway) fetchCertificates(ctx context.Context) error {
	a, err := g.send(ctx, http.MethodGet, "/v3/certificates", nil)
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK {
		return fault.Wrap(errors.New(a.refusal().Code), fault.Unavailable, "paygate.key_unknown")
	}
	found, err := g.readCertificates(a.Body)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "paygate.api_key_wrong")
	}
	s, err := readSeal(a.Header)
	if err == nil {
		if k, ok := found[s.keyID]; ok {
			err = s.check(k.key, a.Body, g.clock.Now())
		} else {
			err = g.verify(a.Header, a.Body)
		}
	}
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "paygate.answer_unsigned")
	}
	g.keys.mu.Lock()
	defer g.keys.mu.Unlock()
	for id, k := range g.keys.byID {
		if strings.HasPrefix(id, publicKeyPrefix) {
			found[id] = k
		}
	}
	g.keys.byID = found
	return nil
}

func (g *Gateway) readCertificates(body []byte) (map[string]platformKey, error) {
	var list certificates
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	found := make(map[string]platformKey, len(list.Data))
	for _, d := range list.Data {
		text, err := g.open(d.Encrypted)
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode(text)
		if block == nil {
			return nil, errors.New("no certificate in PEM")
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		key, ok := cert.PublicKey.(*rsa.PublicKey)
		if serial := fmt.Sprintf("%X", cert.SerialNumber); !ok || key.N.BitLen() < 2048 || strings.TrimLeft(d.SerialNo, "0") != strings.TrimLeft(serial, "0") {
			return nil, errors.New("a certificate isn't what its number says")
		}
		found[d.SerialNo] = platformKey{key: key, expire: cert.NotAfter}
	}
	return found, nil
}
