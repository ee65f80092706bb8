package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"hufu/internal/fault"
	"hufu/internal/naming"
)

// Contact is where a code can be sent: a phone number or an e-mail address, normalised.
type Contact string

// ParseContact reads a phone number or, when there is an @ in it, an e-mail address. Its
// faults are those of ParsePhone and ParseEmail.
func ParseContact(s string) (Contact, error) {
	if strings.Contains(s, "@") {
		e, err := ParseEmail(s)
		return Contact(e), err
	}
	p, err := ParsePhone(s)
	return Contact(p), err
}

// IsPhone tells a phone number from an e-mail address.
func (c Contact) IsPhone() bool { return strings.HasPrefix(string(c), "+") }

// Mask hides most of the contact: see MaskPhone and MaskEmail.
func (c Contact) Mask() string {
	if c.IsPhone() {
		return MaskPhone(string(c))
	}
	return MaskEmail(string(c))
}

// ParsePhone normalises a phone number to E.164: a plus, the country, the number. Without a
// country it is one of mainland China. Spaces, dots, hyphens and brackets are passed over, and
// full-width digits read as digits. Its fault is identity.phone.
func ParsePhone(s string) (string, error) {
	bad := fault.New(fault.Invalid, "identity.phone")
	if len(s) > 64 {
		return "", bad
	}
	var b strings.Builder
	for _, r := range strings.TrimSpace(s) {
		switch {
		case r >= '０' && r <= '９':
			r -= '０' - '0'
		case r == '＋':
			r = '+'
		}
		switch {
		case r >= '0' && r <= '9', r == '+' && b.Len() == 0:
			b.WriteRune(r)
		case r == ' ', r == '-', r == '.', r == '(', r == ')', r == '\u00a0', r == '\u3000':
		default:
			return "", bad
		}
	}
	n := b.String()
	switch {
	case strings.HasPrefix(n, "+"):
		n = n[1:]
	case strings.HasPrefix(n, "00"):
		n = n[2:]
	case isChinaMobile(n):
		n = "86" + n
	case len(n) == 13 && strings.HasPrefix(n, "86"):
	default:
		return "", bad
	}
	// E.164, 6.1: at most 15 digits, and no country begins with 0. Nobody has fewer than 7.
	if len(n) < 7 || len(n) > 15 || n[0] == '0' || (strings.HasPrefix(n, "86") && !isChinaMobile(n[2:])) {
		return "", bad
	}
	return "+" + n, nil
}

// isChinaMobile: 11 digits, 13 to 19 in front.
func isChinaMobile(n string) bool {
	return len(n) == 11 && n[0] == '1' && n[1] >= '3'
}

// MaskPhone shows a phone number as staff without the right to see it do: 138****1234. Of
// numbers from elsewhere the last four show, or two when the number is short.
func MaskPhone(phone string) string {
	if n, ok := strings.CutPrefix(phone, "+86"); ok && isChinaMobile(n) {
		return n[:3] + "****" + n[7:]
	}
	if len(phone) < 8 {
		return "****"
	}
	shown := 4
	if len(phone) < 11 {
		shown = 2
	}
	return phone[:2] + "****" + phone[len(phone)-shown:]
}

// ParseEmail normalises an e-mail address to lower case. Its fault is identity.email. It
// refuses what no mail system takes, not more: only a mail that arrives proves an address.
func ParseEmail(s string) (string, error) {
	bad := fault.New(fault.Invalid, "identity.email")
	s = strings.TrimSpace(s)
	local, domain, ok := strings.Cut(s, "@")
	switch {
	case !ok, len(s) > 254, !utf8.ValidString(s), local == "", len(local) > 64, strings.Contains(domain, "@"),
		strings.ContainsFunc(s, func(r rune) bool {
			return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune(`<>()[]\,;:"`, r)
		}):
		return "", bad
	}
	labels := strings.Split(domain, ".")
	if len(labels) < 2 {
		return "", bad
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return "", bad
		}
	}
	return strings.ToLower(s), nil
}

// MaskEmail keeps the first letter and the domain: a***@example.com.
func MaskEmail(email string) string {
	local, domain, ok := strings.Cut(email, "@")
	if !ok || local == "" {
		return "****"
	}
	_, n := utf8.DecodeRuneInString(local)
	return local[:n] + "***@" + domain
}

// line makes text from outside fit to be stored and shown in one line: valid UTF-8, no
// characters that nobody sees, at most max characters.
func line(s string, max int) string {
	s = strings.TrimSpace(naming.Visible(s))
	if utf8.RuneCountInString(s) > max {
		s = string([]rune(s)[:max])
	}
	return s
}
