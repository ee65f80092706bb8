package gateway

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"time"
)

var billZone = time.FixedZone("CST", 8*3600)

// moved hands on each payment of a merchant's and each finished refund (r is nil for a payment)
// of a day, in the order of the trades.
func (s *Server) moved(m Merchant, day time.Time, each func(t *trade, p payment, r *refund)) {
	end := day.AddDate(0, 0, 1)
	within := func(t time.Time) bool { return !t.Before(day) && t.Before(end) }
	for _, k := range s.list {
		if k.merchant != m.ID {
			continue
		}
		t := s.trades[k]
		for _, p := range t.Payments {
			if within(p.At) {
				each(t, p, nil)
			}
		}
		for _, r := range t.Refunds {
			if r.State == stateDone && within(r.EndsAt) {
				each(t, *t.payment(r.PaymentID), &r)
			}
		}
	}
}

// bill is everything that moved on a day in China Standard Time, as CSV: a heading, the lines
// in the order of the trades, and a closing row with their number.
func (s *Server) bill(m Merchant, q request, now time.Time, f Faults) reply {
	day, err := time.ParseInLocation(time.DateOnly, q.Day, billZone)
	if err != nil || day.After(now) {
		return refusal("INVALID", "day is malformed or has not come yet")
	}
	var lines [][]string
	s.moved(m, day, func(t *trade, p payment, r *refund) {
		line := []string{"payment", m.ID, m.AppID, t.OutTradeNo, p.ID, "", "", strconv.FormatInt(p.Amount, 10), t.Currency, strconv.FormatInt(p.Fee, 10), statePaid, p.At.In(billZone).Format(time.RFC3339Nano)}
		if r != nil {
			line[0], line[5], line[6], line[7] = "refund", r.No, r.ID, strconv.FormatInt(r.Amount, 10)
			line[9], line[10], line[11] = strconv.FormatInt(-r.Fee, 10), r.State, r.EndsAt.In(billZone).Format(time.RFC3339Nano)
		}
		lines = append(lines, line)
	})
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
