package console

import (
	"crypto/sha256"
	"maps"
	"slices"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/idem"
)

// once carries an act out in one transaction, and not again when its form is sent again: a
// press after a lost answer gives the first answer. A refused act leaves nothing and may be
// tried again.
func (v *visit) once(act func(tx *db.Tx) error) error {
	scope, key := v.idemScope(), v.f("idempotency_key")
	hash := v.formHash()
	return v.do(func(tx *db.Tx) error {
		before, err := idem.Begin(v.r.Context(), tx, v.c.now(), scope, key, hash)
		if err != nil || before != nil {
			return err
		}
		if err := act(tx); err != nil {
			return err
		}
		return idem.Finish(v.r.Context(), tx, scope, key, idem.Response{Status: 303})
	})
}

// first reports whether a form is sent for the first time, and remembers it: for acts that
// take transactions of their own and that nothing else keeps from happening twice.
func (v *visit) first() (bool, error) {
	scope, key := v.idemScope(), v.f("idempotency_key")
	fresh := false
	err := v.do(func(tx *db.Tx) error {
		before, err := idem.Begin(v.r.Context(), tx, v.c.now(), scope, key, v.formHash())
		if fresh = err == nil && before == nil; !fresh {
			return err
		}
		return idem.Finish(v.r.Context(), tx, scope, key, idem.Response{Status: 202})
	})
	return fresh, err
}

func (v *visit) idemScope() string { return "console:" + string(v.by()) + ":" + v.r.URL.Path }

// formHash is of everything a form says but its proofs.
func (v *visit) formHash() []byte {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(v.form)) {
		if dropped(name) || name == "idempotency_key" {
			continue
		}
		for _, value := range v.form[name] {
			h.Write([]byte(name + "\x00" + value + "\x00"))
		}
	}
	return h.Sum(nil)
}

// audit puts an act on record, in its own transaction.
func (v *visit) audit(tx *db.Tx, action, subject string, data ...string) error {
	r := audit.Row{At: v.c.now(), Actor: string(v.by()), Action: action, Subject: subject, Origin: v.origin().Address}
	for i := 0; i+1 < len(data); i += 2 {
		if r.Data == nil {
			r.Data = map[string]string{}
		}
		r.Data[data[i]] = data[i+1]
	}
	return audit.Write(v.r.Context(), tx, r)
}

// needed is the fault of a field that must be filled in.
func needed(field string) error {
	return fault.New(fault.Invalid, "console.form").At(field, "console.required")
}
