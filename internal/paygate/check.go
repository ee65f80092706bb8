package paygate

import (
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"hufu/internal/fault"
)

// Zone is the zone in which the Chinese channels write times and count the days of a bill.
var Zone = time.FixedZone("UTC+8", 8*3600)

// Check refuses a charge that no channel could take, with paygate.charge_malformed and the
// field that is wrong.
func (c Charge) Check() error {
	switch {
	case !ValidNo(c.MerchantNo):
		return Malformed("merchant_no")
	case c.Amount.Minor <= 0 || !c.Amount.Currency.Known():
		return Malformed("amount")
	case c.Subject == "" || len(c.Subject) > 256 || strings.ContainsAny(c.Subject, "\r\n\x00"):
		return Malformed("subject")
	case !webAddress(c.NotifyURL) || strings.Contains(c.NotifyURL, "?"):
		return Malformed("notify_url")
	case !webAddress(c.ReturnURL):
		return Malformed("return_url")
	case c.ExpiresAt.Unix() <= 0:
		return Malformed("expires_at")
	}
	return nil
}

// Malformed is the fault of a charge with something wrong in a field.
func Malformed(field string) error {
	return fault.New(fault.Invalid, "paygate.charge_malformed", "field", field)
}

func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && len(s) <= 1024 && !strings.ContainsAny(s, "\r\n")
}

// ValidNo tells whether s may be a number of ours: of an order or of a refund.
func ValidNo(s string) bool { return len(s) >= 6 && len(s) <= MaxMerchantNo && Plain(s) }

// ValidID tells whether s may be a name that a channel gave something: a payment, a merchant.
func ValidID(s string) bool { return len(s) >= 1 && len(s) <= 64 && Plain(s) }

// BilledNo tells whether s may be the number of an order in a bill: ours, or that of another system
// that is paid through the same account.
func BilledNo(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == utf8.RuneError })
}

// Plain tells whether s has letters and digits of ASCII, "-" and "_" alone.
func Plain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// IsCurrency tells whether s has the form of a currency's code, known to us or not.
func IsCurrency(s string) bool {
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// Origin checks a channel's address and gives it without a final slash. It refuses what is
// none with paygate.address_malformed.
func Origin(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fault.New(fault.Invalid, "paygate.address_malformed", "address", Clip(s))
	}
	return strings.TrimRight(s, "/"), nil
}

// Clip shortens a stranger's words for a message.
func Clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return strings.ToValidUTF8(s, "")
}

// Unclear is the fault of an answer that says neither yes nor no.
func Unclear(code string) error {
	return fault.New(fault.Unavailable, "paygate.answer_unclear", "code", Clip(code))
}
