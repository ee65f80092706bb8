package paygate

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strconv"
	"strings"

	"hufu/internal/fault"
)

// LeastRSA is the fewest bits of an RSA key that guards money (NIST SP 800-131A; also what
// WeChat Pay and Alipay issue).
const LeastRSA = 2048

// PrivateKey reads an RSA key in PEM (PKCS#8 or PKCS#1) or, as Alipay's tool gives it, in bare
// base64. The faults are paygate.key_missing, paygate.key_malformed and paygate.key_few_bits;
// which names the key in them.
func PrivateKey(text, which string) (*rsa.PrivateKey, error) {
	der, err := keyBytes(text, which)
	if err != nil {
		return nil, err
	}
	var k *rsa.PrivateKey
	if any, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		k, _ = any.(*rsa.PrivateKey)
	} else {
		k, _ = x509.ParsePKCS1PrivateKey(der)
	}
	if k == nil || k.Validate() != nil {
		return nil, fault.New(fault.Invalid, "paygate.key_malformed", "key", which)
	}
	return k, bits(k.N.BitLen(), which)
}

// PublicKey reads an RSA key in PEM (SPKI, PKCS#1 or a certificate) or in bare base64. Its
// faults are those of PrivateKey.
func PublicKey(text, which string) (*rsa.PublicKey, error) {
	der, err := keyBytes(text, which)
	if err != nil {
		return nil, err
	}
	var k *rsa.PublicKey
	if any, err := x509.ParsePKIXPublicKey(der); err == nil {
		k, _ = any.(*rsa.PublicKey)
	} else if cert, err := x509.ParseCertificate(der); err == nil {
		k, _ = cert.PublicKey.(*rsa.PublicKey)
	} else {
		k, _ = x509.ParsePKCS1PublicKey(der)
	}
	if k == nil {
		return nil, fault.New(fault.Invalid, "paygate.key_malformed", "key", which)
	}
	return k, bits(k.N.BitLen(), which)
}

func keyBytes(text, which string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, fault.New(fault.Invalid, "paygate.key_missing")
	}
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return block.Bytes, nil
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, fault.New(fault.Invalid, "paygate.key_malformed", "key", which)
	}
	return der, nil
}

func bits(n int, which string) error {
	if n < LeastRSA {
		return fault.New(fault.Invalid, "paygate.key_few_bits", "key", which, "bits", strconv.Itoa(n), "least", strconv.Itoa(LeastRSA))
	}
	return nil
}
