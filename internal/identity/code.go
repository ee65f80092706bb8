package identity

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"
)

// One-time codes: six digits, five minutes, five tries, one use.
const (
	CodeLife  = 5 * time.Minute
	codeTries = 5
)

// Purpose is what a one-time code proves a contact for. A code of one purpose is none of
// another.
type Purpose string

// The purposes.
const (
	ForSignIn Purpose = "sign_in"
	ForLookUp Purpose = "look_up" // a guest's orders
)

// oneTime is a code that was sent.
type oneTime struct {
	ticket    string
	purpose   Purpose
	target    Contact
	hash      []byte
	tries     int64
	usedAt    time.Time
	expiresAt time.Time
}

// open reports whether the code can still be tried for a purpose.
func (c *oneTime) open(purpose Purpose, now time.Time) bool {
	return c.usedAt.IsZero() && c.tries < codeTries && now.Before(c.expiresAt) && c.purpose == purpose
}

// codeHash is what is stored of a code. Its key isn't in the database, where a million
// hashes would soon be searched.
func (s *Service) codeHash(ticket string, purpose Purpose, to Contact, code string) []byte {
	return s.keyed("code", ticket, string(purpose), string(to), code)
}

// newCode makes six digits, each of the million as likely as the others.
func newCode() string {
	const million = 1_000_000
	const fair = 1<<32 - (1<<32)%million // above it low numbers would come more often
	for {
		var b [4]byte
		_, _ = rand.Read(b[:])
		if v := binary.BigEndian.Uint32(b[:]); v < fair {
			return fmt.Sprintf("%06d", v%million)
		}
	}
}
