package flow

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/setting"
)

// RaiseNext names the message that tells a member of the staff what a raise of a limit waits
// for: their own agreement, that of a colleague, or that there be one.
func RaiseNext(ctx context.Context, tx *db.Tx, staff *identity.Service, p *setting.Proposal, who id.Party) (string, error) {
	if p.By != string(who) {
		return "setting.agree", nil
	}
	all, err := staff.Members(ctx, tx)
	for _, m := range all {
		if m.ID != who && m.Active && !m.Invited && m.Roles.May(identity.SettingsEdit) {
			return "setting.ask", err
		}
	}
	return "setting.invite", err
}
