package rule

import (
	"hufu/internal/fault"
)

// Facts are what is known of one case: one shopper, here, now. A fact that wasn't set is
// unknown. Facts may be read by many at once, but set by one alone; reuse them with Reset
// for one case after the other.
type Facts struct {
	v    *Vocabulary
	vals []Value
}

// Facts makes a case of which nothing is known yet.
func (v *Vocabulary) Facts() *Facts { return &Facts{v: v, vals: make([]Value, len(v.facts))} }

// Set tells a fact. It fails, which is a mistake of the program, when there is no such
// fact, the value is of another kind, or over the bounds of a value. An unknown value makes the
// fact unknown again.
func (f *Facts) Set(name string, val Value) error {
	r, ok := f.v.index[name]
	if !ok {
		return fault.New(fault.Internal, "rule.wrong_fact", "fact", name)
	}
	return f.SetRef(r, val)
}

// Ref finds the place of a fact by its name.
func (f *Facts) Ref(name string) (Ref, bool) { return f.v.Ref(name) }

// SetRef is Set by the fact's place.
func (f *Facts) SetRef(r Ref, val Value) error {
	if r < 0 || int(r) >= len(f.vals) {
		return fault.New(fault.Internal, "rule.wrong_fact", "fact", "?")
	}
	if (val.kind != 0 && val.kind != f.v.facts[r].Kind) || !val.within() {
		return fault.New(fault.Internal, "rule.wrong_fact", "fact", f.v.facts[r].Name)
	}
	if val.kind == KindTime {
		val.till = val.int + 1 // a fact is a moment, also when it was read from a date
	}
	f.vals[r] = val
	return nil
}

// Get is what is known of a fact, the zero Value when nothing is.
func (f *Facts) Get(name string) Value {
	if r, ok := f.v.index[name]; ok {
		return f.vals[r]
	}
	return Value{}
}

// Reset forgets everything.
func (f *Facts) Reset() { clear(f.vals) }
