package identity

import (
	"net/netip"
	"strings"
	"time"

	"hufu/internal/i18n"
	"hufu/internal/id"
)

// Kind is what a party is to the shop.
type Kind string

// The kinds of party.
const (
	Shopper Kind = "shopper"
	Staff   Kind = "staff"
)

// Party is a person.
type Party struct {
	ID        id.Party
	Kind      Kind
	Name      string
	Phone     string // E.164, or ""
	Email     string // lower case, or ""
	Lang      i18n.Lang
	Active    bool
	CreatedAt time.Time
	Traits
}

// Label is the shortest text that shows a person who this is, without giving a phone number
// or address away.
func (p Party) Label() string {
	switch {
	case p.Name != "":
		return p.Name
	case p.Phone != "":
		return MaskPhone(p.Phone)
	default:
		return MaskEmail(p.Email)
	}
}

// Member is a party of the staff.
type Member struct {
	Party
	Roles Roles
	// Invited is set until the person has chosen a password; Enrolled once the second factor
	// works.
	Invited, Enrolled bool
}

// Origin is where a request came from.
type Origin struct {
	Address string // IP address, as the edge has judged it
	Agent   string // the browser's own words
	Device  string // the device token it sent, or ""
}

// source names the network that an address is of, as far as one person holds it: an IPv4
// address, or 64 bits of an IPv6 address.
func (o Origin) source() string {
	a, err := netip.ParseAddr(strings.TrimSpace(o.Address))
	if err != nil {
		return "unknown"
	}
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// lang takes a language Hufu speaks, Chinese when l is another.
func lang(l i18n.Lang) i18n.Lang {
	if l == i18n.EN {
		return l
	}
	return i18n.ZH
}
