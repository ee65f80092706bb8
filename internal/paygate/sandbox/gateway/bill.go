package gateway

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"time"
)

var billZone = time.FixedZone("CST", 8*3600)

// bill is everything that moved on a day in China Standard Time, as CSV: a heading, the lines
// in the order of the trades, and a closing row with their number.
func (s *Server) bill(m Merchant, q request, now time.Time, f Faults) reply {
	day, err := time.ParseInLocation(time.DateOnly, q.Day, billZone)
	if err != nil || day.After(now) {
		return refusal("INVALID", "day is malformed or has not come yet")
	}
	end := day.AddDate(0, 0, 1)
	within := func(t time.Time) bool { return !t.Before(day) && t.Before(end) }

	var lines [][]string
	for _, k := range s.list {
		t := s.trades[k]
		if k.merchant != m.ID {
			continue
		}
		line := func(kind, txn, no, id string, amount, fee int64, state string, at time.Time) {
			if within(at) {
				lines = append(lines, []string{kind, m.ID, m.AppID, t.OutTradeNo, txn, no, id, strconv.FormatInt(amount, 10),
					t.Currency, strconv.FormatInt(fee, 10), state, at.In(billZone).Format(time.RFC3339Nano)})
			}
		}
		for _, p := range t.Payments {
			line("payment", p.ID, "", "", p.Amount, p.Fee, statePaid, p.At)
		}
		for _, r := range t.Refunds {
			if r.State == stateDone {
				line("refund", r.PaymentID, r.No, r.ID, r.Amount, -r.Fee, r.State, r.EndsAt)
			}
		}
	}
	switch {
	case f.Bill == "missing" && len(lines) > 0:
		lines = lines[1:]
	case f.Bill == "extra":
		lines = append(lines, []string{"payment", m.ID, m.AppID, "nobody-knows-this", token("sb"), "", "", "100", "CNY", "1", statePaid, day.Format(time.RFC3339Nano)})
	case f.Bill == "amount" && len(lines) > 0:
		lines[0][7] += "0"
	}

	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write([]string{"type", "merchant_id", "app_id", "out_trade_no", "transaction_id", "refund_no", "refund_id", "amount", "currency", "fee", "state", "time"})
	w.WriteAll(lines)
	if f.Bill != "cut" {
		w.Write([]string{"total", m.ID, m.AppID, "", "", "", "", strconv.Itoa(len(lines)), "", "", "", ""})
	}
	w.Flush()
	if f.Bill == "gbk" {
		b.WriteString("\xba\xcf\xbc\xc6\n") // 合计, as a bill in GBK ends
	}
	return reply{Code: "OK", csv: b.Bytes()}
}
