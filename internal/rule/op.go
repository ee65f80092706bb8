package rule

import (
	"slices"

	"hufu/internal/i18n"
)

// Op is what a condition asks of its fact.
type Op string

// The operators. Those of order also stand for times.
const (
	OpIs          Op = "is"
	OpIsNot       Op = "is_not"
	OpAtLeast     Op = "at_least"
	OpAtMost      Op = "at_most" // of a date: until its end
	OpMoreThan    Op = "more_than"
	OpLessThan    Op = "less_than"
	OpBetween     Op = "between" // two values, both included
	OpOneOf       Op = "one_of"
	OpNoneOf      Op = "none_of"
	OpContains    Op = "contains"
	OpContainsNot Op = "contains_not"
	OpStarts      Op = "starts"
	OpStartsNot   Op = "starts_not"
	OpEnds        Op = "ends"
	OpEndsNot     Op = "ends_not"
	OpHas         Op = "has"
	OpHasNot      Op = "has_not"
	OpHasAny      Op = "has_any"
	OpHasAll      Op = "has_all"
	OpHasNone     Op = "has_none"
	OpYes         Op = "yes"
	OpNo          Op = "no"
)

var opsOf = map[Kind][]Op{
	KindNumber: {OpIs, OpIsNot, OpAtLeast, OpAtMost, OpMoreThan, OpLessThan, OpBetween, OpOneOf, OpNoneOf},
	KindText:   {OpIs, OpIsNot, OpOneOf, OpNoneOf, OpContains, OpContainsNot, OpStarts, OpStartsNot, OpEnds, OpEndsNot},
	KindBool:   {OpYes, OpNo},
	KindSet:    {OpHas, OpHasNot, OpHasAny, OpHasAll, OpHasNone},
	KindTime:   {OpAtLeast, OpLessThan, OpMoreThan, OpAtMost, OpBetween, OpIs, OpIsNot},
	KindAmount: {OpAtLeast, OpAtMost, OpMoreThan, OpLessThan, OpBetween, OpIs, OpIsNot},
}

// Ops lists the operators that the builder offers for facts of a kind, the usual first.
func (k Kind) Ops() []Op { return slices.Clone(opsOf[k]) }

// Label is the operator's name in the builder, for facts of kind k.
func (o Op) Label(k Kind, l i18n.Lang) string {
	if k == KindTime {
		return l.T("rule.op.time." + string(o))
	}
	return l.T("rule.op." + string(o))
}

// Values tells how many values the operator takes: at least low, at most high.
func (o Op) Values() (low, high int) {
	switch o {
	case OpYes, OpNo:
		return 0, 0
	case OpBetween:
		return 2, 2
	case OpOneOf, OpNoneOf, OpHasAny, OpHasAll, OpHasNone:
		return 1, MaxNodes
	}
	return 1, 1
}

// op is the operator of a comparison.
func (c comparison) op() Op { return Op(comparisonNames[c]) }
