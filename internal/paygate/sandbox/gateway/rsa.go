package gateway

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
)

func publicPEM(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("a public key is no PEM")
	}
	any, err := x509.ParsePKIXPublicKey(block.Bytes)
	if key, ok := any.(*rsa.PublicKey); ok {
		return key, nil
	}
	return nil, errors.Join(err, errors.New("a public key isn't RSA"))
}

func privatePEM(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("a private key is no PEM")
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if key, ok := any.(*rsa.PrivateKey); ok {
		return key, nil
	}
	return nil, errors.Join(err, errors.New("a private key isn't RSA"))
}

// newPair draws a key and gives both halves in PEM.
func newPair() (private, public string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", "", err
	}
	return pemPair(key)
}

func pemPair(key *rsa.PrivateKey) (private, public string, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", "", err
	}
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})), nil
}

// otherKey signs what the faults want signed by somebody else.
func otherKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// rsaSign is RSA PKCS#1 v1.5 over SHA-256, in base64.
func rsaSign(key *rsa.PrivateKey, text []byte) string {
	sum := sha256.Sum256(text)
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // the key was checked when it was read
	}
	return base64.StdEncoding.EncodeToString(sig)
}

func rsaSigned(key *rsa.PublicKey, text []byte, signature string) bool {
	sig, err := base64.StdEncoding.DecodeString(signature)
	sum := sha256.Sum256(text)
	return err == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig) == nil
}
