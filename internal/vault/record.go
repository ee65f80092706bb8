package vault

import (
	"encoding/binary"

	"hufu/internal/fault"
)

// Record is everything secret about one code. Empty parts are absent.
type Record struct {
	Code     Hidden // what the holder types in, or what is behind the code's QR picture
	Serial   Hidden // the supplier's number of the card (卡号), when it goes with a password
	Account  Hidden // an account that is handed over whole
	Password Hidden
	Note     Hidden // the supplier's words to the holder
}

const recordForm = 1

func (r *Record) parts() [5]*Hidden {
	return [5]*Hidden{&r.Code, &r.Serial, &r.Account, &r.Password, &r.Note}
}

// Append encodes the record after dst: a version byte, then each part behind its length.
func (r Record) Append(dst []byte) []byte {
	dst = append(dst, recordForm)
	for _, p := range r.parts() {
		dst = binary.AppendUvarint(dst, uint64(len(*p)))
		dst = append(dst, *p...)
	}
	return dst
}

// DecodeRecord is the inverse of Append. Its fault is vault.sealed_damaged.
func DecodeRecord(b []byte) (Record, error) {
	var r Record
	if len(b) == 0 || b[0] != recordForm {
		return Record{}, errDamaged()
	}
	b = b[1:]
	for _, p := range r.parts() {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > uint64(len(b)-w) {
			return Record{}, errDamaged()
		}
		*p, b = Hidden(b[w:w+int(n)]), b[w+int(n):]
	}
	if len(b) != 0 {
		return Record{}, errDamaged()
	}
	return r, nil
}

func errDamaged() error { return fault.New(fault.Internal, "vault.sealed_damaged") }
