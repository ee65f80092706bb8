package vault

import "crypto/rand"

// SealAnswer encrypts for one place what is to be read again for as long as it is kept,
// whatever is rotated meanwhile: under a key made of the link key, which stays. Codes never
// go here.
func (k *Keyring) SealAnswer(place string, plain []byte) []byte {
	body := make([]byte, nonceSize, nonceSize+len(plain)+16)
	_, _ = rand.Read(body)
	return newAEAD(k.Derive("answer")).Seal(body, body, plain, boundTo(place))
}

// OpenAnswer is the inverse of SealAnswer. Its fault is vault.damaged.
func (k *Keyring) OpenAnswer(place string, sealed []byte) ([]byte, error) {
	if len(sealed) < nonceSize {
		return nil, errDamaged()
	}
	plain, err := newAEAD(k.Derive("answer")).Open(nil, sealed[:nonceSize], sealed[nonceSize:], boundTo(place))
	if err != nil {
		return nil, errDamaged()
	}
	return plain, nil
}
