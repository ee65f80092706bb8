package gateway

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

const alipayHead = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）," +
	"支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\r\n"

// alipayBill makes the bill of a day, which is there from nine in the morning of the next.
func (s *Server) alipayBill(m Merchant, q request, now time.Time, f Faults) reply {
	day, err := time.ParseInLocation(time.DateOnly, q.Day, billZone)
	if err != nil {
		return refusal("INVALID", "bill_date is malformed")
	}
	if now.Before(day.AddDate(0, 0, 1).Add(9 * time.Hour)) {
		return refusal("NOT_READY", "the bill is being made")
	}
	rows, payments, refunds := s.alipayRows(m, day, f)
	if rows == "" {
		return refusal("NOT_FOUND", "nothing moved on that day")
	}
	date := day.Format("2006年01月02日 15:04:05")
	text := "#支付宝业务明细查询\r\n#账号：[" + m.ID + "]\r\n#起始日期：[" + date + "]   终止日期：[" + day.AddDate(0, 0, 1).Format("2006年01月02日 15:04:05") + "]\r\n" +
		"#-----------------------------------------业务明细列表----------------------------------------\r\n" + alipayHead + rows
	if f.Bill != "cut" {
		text += "#-----------------------------------------业务明细列表结束------------------------------------\r\n" +
			fmt.Sprintf("#交易合计：%d笔，商家实收共0.00元，商家优惠共0.00元\r\n#退款合计：%d笔，商家实收退款共0.00元，商家优惠退款共0.00元\r\n", payments, refunds) +
			"#导出时间：[" + now.In(billZone).Format("2006年01月02日 15:04:05") + "]\r\n"
	}
	body, err := alipayArchive(m.ID+"_"+day.Format("20060102"), text, f.Bill == "gbk")
	if err != nil {
		return errWrite
	}
	return reply{Code: "OK", prepay: s.keepFile(m, body, now)}
}

func (s *Server) alipayRows(m Merchant, day time.Time, f Faults) (text string, payments, refunds int) {
	var rows []string
	add := func(t *trade, p payment, r *refund) {
		at, kind, amount, fee, no := p.At, "交易", p.Amount, -p.Fee, ""
		if r != nil {
			at, kind, amount, fee, no = r.EndsAt, "退款", -r.Amount, r.Fee, r.No
		}
		if f.Bill == "amount" && len(rows) == 0 {
			amount *= 10
		}
		cell := func(s string) string { return s + "\t" }
		rows = append(rows, strings.Join([]string{cell(p.ID), cell(t.OutTradeNo), kind, cell(t.Subject), t.OpenedAt.In(billZone).Format(alipayStamp), at.In(billZone).Format(alipayStamp), "", "", "", "",
			cell("买家(***)"), yuan(amount), yuan(amount), "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00", "0.00", cell(no), yuan(fee), "0.00", cell("")}, ",")+"\r\n")
	}
	s.moved(m, day, add)
	switch {
	case f.Bill == "extra":
		add(&trade{OutTradeNo: "nobody-knows-this", Subject: "x", OpenedAt: day}, payment{ID: token("sb"), Amount: 100, Fee: 1, At: day}, nil)
	case f.Bill == "missing" && len(rows) > 0:
		rows = rows[1:]
	}
	for _, row := range rows {
		if strings.Contains(row, ",退款,") {
			refunds++
		} else {
			payments++
		}
	}
	return strings.Join(rows, ""), payments, refunds
}

// alipayArchive packs a bill as Alipay does, names and rows in GBK, beside a summary.
func alipayArchive(name, text string, broken bool) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range []struct{ name, text string }{{name + "_业务明细(汇总).csv", "#支付宝业务汇总查询\r\n"}, {name + "_业务明细.csv", text}} {
		title, err := simplifiedchinese.GBK.NewEncoder().String(f.name)
		if err != nil {
			return nil, err
		}
		rows, err := simplifiedchinese.GBK.NewEncoder().String(f.text)
		if err != nil {
			return nil, err
		}
		if broken {
			rows = strings.Replace(rows, ",", ",\xff", 1)
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: title, NonUTF8: true, Method: zip.Deflate})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(rows)); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}

// alipayFile hands out a bill to whoever has its address, as Alipay does.
func (s *Server) alipayFile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	one, ok := s.files[r.URL.Query().Get("token")]
	s.mu.Unlock()
	if !ok || s.clock.Now().Sub(one.at) > fileLife {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Write(one.body)
}
