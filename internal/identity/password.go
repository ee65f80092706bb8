package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"hufu/internal/fault"
)

// Bounds of a password (NIST SP 800-63B-4, 3.1.1.2): no rule on which characters, only on
// how many and on what everybody tries first.
const (
	MinPassword         = 8  // characters
	RecommendedPassword = 15 // characters
	MaxPassword         = 1024
)

// Cost is what a hash costs: argon2id (RFC 9106).
type Cost struct {
	KiB    uint32
	Passes uint32
	Lanes  uint8
}

// DefaultCost takes 75 ms and 32 MiB on one core of a small server.
var DefaultCost = Cost{KiB: 32 * 1024, Passes: 3, Lanes: 1}

// bounds keep a stored hash that was tampered with from eating the machine.
var maxCost = Cost{KiB: 1 << 20, Passes: 16, Lanes: 16}

const saltBytes, hashBytes = 16, 32

// PasswordHash is a hash in the PHC form, "$argon2id$v=19$m=…,t=…,p=…$salt$hash", of a
// password that was judged good enough. Only Passwords.Hash makes one.
type PasswordHash struct{ phc string }

// Passwords hashes and checks passwords. It takes a place for each hash under way, so that
// a flood of sign-ins waits instead of filling the memory. Its methods must be called outside
// transactions.
type Passwords struct {
	cost   Cost
	places chan struct{}
	decoy  string
	derive func(password, salt []byte, c Cost, n uint32) []byte
}

// NewPasswords makes a hasher that runs at most places hashes at once.
func NewPasswords(c Cost, places int) *Passwords {
	p := &Passwords{cost: c, places: make(chan struct{}, max(places, 1)), derive: func(password, salt []byte, c Cost, n uint32) []byte {
		return argon2.IDKey(password, salt, c.Passes, c.KiB, c.Lanes, n)
	}}
	// No password gives this hash: it is not a hash of anything.
	p.decoy = phc(c, random(saltBytes), random(hashBytes))
	return p
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

var phcForm = base64.RawStdEncoding

func phc(c Cost, salt, hash []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.KiB, c.Passes, c.Lanes, phcForm.EncodeToString(salt), phcForm.EncodeToString(hash))
}

// Hash judges and hashes a new password. about are words that would be guessed for this
// person: e-mail address, name. Its faults are of Judge, and unavailable when ctx ends first.
func (p *Passwords) Hash(ctx context.Context, password string, about ...string) (PasswordHash, error) {
	if err := Judge(password, about...); err != nil {
		return PasswordHash{}, err
	}
	salt := random(saltBytes)
	sum, err := p.run(ctx, password, salt, p.cost, hashBytes)
	return PasswordHash{phc(p.cost, salt, sum)}, err
}

func (p *Passwords) run(ctx context.Context, password string, salt []byte, c Cost, n int) ([]byte, error) {
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	case <-ctx.Done():
		return nil, fault.Wrap(ctx.Err(), fault.Unavailable, "unavailable")
	}
	return p.derive([]byte(norm.NFKC.String(password)), salt, c, uint32(n)), nil
}

// matches reports whether a password is the one of a stored hash. Without a hash, as for an
// account that doesn't exist, it does the same work and says no.
func (p *Passwords) matches(ctx context.Context, stored, password string) (bool, error) {
	if len(password) > MaxPassword || !utf8.ValidString(password) {
		password = "" // never set, and no more work than any other
	}
	c, salt, want, ok := parsePHC(stored)
	if !ok {
		c, salt, want, _ = parsePHC(p.decoy)
	}
	got, err := p.run(ctx, password, salt, c, len(want))
	return ok && err == nil && subtle.ConstantTimeCompare(got, want) == 1, err
}

func parsePHC(s string) (c Cost, salt, hash []byte, ok bool) {
	f := strings.Split(s, "$")
	if len(f) != 6 || f[0] != "" || f[1] != "argon2id" || f[2] != "v="+strconv.Itoa(argon2.Version) {
		return c, nil, nil, false
	}
	if n, err := fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &c.KiB, &c.Passes, &c.Lanes); n != 3 || err != nil {
		return c, nil, nil, false
	}
	if c.KiB < 8*uint32(c.Lanes) || c.KiB > maxCost.KiB || c.Passes < 1 || c.Passes > maxCost.Passes || c.Lanes < 1 || c.Lanes > maxCost.Lanes {
		return c, nil, nil, false
	}
	salt, errSalt := phcForm.DecodeString(f[4])
	hash, errHash := phcForm.DecodeString(f[5])
	return c, salt, hash, errSalt == nil && errHash == nil && len(salt) >= 8 && len(hash) >= 16 && len(hash) <= 64
}

// Judge says whether a new password is good enough. Its faults are identity.password_short,
// identity.password_long, and identity.password_common for what is on every guesser's list:
// common passwords and their variations, rows of keys, dates, mobile numbers, repetitions,
// and the person's own address or name.
func Judge(password string, about ...string) error {
	switch n := utf8.RuneCountInString(password); {
	case len(password) > MaxPassword || !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		return fault.New(fault.Invalid, "identity.password_long", "max", strconv.Itoa(MaxPassword))
	case n < MinPassword:
		return fault.New(fault.Invalid, "identity.password_short", "min", strconv.Itoa(MinPassword), "good", strconv.Itoa(RecommendedPassword))
	case isCommon(password, about):
		return fault.New(fault.Invalid, "identity.password_common")
	}
	return nil
}
