package fault_test

import (
	"errors"
	"testing"

	"hufu/internal/fault"
)

func TestKindAndCodeOfWhatIsNoFault(t *testing.T) {
	for _, c := range []struct {
		err  error
		kind fault.Kind
		code string
	}{
		{nil, fault.None, ""},
		{errors.New("disk"), fault.Internal, "internal"},
		{fault.New(fault.Gone, "a.b"), fault.Gone, "a.b"},
		{errors.Join(errors.New("disk"), fault.New(fault.Gone, "a.b")), fault.Gone, "a.b"},
	} {
		if k := fault.KindOf(c.err); k != c.kind {
			t.Errorf("KindOf(%v) = %v, want %v", c.err, k, c.kind)
		}
		if code := fault.CodeOf(c.err); code != c.code {
			t.Errorf("CodeOf(%v) = %q, want %q", c.err, code, c.code)
		}
	}
}
