package flow

import (
	"context"
	"strconv"
	"time"

	"hufu/internal/db"
	"hufu/internal/i18n"
	"hufu/internal/identity"
	"hufu/internal/notify"
)

// SendCode makes a one-time code and writes the message that carries it, in one
// transaction. What it gives holds the code itself: the caller gives on the ticket alone.
// Its faults are those of identity.Service.SendCode.
func (f *Flows) SendCode(ctx context.Context, people *identity.Service, c identity.SendCode, lang i18n.Lang) (identity.Sent, error) {
	now := f.Clock.Now()
	return identity.Commit(ctx, f.DB, func(tx *db.Tx) (db.Answer[identity.Sent], error) {
		a, err := people.SendCode(ctx, tx, c, now)
		if err != nil || a.Err != nil {
			return a, err
		}
		minutes := strconv.Itoa(int(identity.CodeLife / time.Minute))
		m := notify.Message{Channel: "email", Target: string(a.Result.To), Template: notify.OneTimeCode, Lang: string(lang),
			Subject: lang.T("shop.code.subject"), Body: lang.T("shop.code.body", "code", a.Result.Code, "minutes", minutes)}
		if a.Result.To.IsPhone() {
			m.Channel, m.Subject = "sms", ""
		}
		return a, notify.Write(ctx, tx, now, m)
	})
}
