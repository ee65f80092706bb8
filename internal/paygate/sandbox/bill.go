package sandbox

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"hufu/internal/fault"
	"hufu/internal/paygate"
)

// maxBill bounds a day's bill in bytes: about a quarter of a million lines.
const maxBill = 32 << 20

var billHead = []string{"type", "merchant_id", "app_id", "out_trade_no", "transaction_id", "refund_no", "refund_id", "amount", "currency", "fee", "state", "time"}

// Bill implements paygate.Biller. The whole bill is verified and read before the first line is
// handed on; its last row says how many lines there must be, so a cut one is noticed.
func (g *Gateway) Bill(ctx context.Context, day time.Time, line func(paygate.BillLine) error) error {
	a, err := g.post(ctx, "/v1/bill", call{Day: day.In(paygate.Zone).Format(time.DateOnly)}, maxBill)
	if err != nil {
		return err
	}
	lines, err := readBill(a.Body)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "paygate.bill_malformed")
	}
	for _, l := range lines {
		if err := line(l); err != nil {
			return err
		}
	}
	return nil
}

func readBill(body []byte) ([]paygate.BillLine, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("not UTF-8")
	}
	r := csv.NewReader(bytes.NewReader(body))
	r.FieldsPerRecord = len(billHead)
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		return nil, err
	}
	if !slices.Equal(head, billHead) {
		return nil, errors.New("the heading is another")
	}
	var lines []paygate.BillLine
	for row := 2; ; row++ {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the closing row is missing: the bill was cut")
		}
		if err != nil {
			return nil, err
		}
		if rec[0] == "total" {
			if rec[7] != strconv.Itoa(len(lines)) {
				return nil, fmt.Errorf("the closing row counts %.12q lines, there are %d", rec[7], len(lines))
			}
			if _, err := r.Read(); !errors.Is(err, io.EOF) {
				return nil, errors.New("something follows the closing row")
			}
			return lines, nil
		}
		l, err := readLine(rec)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", row, err)
		}
		l.Row = row
		lines = append(lines, l)
	}
}

func readLine(rec []string) (paygate.BillLine, error) {
	minor, err := strconv.ParseInt(rec[7], 10, 64)
	if err != nil || minor <= 0 {
		return paygate.BillLine{}, errors.New("amount is malformed")
	}
	fee, err := strconv.ParseInt(rec[9], 10, 64)
	if err != nil {
		return paygate.BillLine{}, errors.New("fee is malformed")
	}
	at, err := time.Parse(time.RFC3339Nano, rec[11])
	if err != nil {
		return paygate.BillLine{}, errors.New("time is malformed")
	}
	if !paygate.ValidNo(rec[3]) || !paygate.ValidID(rec[4]) || !paygate.IsCurrency(rec[8]) {
		return paygate.BillLine{}, errors.New("out_trade_no, transaction_id or currency is malformed")
	}
	l := paygate.BillLine{
		Kind: paygate.BillKind(rec[0]), Account: account(rec[1], rec[2]), MerchantNo: rec[3], TxnID: rec[4],
		RefundNo: rec[5], RefundID: rec[6], Amount: amount(minor, rec[8]), Fee: amount(fee, rec[8]), ProviderState: rec[10], At: at.UTC(),
	}
	switch {
	case l.Kind == paygate.BillPayment && l.RefundNo == "":
	case l.Kind == paygate.BillRefund && paygate.ValidNo(l.RefundNo):
	default:
		return paygate.BillLine{}, errors.New("type or refund_no is malformed")
	}
	return l, nil
}
