package identity

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"image/png"
	"net/url"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// TOTP as every authenticator app has it (RFC 6238): SHA-1, six digits, steps of 30 s. A
// code counts one step before and after its own, for clocks that differ.
const (
	totpPeriod = 30
	totpDrift  = 1
	totpSecret = 20 // bytes, as long as the hash (RFC 4226, section 4, R6)
	codeDigits = 6
	qrSize     = 288 // pixels
)

var totpText = base32.StdEncoding.WithPadding(base32.NoPadding)

func newTOTPSecret() []byte {
	b := make([]byte, totpSecret)
	_, _ = rand.Read(b)
	return b
}

// totpStep is the step whose code was typed, among those that count now and lie after the
// last one used; 0 when there is none. All candidates are compared, and in constant time.
func totpStep(secret []byte, typed string, last int64, now time.Time) int64 {
	code := digits(typed)
	text, present := totpText.EncodeToString(secret), now.Unix()/totpPeriod
	var match int64
	for step := present - totpDrift; step <= present+totpDrift; step++ {
		want, err := hotp.GenerateCode(text, uint64(max(step, 0)))
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && step > last && step > 0 && match == 0 {
			match = step
		}
	}
	return match
}

// digits is a typed code of six digits in its one spelling, "" when it can't be one. Spaces
// are passed over, since apps and messages show codes in groups, and full-width digits read
// as digits.
func digits(typed string) string {
	if len(typed) > 64 {
		return ""
	}
	b := make([]byte, 0, codeDigits)
	for _, r := range typed {
		switch {
		case r >= '0' && r <= '9':
			b = append(b, byte(r))
		case r >= '０' && r <= '９':
			b = append(b, byte(r-'０'+'0'))
		case r == ' ', r == '\u00a0', r == '\u3000', r == '\t':
		default:
			return ""
		}
	}
	if len(b) != codeDigits {
		return ""
	}
	return string(b)
}

// Enrolment is what an authenticator app needs, in three forms of the same secret.
type Enrolment struct {
	Secret string // base 32, to be typed
	URL    string // otpauth://…
	QR     []byte // PNG of the URL
}

func enrolment(issuer, account string, secret []byte) (Enrolment, error) {
	e := Enrolment{Secret: totpText.EncodeToString(secret)}
	e.URL = "otpauth://totp/" + url.PathEscape(issuer+":"+account) + "?secret=" + e.Secret + "&issuer=" + url.PathEscape(issuer)
	key, err := otp.NewKeyFromURL(e.URL)
	if err != nil {
		return e, err
	}
	img, err := key.Image(qrSize, qrSize)
	if err != nil {
		return e, err
	}
	var b bytes.Buffer
	err = png.Encode(&b, img)
	e.QR = b.Bytes()
	return e, err
}
