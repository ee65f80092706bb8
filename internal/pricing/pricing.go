// Package pricing decides what a shopper pays, in pure functions. Every price comes with
// the steps that led to it, which are kept with the order and can be recomputed from it.
package pricing

import (
	"fmt"
	"strconv"
	"strings"

	"hufu/internal/money"
)

// Input is what the price of one unit depends on.
type Input struct {
	List  money.Amount // what the price is shown against; zero: none
	Worth money.Amount // what the parts cost by themselves; zero: not known
	Offer money.Amount // what the offer's version says
	Floor money.Amount // what the price is never below; zero: no floor
}

// Step is one step of a quote.
type Step struct {
	Name  string // "list", "worth", "offer", "floor"
	Minor int64  // the unit price after the step; of the list and the worth, what it is shown against
}

// Quote is the price of one unit and how it came about.
type Quote struct {
	Unit  money.Amount
	Steps []Step
}

// For decides a unit price. A floor in another currency than the offer's is none.
func For(in Input) Quote {
	var steps []Step
	if !in.List.IsZero() {
		steps = append(steps, Step{"list", in.List.Minor})
	}
	if !in.Worth.IsZero() && in.Worth.Currency == in.Offer.Currency {
		steps = append(steps, Step{"worth", in.Worth.Minor})
	}
	q := Quote{Unit: in.Offer, Steps: append(steps, Step{"offer", in.Offer.Minor})}
	if in.Floor.Currency == in.Offer.Currency && in.Floor.Minor > in.Offer.Minor {
		q.Unit, q.Steps = in.Floor, append(q.Steps, Step{"floor", in.Floor.Minor})
	}
	return q
}

// Text writes the steps as an order keeps them: "list=3000;offer=1990".
func (q Quote) Text() string {
	var b strings.Builder
	for i, s := range q.Steps {
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(s.Name + "=" + strconv.FormatInt(s.Minor, 10))
	}
	return b.String()
}

// ParseSteps reads what Text wrote.
func ParseSteps(text string) ([]Step, error) {
	var out []Step
	for part := range strings.SplitSeq(text, ";") {
		name, minor, ok := strings.Cut(part, "=")
		n, err := strconv.ParseInt(minor, 10, 64)
		if !ok || err != nil || name == "" {
			return nil, fmt.Errorf("pricing: %q is not a quote", text)
		}
		out = append(out, Step{name, n})
	}
	return out, nil
}

// Recompute is the unit price that the steps of a kept quote lead to.
func Recompute(text string) (int64, error) {
	steps, err := ParseSteps(text)
	if err != nil {
		return 0, err
	}
	return steps[len(steps)-1].Minor, nil
}
