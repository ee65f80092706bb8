package waiting

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"hufu/internal/fault"
	"hufu/internal/id"
)

// Ticket is a place in the queue of an offer.
type Ticket struct {
	Offer id.Offer
	// ID places one order. It is the same for all tickets of one device to one place.
	ID    [12]byte
	Place time.Time // microseconds count
}

// signature lengths and layout: place (8 bytes), id (12), MAC (16).
const (
	plainSize = 8 + 12
	macSize   = 16
)

// mac is HMAC-SHA-256 over what it is for and each part behind its length.
func mac(key []byte, purpose string, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	var n [4]byte
	for _, p := range append([][]byte{[]byte("hufu.waiting." + purpose)}, parts...) {
		binary.BigEndian.PutUint32(n[:], uint32(len(p)))
		h.Write(n[:])
		h.Write(p)
	}
	return h.Sum(nil)
}

func (t Ticket) plain() []byte {
	out := binary.BigEndian.AppendUint64(make([]byte, 0, plainSize+macSize), uint64(t.Place.UnixMicro()))
	return append(out, t.ID[:]...)
}

// Text signs a ticket: 48 characters that may stand in a cookie or an address.
func (s *Service) Text(t Ticket) string {
	plain := t.plain()
	return base64.RawURLEncoding.EncodeToString(append(plain, mac(s.key, "ticket", []byte(t.Offer), plain)[:macSize]...))
}

// Read reads a ticket to an offer. What isn't one, is to another offer, or wasn't signed here
// fails with room.ticket.
func (s *Service) Read(offer id.Offer, text string) (Ticket, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != plainSize+macSize || !hmac.Equal(raw[plainSize:], mac(s.key, "ticket", []byte(offer), raw[:plainSize])[:macSize]) {
		return Ticket{}, fault.New(fault.Invalid, "room.ticket").At("ticket", "room.ticket")
	}
	t := Ticket{Offer: offer, Place: time.UnixMicro(int64(binary.BigEndian.Uint64(raw))).UTC()}
	copy(t.ID[:], raw[8:plainSize])
	return t, nil
}

// opening is for how long after a room opens places are drawn and not taken in order.
const opening = time.Second

// draw is the place of a device in an offer's opening second: as random as HMAC-SHA-256, and
// the same whenever it is asked for.
func (s *Service) draw(offer id.Offer, opens time.Time, device string) time.Time {
	at := binary.BigEndian.AppendUint64(nil, uint64(opens.UnixMicro()))
	n := binary.BigEndian.Uint64(mac(s.key, "draw", []byte(offer), at, []byte(device)))
	// The remainder of 2^64 by a million favours no place by more than one in 10^13.
	return opens.Add(time.Duration(n%uint64(opening.Microseconds())) * time.Microsecond)
}

// ticketID names the ticket of a device to a place: a drawn one is the same whenever it is asked
// for, so that a device places one order with what it drew.
func (s *Service) ticketID(offer id.Offer, place time.Time, device string) (out [12]byte) {
	at := binary.BigEndian.AppendUint64(nil, uint64(place.UnixMicro()))
	copy(out[:], mac(s.key, "id", []byte(offer), at, []byte(device)))
	return out
}
