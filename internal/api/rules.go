package api

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/flow"
	"hufu/internal/httpx"
)

// RuleUnmet is an issuing rule that doesn't let somebody buy.
type RuleUnmet struct {
	Line   int    `json:"line" doc:"Which line, from 0"`
	Rule   string `json:"rule" doc:"Its name"`
	Why    string `json:"why"`
	SignIn bool   `json:"sign_in,omitempty" doc:"Whether it might let who signs in"`
}

// unmet lists the rules that don't let the caller have what is wanted.
func (a *API) unmet(ctx context.Context, tx *db.Tx, c *Call, wanted []flow.Wanted) ([]RuleUnmet, error) {
	var b flow.Buyer
	if c.session != nil {
		b.Party, b.OwnPhone = c.session.Party.ID, c.session.Party.Phone
	}
	all, err := a.Flows.Qualifies(ctx, tx, wanted, b, flow.Visit{Channel: "api", Device: httpx.DeviceKind(c.r.UserAgent())}, a.Flows.Clock.Now())
	out := make([]RuleUnmet, len(all))
	for i, r := range all {
		out[i] = RuleUnmet{r.Line, text(c.Lang, r.Rule.Name), text(c.Lang, r.Why), r.SignIn}
	}
	return out, err
}
