package inventory

import (
	"maps"
	"slices"
	"time"

	"hufu/internal/fault"
	"hufu/internal/id"
)

// Allotment is units of a stock that one channel sells, and that it sells from alone (配额):
// size = available + reserved + delivered. A channel without an open one sells from what isn't
// allotted. What is out, reserved and delivered, returns to where it came from; to what isn't
// allotted once the allotment is closed.
type Allotment struct {
	Stock     id.Stock
	Channel   string
	Open      bool
	Size      int64
	Available int64
	Reserved  int64
	Delivered int64
	UpdatedAt time.Time
}

// Out is how many units of it are reserved or delivered.
func (a *Allotment) Out() int64 { return a.Reserved + a.Delivered }

// Shift is units that became another channel's, on record for good. A channel of "" is what
// isn't allotted.
type Shift struct {
	ID       id.Shift
	Stock    id.Stock
	From, To string
	Quantity int64 // 0 of one opened without units
	Reason   string
	Actor    string // a party's id, or "system"
	At       time.Time
}

// Reasons of the shifts that the system makes by itself.
const (
	ShiftClosed = "closed" // a unit came back to an allotment that is closed
	ShiftVoided = "voided" // the unit is out of sale for good
	ShiftEnded  = "ended"  // codes ended, and what isn't allotted had too few units
)

// account names one of the counts that the units of a stock stand in.
type account int

const (
	available account = iota
	reserved
	delivered
	voided
)

func (s *Stock) at(a account) *int64 {
	return [...]*int64{&s.Available, &s.Reserved, &s.Delivered, &s.Voided}[a]
}

func (a *Allotment) at(n account) *int64 {
	return [...]*int64{&a.Available, &a.Reserved, &a.Delivered}[n]
}

// pool is the allotment that a channel sells a stock from, "" for what isn't allotted.
func (b *Book) pool(stock id.Stock, channel string) string {
	if a := b.allots[stock][channel]; a != nil && a.Open {
		return channel
	}
	return ""
}

// room is how many units of a stock a channel may have through this book.
func (b *Book) room(channel string, s *Stock) int64 {
	free := s.Available - b.aside[s.ID]
	room := free - s.Allotted
	if a := b.allots[s.ID][b.pool(s.ID, channel)]; a != nil {
		room = min(free, a.Available)
	}
	if e := b.editions[s.ID]; e != nil {
		room = min(room, e.room(s))
	}
	return room
}

// shift moves units of a stock, and of the pool they belong to, from one count to another.
func (b *Book) shift(stock id.Stock, pool string, from, to account, n int64) {
	s := b.stocks[stock]
	*s.at(from) -= n
	*s.at(to) += n
	b.moved[stock] = true
	a := b.allots[stock][pool]
	if a == nil {
		return
	}
	*a.at(from) -= n
	b.changed[a] = true
	if from == available {
		s.Allotted -= n
	}
	switch {
	case to == voided:
		a.Size -= n
		b.log(Shift{Stock: stock, From: pool, Quantity: n, Reason: ShiftVoided})
	case to == available && !a.Open:
		a.Size -= n
		b.log(Shift{Stock: stock, From: pool, Quantity: n, Reason: ShiftClosed})
	default:
		*a.at(to) += n
		if to == available {
			s.Allotted += n
		}
	}
}

func (b *Book) log(s Shift) {
	s.ID = id.New[id.Shift]()
	if s.Actor == "" {
		s.Actor = "system"
	}
	b.shifts = append(b.shifts, &s)
}

// Allot moves n available units of a stock from one channel to another, of which "" is what
// isn't allotted; the channel they go to has an allotment from then on. It fails with
// allotment.too_few, with how many could go, and changes nothing, when fewer are available
// there: what is reserved or sold stays, and all together never are more than the whole.
func (b *Book) Allot(stock id.Stock, from, to string, n int64, actor, reason string) error {
	if err := b.mayAllot(stock, from, to, n); err != nil {
		return err
	}
	s := b.stocks[stock]
	free := s.Available - s.Allotted
	if a := b.allots[stock][from]; a != nil {
		free = a.Available
	}
	if n > free {
		return fault.New(fault.Conflict, "allotment.too_few", "n", text(n), "free", text(free))
	}
	if a := b.allots[stock][from]; a != nil {
		a.Available -= n
		a.Size -= n
		s.Allotted -= n
		b.changed[a] = true
	}
	if to != "" {
		a := b.open(stock, to)
		a.Available += n
		a.Size += n
		s.Allotted += n
	}
	b.moved[stock] = true
	b.log(Shift{Stock: stock, From: from, To: to, Quantity: n, Reason: reason, Actor: actor})
	return nil
}

func (b *Book) mayAllot(stock id.Stock, from, to string, n int64) error {
	switch s := b.stocks[stock]; {
	case s == nil:
		return fault.New(fault.NotFound, "stock.not_found")
	case from == to || n < 0 || n == 0 && (to == "" || b.pool(stock, to) != "") || !ChannelName(from) || !ChannelName(to):
		return fault.New(fault.Invalid, "allotment.invalid")
	case from != "" && b.pool(stock, from) == "":
		return fault.New(fault.Conflict, "allotment.none", "channel", from)
	}
	return nil
}

// ChannelName reports whether a text can name a channel: letters, digits, and . _ - within; ""
// names what isn't allotted.
func ChannelName(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return len(s) <= 40
}

// open is the open allotment of a channel, made or opened again when there is none.
func (b *Book) open(stock id.Stock, channel string) *Allotment {
	a := b.allots[stock][channel]
	if a == nil {
		a = &Allotment{Stock: stock, Channel: channel}
		if b.allots[stock] == nil {
			b.allots[stock] = map[string]*Allotment{}
		}
		b.allots[stock][channel] = a
		b.stocks[stock].Channels++
		b.made = append(b.made, a)
	} else {
		b.changed[a] = true
	}
	a.Open = true
	return a
}

// Resize makes an allotment that size, with units from and to what isn't allotted. It fails
// with allotment.below_out when more than that is reserved and sold, and with
// allotment.too_few when there aren't as many units.
func (b *Book) Resize(stock id.Stock, channel string, size int64, actor, reason string) error {
	has := int64(0)
	if a := b.allots[stock][channel]; a != nil {
		if size < a.Out() {
			return fault.New(fault.Conflict, "allotment.below_out", "n", text(size), "out", text(a.Out()))
		}
		has = a.Size
	}
	switch {
	case channel == "" || size < 0:
		return fault.New(fault.Invalid, "allotment.invalid")
	case size < has && b.pool(stock, channel) != "":
		return b.Allot(stock, channel, "", has-size, actor, reason)
	case size == has && b.pool(stock, channel) != "":
		return nil
	}
	return b.Allot(stock, "", channel, max(size-has, 0), actor, reason)
}

// Close ends an allotment: what is available of it is nobody's again, and so is what comes
// back to it later. Its channel sells from what isn't allotted.
func (b *Book) Close(stock id.Stock, channel, actor, reason string) error {
	a := b.allots[stock][channel]
	if a == nil || !a.Open {
		return fault.New(fault.Conflict, "allotment.none", "channel", channel)
	}
	b.log(Shift{Stock: stock, From: channel, Quantity: a.Available, Reason: reason, Actor: actor})
	b.stocks[stock].Allotted -= a.Available
	a.Size -= a.Available
	a.Available, a.Open = 0, false
	b.changed[a], b.moved[stock] = true, true
	return nil
}

// cover takes from the allotments what they have more than the stock has available, from the
// largest first: the units are gone whatever was promised to whom.
func (b *Book) cover(stock id.Stock) {
	s := b.stocks[stock]
	for s.Allotted > max(s.Available, 0) {
		var most *Allotment
		for _, channel := range slices.Sorted(maps.Keys(b.allots[stock])) {
			if a := b.allots[stock][channel]; most == nil || a.Available > most.Available {
				most = a
			}
		}
		n := min(most.Available, s.Allotted-max(s.Available, 0))
		if n == 0 {
			return
		}
		most.Available -= n
		most.Size -= n
		s.Allotted -= n
		b.changed[most] = true
		b.log(Shift{Stock: stock, From: most.Channel, Quantity: n, Reason: ShiftEnded})
	}
}

// Parted reports whether a stock of the book has allotments: until then it is all the same
// which channel takes units.
func (b *Book) Parted() bool {
	for _, s := range b.stocks {
		if s.Channels > 0 {
			return true
		}
	}
	return false
}

// Allotments are those of a stock of the book, by channel.
func (b *Book) Allotments(stock id.Stock) []*Allotment { return sorted(b.allots[stock]) }

func sorted(all map[string]*Allotment) []*Allotment {
	out := make([]*Allotment, 0, len(all))
	for _, channel := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[channel])
	}
	return out
}
