package audience

import (
	"encoding/binary"
	"errors"

	"hufu/internal/id"
	"hufu/internal/identity"
)

// A stretch is the customers between two ids as they are stored, packed into one text of
// bytes, so that to look at a million of them is to read some hundred rows. It is the form's
// number (1); the number of kinds and each kind's level, tags and region; and for each customer, ascending,
// id, day of the account, orders, last active day, bits of activity, and which kind. Numbers are
// varints and texts follow their length (encoding/binary, "Varint functions").

// stretchForm is the number of the form of packed customers.
const stretchForm = 1

// kindOf is what many customers share.
type kindOf struct {
	level  string
	tags   identity.Tags
	region string
}

// pack puts customers into a stretch; they are in the order of their ids.
func pack(all []customer) []byte {
	kinds := map[kindOf]uint64{}
	var list []kindOf
	for _, c := range all {
		k := kindOf{c.Level, c.Tags, c.Region}
		if _, there := kinds[k]; !there {
			kinds[k] = uint64(len(list))
			list = append(list, k)
		}
	}
	text := func(b []byte, s string) []byte {
		return append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	b := binary.AppendUvarint(make([]byte, 0, 64*len(all)+64), stretchForm)
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, k := range list {
		b = text(text(text(b, k.level), string(k.tags)), k.region)
	}
	for _, c := range all {
		b = text(b, string(c.party))
		b = binary.AppendVarint(b, c.createdDay)
		b = binary.AppendVarint(b, c.orders)
		b = binary.AppendVarint(b, c.ActiveDay)
		b = binary.AppendVarint(b, c.ActiveBits)
		b = binary.AppendUvarint(b, kinds[kindOf{c.Level, c.Tags, c.Region}])
	}
	return b
}

// reader takes a stretch apart.
type reader struct {
	rest  []byte
	kinds []kindOf
	wrong bool
}

// unpack begins to read a stretch.
func unpack(b []byte) (*reader, error) {
	r := &reader{rest: b}
	if r.count() != stretchForm {
		return nil, errPacked
	}
	for n := r.count(); n > 0 && !r.wrong; n-- {
		r.kinds = append(r.kinds, kindOf{string(r.text()), identity.Tags(r.text()), string(r.text())})
	}
	if r.wrong {
		return nil, errPacked
	}
	return r, nil
}

var errPacked = errors.New("audience: a stretch of customers is damaged")

func (r *reader) count() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.wrong, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) number() int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		r.wrong, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) text() []byte {
	n := r.count()
	if n > uint64(len(r.rest)) {
		r.wrong, r.rest = true, nil
		return nil
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// packed is a customer as a stretch has them.
type packed struct {
	party                 []byte // of the stretch's own bytes
	createdDay, orders    int64
	activeDay, activeBits int64
	kind                  int
}

// next reads one more customer; false at the end. It fails when the bytes aren't a stretch.
func (r *reader) next(p *packed) (bool, error) {
	if len(r.rest) == 0 {
		return false, nil
	}
	p.party, p.createdDay, p.orders, p.activeDay, p.activeBits = r.text(), r.number(), r.number(), r.number(), r.number()
	kind := r.count()
	if r.wrong || kind >= uint64(len(r.kinds)) {
		return false, errPacked
	}
	p.kind = int(kind)
	return true, nil
}

// customers is everybody of a stretch.
func customers(b []byte) ([]customer, error) {
	r, err := unpack(b)
	if err != nil {
		return nil, err
	}
	var out []customer
	for p := (packed{}); ; {
		more, err := r.next(&p)
		if err != nil || !more {
			return out, err
		}
		k := r.kinds[p.kind]
		out = append(out, customer{party: id.Party(p.party), createdDay: p.createdDay, orders: p.orders,
			Traits: identity.Traits{Level: k.level, Tags: k.tags, Region: k.region, ActiveDay: p.activeDay, ActiveBits: p.activeBits}})
	}
}
