package flow

import (
	"encoding/json"

	"hufu/internal/id"
	"hufu/internal/money"
)

// Granted is what the first step of a right's path records (G1).
type Granted struct {
	Order   id.Order       `json:"order"`
	Offer   id.Offer       `json:"offer"`
	Channel string         `json:"channel"`
	Price   int64          `json:"unit_price"` // minor units of Cur
	Code    id.Code        `json:"code,omitempty"`
	Capture id.Capture     `json:"capture"`
	Buyer   id.Party       `json:"buyer,omitempty"`
	Cur     money.Currency `json:"currency"`
	Edition []Numbered     `json:"edition,omitempty"`
}

// Text is the record as the step keeps it.
func (g Granted) Text() string {
	b, err := json.Marshal(g)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return string(b)
}
