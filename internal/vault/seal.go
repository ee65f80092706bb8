package vault

import (
	"crypto/rand"

	"hufu/internal/fault"
	"hufu/internal/id"
)

// A sealed record is a version byte, a nonce of 12 bytes, and AES-256-GCM's ciphertext
// with its tag of 16 bytes. The code's id is authenticated with it, so that a ciphertext
// moved to another row no longer opens.
const (
	sealForm     = 1
	sealOverhead = 1 + nonceSize + 16
)

// MaxPerDataKey is how many records one data key may seal: with random nonces NIST SP
// 800-38D, section 8.3, sets 2^32. Rotate well before.
const MaxPerDataKey = 1 << 32

// Sealed is an encrypted record and the data key that opens it.
type Sealed struct {
	Key  id.Key
	Body []byte
}

// Seal encrypts a record under the active data key, for the row of that code alone.
func (k *Keyring) Seal(code id.Code, r Record) Sealed {
	s := Sealer{set: k.set.Load()}
	return s.Seal(code, r)
}

// Open decrypts a sealed record. Its faults are vault.key_gone (the data key is retired or
// of another database) and vault.sealed_damaged (the bytes were changed, or belong to
// another code).
func (k *Keyring) Open(code id.Code, s Sealed) (Record, error) {
	aead, ok := k.set.Load().data[s.Key]
	if !ok {
		return Record{}, fault.New(fault.Internal, "vault.key_gone", "key", string(s.Key))
	}
	if len(s.Body) < sealOverhead || s.Body[0] != sealForm {
		return Record{}, errDamaged()
	}
	var bound [64]byte
	plain, err := aead.Open(nil, s.Body[1:1+nonceSize], s.Body[1+nonceSize:], appendBound(bound[:0], code))
	if err != nil {
		return Record{}, errDamaged()
	}
	defer clear(plain)
	return DecodeRecord(plain)
}

// Reseal opens a record and seals it under the active data key, as a rotation does row by
// row. It reports false, and gives s back, when that key seals it already.
func (k *Keyring) Reseal(code id.Code, s Sealed) (Sealed, bool, error) {
	if s.Key == k.ActiveData() {
		return s, false, nil
	}
	r, err := k.Open(code, s)
	if err != nil {
		return s, false, err
	}
	return k.Seal(code, r), true, nil
}

// Sealer seals many records under one data key with one random read for many nonces and
// one buffer. It serves one goroutine.
type Sealer struct {
	set   *keySet
	plain []byte
	bound [64]byte
	pool  []byte
	pos   int
}

// Many makes a sealer. The data key that is active now seals all its records, so it should
// live for one piece of work, not longer.
func (k *Keyring) Many() *Sealer {
	pool := make([]byte, 256*nonceSize)
	return &Sealer{set: k.set.Load(), pool: pool, pos: len(pool)}
}

// Seal encrypts a record for the row of that code alone.
func (s *Sealer) Seal(code id.Code, r Record) Sealed {
	s.plain = r.Append(s.plain[:0])
	body := make([]byte, 1+nonceSize, sealOverhead+len(s.plain))
	body[0] = sealForm
	if nonce := body[1:]; s.pool == nil {
		_, _ = rand.Read(nonce)
	} else {
		if s.pos == len(s.pool) {
			_, _ = rand.Read(s.pool)
			s.pos = 0
		}
		s.pos += copy(nonce, s.pool[s.pos:])
	}
	body = s.set.sealer.Seal(body, body[1:], s.plain, appendBound(s.bound[:0], code))
	clear(s.plain)
	return Sealed{Key: s.set.active, Body: body}
}

func appendBound(dst []byte, code id.Code) []byte {
	dst = append(dst, "hufu.vault.record\x00"...)
	return append(dst, code...)
}
