package flow

import (
	"hufu/internal/delivery"
	"hufu/internal/id"
)

// giveBack returns the units of planned items that could not be delivered: there was no
// code behind them, so they are voided, and the codes picked for their unit are freed. Of each
// unit of the offer its own stock gets one back.
func (b *confirming) giveBack(line id.Line, offer id.Stock, planned, whole []delivery.Item) {
	if len(planned) == len(whole) {
		return
	}
	kept := map[id.Right]bool{}
	for _, it := range whole {
		kept[it.Right] = true
	}
	broken := map[int64]bool{}
	for _, it := range planned {
		if kept[it.Right] {
			continue
		}
		broken[it.Unit] = true
		if it.Part.Stock == "" {
			continue
		}
		_, had := b.codes[it.Right]
		delete(b.codes, it.Right)
		b.book.Return(line, it.Part.Stock, 1, it.Part.NeedsCode() && !had)
	}
	if n := int64(len(broken)); n > 0 && offer != "" {
		b.book.Return(line, offer, n, false)
	}
}
