package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"time"

	"hufu/internal/fault"
	"hufu/internal/id"
)

const (
	keySize   = 32 // AES-256 and HMAC-SHA-256
	nonceSize = 12 // the 96 bits of NIST SP 800-38D
)

// Master wraps and unwraps the vault's keys. A key management service stands behind it, or
// a key file. Its calls may go over a network, so they happen at start and at rotation,
// never inside a transaction and never for a single record.
type Master interface {
	// ID is the master key that wraps now.
	ID() id.Key
	// Wrap encrypts a key. The context is authenticated, not encrypted.
	Wrap(ctx context.Context, key Secret, bound []byte) (nonce, ciphertext []byte, err error)
	// Unwrap decrypts a key that the named master wrapped. Its faults are
	// vault.keys_unknown (there is no such master here) and vault.keys_wrong (there is,
	// but it is another key).
	Unwrap(ctx context.Context, master id.Key, nonce, ciphertext, bound []byte) (Secret, error)
}

// Purpose is what a key is for; a key wrapped for one purpose can't be opened for another.
type Purpose string

const (
	// ForData seals records.
	ForData Purpose = "data"
	// ForIndex computes blind indexes.
	ForIndex Purpose = "index"
	// ForGenerator permutes counters into codes.
	ForGenerator Purpose = "generator"
	// ForLink makes the secrets of order links.
	ForLink Purpose = "link"
)

// Purposes lists them. A keyring has one active key of each.
var Purposes = []Purpose{ForData, ForIndex, ForGenerator, ForLink}

// State is where a key stands in its life: active, then retiring, then retired.
type State string

const (
	// Active keys are used for what is new, one a purpose.
	Active State = "active"
	// Retiring keys still open, and find, what is old.
	Retiring State = "retiring"
	// Retired keys are kept for the record and not used.
	Retired State = "retired"
)

// WrappedKey is a key as the database keeps it.
type WrappedKey struct {
	ID         id.Key
	Purpose    Purpose
	MasterID   id.Key
	Nonce      []byte
	Ciphertext []byte
	State      State
	CreatedAt  time.Time
}

func (w WrappedKey) bound() []byte {
	return []byte("hufu.vault.key\x00" + string(w.Purpose) + "\x00" + string(w.ID))
}

// NewKey makes a random key for a purpose and wraps it. The key is active.
func NewKey(ctx context.Context, m Master, p Purpose, now time.Time) (WrappedKey, error) {
	var b [keySize]byte
	_, _ = rand.Read(b[:]) // never fails: the program ends instead
	s := NewSecret(b[:])
	clear(b[:])
	defer s.Wipe()
	return wrap(ctx, m, s, WrappedKey{ID: id.New[id.Key](), Purpose: p, State: Active, CreatedAt: now})
}

// Rewrap wraps the same key under the master key of now, as a rotation of master keys does.
func Rewrap(ctx context.Context, m Master, w WrappedKey) (WrappedKey, error) {
	s, err := m.Unwrap(ctx, w.MasterID, w.Nonce, w.Ciphertext, w.bound())
	if err != nil {
		return WrappedKey{}, err
	}
	defer s.Wipe()
	return wrap(ctx, m, s, w)
}

func wrap(ctx context.Context, m Master, s Secret, w WrappedKey) (WrappedKey, error) {
	w.MasterID = m.ID()
	var err error
	w.Nonce, w.Ciphertext, err = m.Wrap(ctx, s, w.bound())
	return w, err
}

func newAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("vault: " + err.Error()) // keys are checked for their size when they come in
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("vault: " + err.Error())
	}
	return aead
}

// Wrap implements Master.
func (f *FileMaster) Wrap(_ context.Context, key Secret, bound []byte) (nonce, ciphertext []byte, err error) {
	nonce = make([]byte, nonceSize)
	_, _ = rand.Read(nonce)
	return nonce, f.active.aead.Seal(nil, nonce, key.Bytes(), bound), nil
}

// Unwrap implements Master.
func (f *FileMaster) Unwrap(_ context.Context, master id.Key, nonce, ciphertext, bound []byte) (Secret, error) {
	k, ok := f.keys[master]
	if !ok {
		return Secret{}, fault.New(fault.Internal, "vault.keys_unknown", "key", string(master), "path", f.path)
	}
	wrong := fault.New(fault.Internal, "vault.keys_wrong", "key", string(master), "path", f.path)
	if len(nonce) != nonceSize {
		return Secret{}, wrong
	}
	b, err := k.aead.Open(nil, nonce, ciphertext, bound)
	if err != nil || len(b) != keySize {
		return Secret{}, wrong
	}
	s := NewSecret(b)
	clear(b)
	return s, nil
}
