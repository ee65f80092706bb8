package vault

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "••••"

// Hidden is a text that must not be seen by accident: a code, a password. Whatever prints,
// logs or encodes it writes dots; string(h) is the one way to the text. It must not be the
// key of a map or stand in an unexported field of what is printed: encoders and fmt pass
// its methods by there.
type Hidden string

// Format implements fmt.Formatter for every verb.
func (h Hidden) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue implements slog.LogValuer.
func (h Hidden) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, which JSON and XML encoders use too.
func (h Hidden) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Secret is key material. It keeps its bytes inside a function, so that printing a struct
// that holds one, even in an unexported field and with a verb that doesn't fit, shows none
// of them.
type Secret struct{ get func() []byte }

// NewSecret takes a copy of b.
func NewSecret(b []byte) Secret {
	b = append([]byte(nil), b...)
	return Secret{func() []byte { return b }}
}

// Bytes are the secret bytes themselves; the caller must not keep or change them.
func (s Secret) Bytes() []byte {
	if s.get == nil {
		return nil
	}
	return s.get()
}

// Wipe overwrites the bytes.
func (s Secret) Wipe() { clear(s.Bytes()) }

// Format implements fmt.Formatter for every verb.
func (s Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redacted) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Mask is what may be shown of a secret to who has no right to it: its last four
// characters, of which less is shown the shorter the secret is, and none below six.
func Mask(secret string) string {
	r := []rune(secret)
	show := 0
	switch {
	case len(r) >= 12:
		show = 4
	case len(r) >= 6:
		show = 2
	}
	return redacted + string(r[len(r)-show:])
}
