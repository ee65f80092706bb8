package console

import (
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/entitlement"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/payment"
	"hufu/internal/vault"
	"hufu/internal/web/ui"
)

// known is the message of a key, or the plain word when there is none: kinds and names may be
// added by other packages than the ones the console was written with.
func (v *visit) known(key, word string) string {
	if i18n.Has(key) {
		return v.t(key)
	}
	return word
}

var offerTones = map[catalogue.State]ui.Tone{catalogue.Draft: ui.Plain, catalogue.Scheduled: ui.Info, catalogue.Live: ui.OK, catalogue.Paused: ui.Warn, catalogue.Archived: ui.Plain}

func (v *visit) offerState(s catalogue.State) (ui.Tone, string) {
	return offerTones[s], v.t("console.offer.state." + string(s))
}

var orderTones = map[order.State]ui.Tone{order.Pending: ui.Info, order.Fulfilled: ui.OK, order.Part: ui.Warn, order.Shortage: ui.Stop, order.Refunded: ui.Plain,
	order.Cancelled: ui.Plain, order.Expired: ui.Plain}

func (v *visit) orderState(s order.State) (ui.Tone, string) {
	return orderTones[s], v.t("console.order.state." + string(s))
}

var rightTones = map[entitlement.State]ui.Tone{entitlement.Waiting: ui.Info, entitlement.Held: ui.Accent, entitlement.Revealed: ui.OK, entitlement.Used: ui.Plain, entitlement.Suspended: ui.Warn,
	entitlement.Expired: ui.Plain, entitlement.Refunded: ui.Plain}

func (v *visit) rightState(s entitlement.State) (ui.Tone, string) {
	return rightTones[s], v.known("console.right.state."+string(s), string(s))
}

var refundTones = map[payment.RefundState]ui.Tone{payment.RefundWaiting: ui.Info, payment.RefundSent: ui.Info, payment.RefundDone: ui.OK, payment.RefundFailed: ui.Stop}

func (v *visit) refundState(s payment.RefundState) (ui.Tone, string) {
	return refundTones[s], v.t("console.refund.state." + string(s))
}

var codeTones = map[vault.CodeState]ui.Tone{vault.CodeFilling: ui.Info, vault.CodeAvailable: ui.OK, vault.CodeDelivered: ui.Accent, vault.CodeVoid: ui.Stop, vault.CodeExpired: ui.Plain}

func (v *visit) codeState(s vault.CodeState) (ui.Tone, string) {
	return codeTones[s], v.known("console.code.state."+string(s), string(s))
}

var batchTones = map[vault.BatchState]ui.Tone{vault.Filling: ui.Info, vault.Ready: ui.OK, vault.Undone: ui.Plain}

func (v *visit) batchState(s vault.BatchState) (ui.Tone, string) {
	return batchTones[s], v.known("console.batch.state."+string(s), string(s))
}

var importTones = map[vault.ImportState]ui.Tone{vault.ImportReceived: ui.Info, vault.ImportChecking: ui.Info, vault.ImportChecked: ui.Warn, vault.ImportRunning: ui.Info, vault.ImportReleasing: ui.Info,
	vault.ImportPaused: ui.Warn, vault.ImportUndoing: ui.Info, vault.ImportRestoring: ui.Info, vault.ImportDone: ui.OK, vault.ImportFailed: ui.Stop, vault.ImportCancelled: ui.Plain, vault.ImportUndone: ui.Plain}

func (v *visit) importState(s vault.ImportState) (ui.Tone, string) {
	return importTones[s], v.known("console.import.state."+string(s), string(s))
}

// when is a moment in words, "–" for none.
func (v *visit) when(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return ui.FormatTime(v.lang, t.In(v.c.Zone), v.c.now().In(v.c.Zone))
}

// typed is a moment as a datetime-local field has it, and back.
const typed = "2006-01-02T15:04"

func (v *visit) typedTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(v.c.Zone).Format(typed)
}

func (v *visit) readTime(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	for _, form := range []string{typed, "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(form, text, v.c.Zone); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// broad is a cell of words that has a line of its own on a phone.
func broad(text, sub string) ui.Cell { return ui.Cell{Text: text, Sub: sub, Wide: true} }

// fileSize is a number of bytes in the unit that suits it.
func fileSize(n int64) string {
	switch {
	case n < 1<<10:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1<<20:
		return strconv.FormatInt((n+1<<9)>>10, 10) + " KB"
	}
	return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MB"
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func sumText(a money.Amount) string {
	if a.Currency == "" {
		return "–"
	}
	return a.String()
}

// people names the actors of a page of rows.
func (v *visit) people(parties map[id.Party]string, actor string) string {
	switch actor {
	case "system", "":
		return v.t("console.actor.system")
	case "anonymous":
		return v.t("console.actor.anonymous")
	case "guest":
		return v.t("console.guest")
	case "holder":
		return v.t("console.actor.holder")
	}
	if name, ok := parties[id.Party(actor)]; ok {
		return name
	}
	if strings.HasPrefix(actor, "pty_") {
		return short(actor)
	}
	return actor
}
