package paygate

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"testing"

	"hufu/internal/fault"
)

// P6, S26: a channel can't be started with a key that guards nothing.
func TestP6S26WeakSecretsAreRefused(t *testing.T) {
	for secret, want := range map[string]string{
		"":                                     "paygate.key_missing",
		"short":                                "paygate.key_short",
		strings.Repeat("x", 31):                "paygate.key_short",
		strings.Repeat("x", 64):                "paygate.key_weak",
		strings.Repeat("0123", 16):             "paygate.key_weak",
		strings.Repeat("secret", 9):            "paygate.key_weak",
		"abcdefghijklmnopqrstuvwxyz0123456789": "paygate.key_weak",
		"changeme-now-please-changeme-now-please-change": "paygate.key_weak",
		"ZYXWVUTSRQPONMLKJIHGFEDCBA9876543210":           "paygate.key_weak",
	} {
		if got := fault.CodeOf(CheckSecret(secret, 32)); got != want {
			t.Errorf("CheckSecret(%q) = %q, want %q", secret, got, want)
		}
	}
}

func TestDrawnSecretsPass(t *testing.T) {
	for range 2000 {
		b := make([]byte, 32)
		rand.Read(b)
		if err := CheckSecret(hex.EncodeToString(b), 32); err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		if err := CheckSecret(string(b), 32); err != nil {
			t.Fatalf("raw %x: %v", b, err)
		}
	}
}

// What a caller forgot to fill in must read as "not known", never as a failure.
func TestZeroValuesAreUnknown(t *testing.T) {
	if (Payment{}).State != PaymentUnknown || (Closing{}).State != CloseUnknown || (RefundResult{}).State != RefundUnknown {
		t.Error("a zero result must be unknown")
	}
}
