package vault

import (
	"crypto/rand"

	"hufu/internal/fault"
	"hufu/internal/id"
)

// SealBytes encrypts a small secret for one place, under the active data key: text sealed
// for one place doesn't open in another. The key's name is kept beside it.
func (k *Keyring) SealBytes(place string, plain []byte) (id.Key, []byte, error) {
	set := k.set.Load()
	body := make([]byte, 1+nonceSize, sealOverhead+len(plain))
	body[0] = sealForm
	if _, err := rand.Read(body[1:]); err != nil {
		return "", nil, err
	}
	return set.active, set.sealer.Seal(body, body[1:1+nonceSize], plain, boundTo(place)), nil
}

// OpenBytes is the inverse of SealBytes. Its faults are those of Open.
func (k *Keyring) OpenBytes(place string, key id.Key, sealed []byte) ([]byte, error) {
	aead, ok := k.set.Load().data[key]
	if !ok {
		return nil, fault.New(fault.Internal, "vault.key_gone", "key", string(key))
	}
	if len(sealed) < sealOverhead || sealed[0] != sealForm {
		return nil, errDamaged()
	}
	plain, err := aead.Open(nil, sealed[1:1+nonceSize], sealed[1+nonceSize:], boundTo(place))
	if err != nil {
		return nil, errDamaged()
	}
	return plain, nil
}

func boundTo(place string) []byte { return []byte("hufu.vault.place\x00" + place) }
