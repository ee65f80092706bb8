package gateway

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// madeFile is a bill that was asked for and waits to be fetched.
type madeFile struct {
	merchant string
	body     []byte
	at       time.Time
}

// fileLife is for how long a file can be fetched.
const fileLife = 5 * time.Minute

const (
	wechatHead = "\ufeff交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额," +
		"微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n"
	wechatSums = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n"
)

// wechatBill makes the bill of a day, which is there from ten in the morning of the next.
func (s *Server) wechatBill(m Merchant, q request, now time.Time, f Faults) reply {
	day, err := time.ParseInLocation(time.DateOnly, q.Day, billZone)
	if err != nil || !day.AddDate(0, 0, 1).Before(now) {
		return refusal("INVALID", "bill_date is malformed or not over")
	}
	if now.Before(day.AddDate(0, 0, 1).Add(10 * time.Hour)) {
		return refusal("NOT_READY", "the bill is being made")
	}
	body := s.wechatRows(m, day, f)
	if body == nil {
		return refusal("NOT_FOUND", "nothing moved on that day")
	}
	sum := sha1.Sum(body)
	return reply{Code: "OK", prepay: s.keepFile(m, body, now), TransactionID: hex.EncodeToString(sum[:])}
}

// keepFile keeps a bill until it is fetched, and gives the name to fetch it by.
func (s *Server) keepFile(m Merchant, body []byte, now time.Time) string {
	for name, one := range s.files {
		if now.Sub(one.at) > fileLife {
			delete(s.files, name)
		}
	}
	name := token("")
	s.files[name] = madeFile{m.ID, body, now}
	return name
}

// billed is a row with what it adds to the totals.
type billed struct {
	row                  []string
	order, refunded, fee int64
}

func (s *Server) wechatRows(m Merchant, day time.Time, f Faults) []byte {
	var rows []billed
	add := func(t *trade, p payment, r *refund) {
		at := p.At
		if r != nil {
			at = r.EndsAt
		}
		one := billed{order: p.Amount, fee: p.Fee}
		if f.Bill == "amount" && len(rows) == 0 {
			one.order *= 10
		}
		state, refundID, refundNo, how, done := "SUCCESS", "0", "0", "", ""
		if r != nil {
			one = billed{refunded: r.Amount, fee: -r.Fee}
			state, refundID, refundNo, how, done = "REFUND", r.ID, r.No, "ORIGINAL", "SUCCESS"
		}
		one.row = []string{at.In(billZone).Format(time.DateTime), m.AppID, m.ID, "0", "", p.ID, t.OutTradeNo, p.Payer, tradeTypes[t.Product], state, "OTHERS", t.Currency,
			yuan(one.order), "0.00", refundID, refundNo, yuan(one.refunded), "0.00", how, done, t.Subject, "", fee5(one.fee),
			fmt.Sprintf("%.2f%%", float64(m.FeeBasis)/100), yuan(one.order), yuan(one.refunded), ""}
		rows = append(rows, one)
	}
	s.moved(m, day, add)
	switch {
	case f.Bill == "extra":
		add(&trade{OutTradeNo: "nobody-knows-this", Product: "native", Currency: "CNY", Subject: "x"}, payment{ID: token("sb"), Amount: 100, Fee: 1, At: day}, nil)
	case f.Bill == "missing" && len(rows) > 0:
		rows = rows[1:]
	}
	if len(rows) == 0 {
		return nil
	}
	var b bytes.Buffer
	var orders, refunds, fees int64
	b.WriteString(wechatHead)
	for _, one := range rows {
		b.WriteString("`" + strings.Join(one.row, ",`") + "\r\n")
		orders, refunds, fees = orders+one.order, refunds+one.refunded, fees+one.fee
	}
	if f.Bill == "gbk" {
		b.WriteString("`\xba\xcf\xbc\xc6\r\n")
	}
	if f.Bill != "cut" {
		b.WriteString(wechatSums)
		b.WriteString("`" + strings.Join([]string{fmt.Sprint(len(rows)), yuan(orders), yuan(refunds), "0.00", fee5(fees), yuan(orders), yuan(refunds)}, ",`") + "\r\n")
	}
	return b.Bytes()
}

// fetchFile hands out a bill to whom it was made for.
func (s *Server) fetchFile(m Merchant, q request, now time.Time, _ Faults) reply {
	one, ok := s.files[q.File]
	if !ok || one.merchant != m.ID || now.Sub(one.at) > fileLife {
		return refusal("NOT_FOUND", "no such file")
	}
	return reply{Code: "OK", csv: one.body}
}

func yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d", sign, fen/100, fen%100)
}

// fee5 writes a fee, which bills tell with five decimals.
func fee5(fen int64) string { return yuan(fen) + "000" }
