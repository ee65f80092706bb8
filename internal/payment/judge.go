package payment

import (
	"hufu/internal/id"
	"hufu/internal/money"
)

// Message is what a verified notice or an answered query says.
type Message struct {
	Provider string
	Event    string
	Intent   id.Intent
	Txn      string
	Paid     bool // a named success state, nothing else
	Amount   money.Amount
	// Account says whether the merchant account and application named in it are ours.
	Account bool
	// PayerID is the account at the channel that paid, "" where it isn't told.
	PayerID string
}

// Verdict is what a message amounts to.
type Verdict string

// The verdicts, which are also what is kept as a notice's outcome.
const (
	Apply     Verdict = "applied"        // pays its order
	Late      Verdict = "late"           // pays an order that was closed meanwhile
	Duplicate Verdict = "duplicate"      // has had its effect before
	Ignored   Verdict = "ignored"        // says nothing was paid
	Mismatch  Verdict = "mismatch"       // money that doesn't match what was asked for
	Second    Verdict = "second_capture" // money for an order that is paid already
	Unknown   Verdict = "unknown_intent" // about something we don't know (yet)

	Refunding Verdict = "refund"         // tells of a refund of ours
	Foreign   Verdict = "foreign_refund" // tells of a refund that isn't ours, that we hold for failed or that a person paid
	Disputed  Verdict = "dispute"        // the payer's bank takes money back, or may
)

// Judge decides what a message amounts to. The intent is nil when there is none; paid says
// that the order has been paid, open that it still waits for payment; booked that the
// provider's transaction was booked before.
func Judge(m Message, intent *Intent, paid, open, booked bool) Verdict {
	switch {
	case booked:
		return Duplicate
	case intent == nil || intent.Gateway != m.Provider:
		return Unknown
	case !m.Paid:
		return Ignored
	case !m.Account || m.Amount != intent.Amount:
		return Mismatch
	case paid:
		return Second
	case open:
		return Apply
	default:
		return Late
	}
}
