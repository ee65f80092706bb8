package flow_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow/flowtest"
	"hufu/internal/paygate"
)

// selfTesting is a gateway whose self-test says what it is told to.
type selfTesting struct {
	paygate.Gateway
	says error
}

func (g *selfTesting) Name() string                   { return "real" }
func (g *selfTesting) SelfTest(context.Context) error { return g.says }

// P6, S26: a channel takes no order before its keys have passed, and none of another's waits for it.
func TestAChannelIsOfferedOnceItsKeysPass(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		g := &selfTesting{s.Gateway, fault.New(fault.Unavailable, "paygate.answer_rejected")}
		s.Withhold(g)
		if s.Offers("real") || !s.Offers(flowtest.Channel) || s.Offers("nobody") || slices.Contains(s.Offered(), "real") {
			t.Fatalf("before any test: %v", s.Offered())
		}
		if c := s.Channels(); len(c) != 2 || c[1].Name != "real" || c[1].Offered || !c[1].TestedAt.IsZero() || !c[0].Offered {
			t.Errorf("%+v", c)
		}
		if s.Gateways["real"] == nil {
			t.Error("what was paid before can't be asked about")
		}
		for range 2 {
			tested := s.TestChannels(t.Context())
			if len(tested) != 1 || tested[0].Offered || !errors.Is(tested[0].Why, g.says) || s.Offers("real") {
				t.Errorf("failed: %+v", tested)
			}
		}
		if c := s.Channels()[1]; c.Offered || c.Why == nil || !c.TestedAt.Equal(s.Clock.Now()) {
			t.Errorf("%+v", c)
		}
		g.says = nil
		if tested := s.TestChannels(t.Context()); len(tested) != 1 || !tested[0].Offered || !s.Offers("real") {
			t.Errorf("passed: %+v", tested)
		}
		g.says = errors.New("never asked again")
		if tested := s.TestChannels(t.Context()); len(tested) != 0 || !s.Offers("real") || s.Channels()[1].TestedAt.IsZero() {
			t.Errorf("%+v", tested)
		}
	})
}
