package payment

// Instead is the refund that stands in for a failed one.
func (r Refund) Instead(refunds []Refund) (Refund, bool) {
	for _, other := range refunds {
		if other.Again == r.ID {
			return other, true
		}
	}
	return Refund{}, false
}

// Owed lists the refunds that failed and that none stands in for: money that was to go back,
// and neither has nor is on its way.
func Owed(refunds []Refund) []Refund {
	var out []Refund
	for _, r := range refunds {
		if _, replaced := r.Instead(refunds); r.State == RefundFailed && !replaced {
			out = append(out, r)
		}
	}
	return out
}
