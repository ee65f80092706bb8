package wechat

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hufu/internal/fault"
	"hufu/internal/money"
	"hufu/internal/paygate"
)

// maxBill bounds a day's bill in bytes: about ten million lines.
const maxBill = 4 << 30

// Bill implements paygate.Biller. The file is fetched whole, held against the hash that
// WeChat Pay signed, and read to its totals before the first line is handed on; a day without
// any movement has no bill and no line. paygate.bill_not_ready asks to come again: the bill of
// a day is made at about ten the next morning.
func (g *Gateway) Bill(ctx context.Context, day time.Time, line func(paygate.BillLine) error) error {
	a, err := g.ask(ctx, http.MethodGet, "/v3/bill/tradebill?bill_date="+day.In(paygate.Zone).Format(time.DateOnly)+"&bill_type=ALL", nil)
	if err != nil {
		return err
	}
	if !a.ok() {
		switch e := a.refusal(); e.Code {
		case "NO_STATEMENT_EXIST":
			return nil
		case "STATEMENT_CREATING":
			return fault.New(fault.Unavailable, "paygate.bill_not_ready")
		default:
			return paygate.Unclear(e.Code)
		}
	}
	var where struct {
		HashType    string `json:"hash_type"`
		HashValue   string `json:"hash_value"`
		DownloadURL string `json:"download_url"`
	}
	if err := a.read(&where); err != nil {
		return err
	}
	file, err := os.CreateTemp("", "wechat-bill-*")
	if err != nil {
		return fault.Wrap(err, fault.Internal, "internal")
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if where.HashType != "SHA1" {
		return paygate.Unclear(where.HashType)
	}
	if err := g.download(ctx, where.DownloadURL, where.HashValue, file); err != nil {
		return err
	}
	bad := func(err error) error { return fault.Wrap(err, fault.Unavailable, "paygate.bill_malformed") }
	for _, each := range []func(paygate.BillLine) error{func(paygate.BillLine) error { return nil }, line} {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return fault.Wrap(err, fault.Internal, "internal")
		}
		var refused error
		err := g.readBill(file, func(l paygate.BillLine) error {
			refused = each(l)
			return refused
		})
		if refused != nil {
			return refused
		}
		if err != nil {
			return bad(err)
		}
	}
	return nil
}

// download fetches the file to which a signed answer points. Its own answer isn't signed; the
// hash vouches for it. The address must be WeChat Pay's own, since our signature goes there.
func (g *Gateway) download(ctx context.Context, address, hash string, into io.Writer) error {
	target, ok := strings.CutPrefix(address, g.base+"/")
	u, err := url.Parse(address)
	if !ok || err != nil || u.Fragment != "" {
		return fault.New(fault.Unavailable, "paygate.answer_mismatch")
	}
	req, err := g.request(http.MethodGet, "/"+target, nil)
	if err != nil {
		return err
	}
	sum := sha1.New()
	a, err := g.client.Download(ctx, req, maxBill, io.MultiWriter(into, sum))
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK {
		return fault.New(fault.Unavailable, "paygate.answer_status", "status", strconv.Itoa(a.Status))
	}
	if !strings.EqualFold(hex.EncodeToString(sum.Sum(nil)), hash) {
		return fault.Wrap(errors.New("the hash is another"), fault.Unavailable, "paygate.bill_malformed")
	}
	return nil
}

// The columns of a bill that are read (交易账单, bill_type ALL), and of its totals.
const (
	colTime         = "交易时间"
	colApp          = "公众账号ID"
	colMerchant     = "商户号"
	colTransaction  = "微信订单号"
	colOrder        = "商户订单号"
	colState        = "交易状态"
	colCurrency     = "货币种类"
	colRefundID     = "微信退款单号"
	colRefundNo     = "商户退款单号"
	colRefundState  = "退款状态"
	colFee          = "手续费"
	colOrderAmount  = "订单金额"
	colRefundAmount = "申请退款金额"

	sumCount   = "总交易单数"
	sumOrders  = "订单总金额"
	sumRefunds = "申请退款总金额"
)

var (
	billColumns = []string{colTime, colApp, colMerchant, colTransaction, colOrder, colState, colCurrency, colRefundID, colRefundNo, colRefundState, colFee, colOrderAmount, colRefundAmount}
	sumColumns  = []string{sumCount, sumOrders, sumRefunds}
)

// columns are where things stand in a row, by the words of a heading.
type columns map[string]int

func headed(row string, want []string) (columns, error) {
	c := columns{}
	for i, name := range strings.Split(strings.TrimPrefix(row, "\ufeff"), ",") {
		c[strings.TrimPrefix(strings.TrimSpace(name), "`")] = i
	}
	for _, name := range want {
		if _, ok := c[name]; !ok {
			return nil, fmt.Errorf("the heading has no %s", name)
		}
	}
	return c, nil
}

// fields takes a row apart. Every value begins with a grave accent, which keeps spreadsheets
// from reading numbers; a name may hold commas, so ",`" is what divides.
func fields(row string, want int) ([]string, error) {
	rest, ok := strings.CutPrefix(row, "`")
	if !ok {
		return nil, errors.New("a value without its mark")
	}
	all := strings.Split(rest, ",`")
	if len(all) != want {
		return nil, fmt.Errorf("%d values, want %d", len(all), want)
	}
	return all, nil
}

// readBill reads a bill to its end and holds it against its own totals.
func (g *Gateway) readBill(r io.Reader, each func(paygate.BillLine) error) error {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 64<<10), 1<<20)
	row := 0
	next := func() (string, bool) {
		for in.Scan() {
			row++
			if s := strings.TrimRight(in.Text(), "\r"); s != "" {
				return s, true
			}
		}
		return "", false
	}
	first, ok := next()
	if !ok {
		return errors.Join(errors.New("it is empty"), in.Err())
	}
	head, err := headed(first, billColumns)
	if err != nil {
		return err
	}
	var count, orders, refunds int64
	for {
		s, ok := next()
		if !ok {
			return errors.Join(errors.New("the totals are missing: the bill was cut"), in.Err())
		}
		if !utf8.ValidString(s) {
			return fmt.Errorf("row %d is not UTF-8", row)
		}
		if !strings.HasPrefix(s, "`") {
			sums, err := headed(s, sumColumns)
			if err != nil {
				return err
			}
			last, _ := next()
			values, err := fields(last, len(sums))
			if err != nil {
				return err
			}
			if _, more := next(); more {
				return errors.New("something follows the totals")
			}
			for name, have := range map[string]int64{sumOrders: orders, sumRefunds: refunds} {
				if said, err := fen(values[sums[name]]); err != nil || said != have {
					return fmt.Errorf("%s is %s, the rows add up to %d", name, paygate.Clip(values[sums[name]]), have)
				}
			}
			if values[sums[sumCount]] != strconv.FormatInt(count, 10) {
				return fmt.Errorf("%s rows are told, there are %d", paygate.Clip(values[sums[sumCount]]), count)
			}
			return in.Err()
		}
		values, err := fields(s, len(head))
		if err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
		l, err := g.readLine(func(name string) string { return values[head[name]] })
		if err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
		l.Row = row
		count++
		if l.Kind == paygate.BillPayment {
			orders += l.Amount.Minor
		} else {
			refunds += l.Amount.Minor
		}
		if err := each(l); err != nil {
			return err
		}
	}
}

func (g *Gateway) readLine(col func(string) string) (paygate.BillLine, error) {
	at, err := time.ParseInLocation(time.DateTime, col(colTime), paygate.Zone)
	if err != nil {
		return paygate.BillLine{}, errors.New("the time is malformed")
	}
	currency := col(colCurrency)
	if !paygate.BilledNo(col(colOrder)) || !paygate.ValidID(col(colTransaction)) || !paygate.IsCurrency(currency) {
		return paygate.BillLine{}, errors.New("the order, the transaction or the currency is malformed")
	}
	fee, err := fen(col(colFee))
	if err != nil {
		return paygate.BillLine{}, errors.New("the fee is malformed")
	}
	l := paygate.BillLine{MerchantNo: col(colOrder), TxnID: col(colTransaction), Account: g.account(col(colMerchant), col(colApp)),
		Fee: money.Of(fee, money.Currency(currency)), ProviderState: col(colState), At: at.UTC()}
	amount := col(colOrderAmount)
	switch l.ProviderState {
	case "SUCCESS":
		l.Kind = paygate.BillPayment
	case "REFUND", "REVOKED":
		l.Kind, amount = paygate.BillRefund, col(colRefundAmount)
		l.RefundNo, l.RefundID, l.ProviderState = col(colRefundNo), col(colRefundID), col(colRefundState)
		if !paygate.BilledNo(l.RefundNo) || !paygate.ValidID(l.RefundID) {
			return paygate.BillLine{}, errors.New("the refund's number is malformed")
		}
	default:
		return paygate.BillLine{}, errors.New("the state is none that is known")
	}
	minor, err := fen(amount)
	if err != nil || minor <= 0 {
		return paygate.BillLine{}, errors.New("the amount is malformed")
	}
	l.Amount = money.Of(minor, money.Currency(currency))
	return l, nil
}

// fen reads yuan with up to five decimals, as fees are written, and rounds half away from zero
// to the fen.
func fen(s string) (int64, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, part, _ := strings.Cut(digits, ".")
	if whole == "" || len(whole) > 13 || len(part) > 5 || strings.Trim(whole+part, "0123456789") != "" {
		return 0, errors.New("not an amount")
	}
	n, err := strconv.ParseInt(whole+(part + "00000")[:5], 10, 64)
	if err != nil {
		return 0, err
	}
	n = (n + 500) / 1000
	if negative {
		n = -n
	}
	return n, nil
}
