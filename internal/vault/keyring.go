package vault

import (
	"context"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
	"sync/atomic"

	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/naming"
)

// Keyring holds the vault's keys, unwrapped, ready for use. All its methods may be called
// at once, also while Reload puts another set of keys in place.
type Keyring struct {
	set    atomic.Pointer[keySet]
	follow atomic.Pointer[source]
}

type keySet struct {
	data      map[id.Key]cipher.AEAD
	active    id.Key
	sealer    cipher.AEAD
	indexes   []*indexKey    // the active one first
	generator []generatorKey // the active one first
	link      Secret
	mark      string // tells this set from others
}

type generatorKey struct {
	id     id.Key
	secret Secret
}

// indexKey keeps keyed hash states for reuse: setting one up costs more than a short hash.
type indexKey struct {
	id   id.Key
	pool sync.Pool
}

// indexState is a keyed hash with room for what goes in and comes out.
type indexState struct {
	hash hash.Hash
	in   []byte
	out  [sha256.Size]byte
}

// OpenKeyring unwraps the keys. Its faults are those of Master.Unwrap and
// vault.keys_incomplete (a purpose has no active key, or several).
func OpenKeyring(ctx context.Context, m Master, keys []WrappedKey) (*Keyring, error) {
	k := new(Keyring)
	return k, k.Reload(ctx, m, keys)
}

// Reload replaces all keys at once, as a rotation does. On a fault the old ones stay.
func (k *Keyring) Reload(ctx context.Context, m Master, keys []WrappedKey) error {
	s := &keySet{data: map[id.Key]cipher.AEAD{}}
	active := map[Purpose]int{}
	for _, w := range keys {
		s.mark += w.mark()
		if w.State == Retired {
			continue
		}
		secret, err := m.Unwrap(ctx, w.MasterID, w.Nonce, w.Ciphertext, w.bound())
		if err != nil {
			return err
		}
		if len(secret.Bytes()) != keySize {
			return fault.New(fault.Internal, "vault.keys_wrong", "key", string(w.MasterID), "path", "")
		}
		if w.State == Active {
			active[w.Purpose]++
		}
		switch w.Purpose {
		case ForData:
			aead := newAEAD(secret.Bytes())
			s.data[w.ID] = aead
			if w.State == Active {
				s.active, s.sealer = w.ID, aead
			}
			secret.Wipe()
		case ForIndex:
			x := &indexKey{id: w.ID}
			x.pool.New = func() any { return &indexState{hash: hmac.New(sha256.New, secret.Bytes())} }
			s.indexes = append(s.indexes, x)
			if last := len(s.indexes) - 1; w.State == Active {
				s.indexes[0], s.indexes[last] = s.indexes[last], s.indexes[0]
			}
		case ForGenerator:
			s.generator = append(s.generator, generatorKey{w.ID, secret})
			if last := len(s.generator) - 1; w.State == Active {
				s.generator[0], s.generator[last] = s.generator[last], s.generator[0]
			}
		case ForLink:
			if w.State == Active {
				s.link = secret
			}
		}
	}
	for _, p := range Purposes {
		if active[p] != 1 {
			return fault.New(fault.Internal, "vault.keys_incomplete", "purpose", string(p))
		}
	}
	k.set.Store(s)
	return nil
}

// String shows that this is a keyring, and no key.
func (k *Keyring) String() string { return "keyring" }

// ActiveData is the key that seals now.
func (k *Keyring) ActiveData() id.Key { return k.set.Load().active }

// Index is a blind index: 16 bytes of HMAC-SHA-256 under the vault's index key. 128 bits
// keep the chance of one clash among 10^10 codes below 10^-18 and halve the size of the
// database's index against the whole hash. Without the key it neither reveals nor
// confirms a guessed code.
type Index [16]byte

// Index is the blind index of a canonical text among the codes of one issuer, however its
// name is written; see naming.Key. Equal texts of two issuers have nothing in common.
func (k *Keyring) Index(issuer, canonical string) Index {
	return k.set.Load().indexes[0].sum(issuer, canonical)
}

// Rotating reports whether blind indexes of more than one key are about.
func (k *Keyring) Rotating() bool { return len(k.set.Load().indexes) > 1 }

// ActiveIndex is the key under which Index computes.
func (k *Keyring) ActiveIndex() id.Key { return k.set.Load().indexes[0].id }

// Lookups are the blind indexes of the text under every live index key, the active one
// first: what a look-up asks for, so that it finds its code in the midst of a rotation.
func (k *Keyring) Lookups(issuer, canonical string) []Index {
	keys := k.set.Load().indexes
	all := make([]Index, len(keys))
	for i, x := range keys {
		all[i] = x.sum(issuer, canonical)
	}
	return all
}

func (x *indexKey) sum(issuer, canonical string) (out Index) {
	st := x.pool.Get().(*indexState)
	st.hash.Reset()
	issuer = naming.Key(issuer)
	st.in = binary.AppendUvarint(st.in[:0], uint64(len(issuer)))
	st.in = append(st.in, issuer...)
	st.in = append(st.in, canonical...)
	_, _ = st.hash.Write(st.in)
	clear(st.in)
	copy(out[:], st.hash.Sum(st.out[:0]))
	x.pool.Put(st)
	return out
}

// Generator makes a generator of codes for counters that the store has handed out under a
// generator key. Its faults are those of Format.Validate, vault.counter_spent and
// vault.key_gone.
func (k *Keyring) Generator(key id.Key, f Format, r Range) (*Generator, error) {
	for _, g := range k.set.Load().generator {
		if g.id == key {
			return newGenerator(f, g.secret.Bytes(), r)
		}
	}
	return nil, fault.New(fault.Internal, "vault.key_gone", "key", string(key))
}

// GeneratorKey is the key for what is generated from now on. Counters are counted per key.
func (k *Keyring) GeneratorKey() id.Key { return k.set.Load().generator[0].id }
