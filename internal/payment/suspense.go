package payment

// Returning is the refund that sends the whole of a capture back or has done so; one that
// failed doesn't.
func (c Capture) Returning(refunds []Refund) (Refund, bool) {
	for _, r := range refunds {
		if r.Capture == c.ID && r.State != RefundFailed && r.Amount == c.Amount {
			return r, true
		}
	}
	return Refund{}, false
}

// Unmatched is the first of an order's captures that doesn't match what was asked for and
// hasn't gone back. While there is one the buyer must not pay again: a person looks at it.
func Unmatched(captures []Capture, refunds []Refund) (Capture, bool) {
	for _, c := range captures {
		if c.Applied || c.Reason != string(Mismatch) {
			continue
		}
		if r, ok := c.Returning(refunds); !ok || r.State != RefundDone {
			return c, true
		}
	}
	return Capture{}, false
}
