package alipay

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"

	"hufu/internal/fault"
	"hufu/internal/paygate"
)

const (
	maxBill   = 1 << 30        // bytes of the archive
	maxDetail = 4 << 30        // bytes of the rows within, unpacked
	billHour  = 12 * time.Hour // after the end of a day its bill is there, or there is none
)

// Bill implements paygate.Biller. The archive is fetched whole and read to its totals before the
// first line is handed on; a day without any movement has no bill and no line.
// paygate.bill_not_ready asks to come again: the bill of a day is made in the next morning.
func (g *Gateway) Bill(ctx context.Context, day time.Time, line func(paygate.BillLine) error) error {
	date := day.In(paygate.Zone).Format(time.DateOnly)
	var w struct {
		URL string `json:"bill_download_url"`
	}
	o, err := g.ask(ctx, "alipay.data.dataservice.bill.downloadurl.query", map[string]string{"bill_type": "trade", "bill_date": date}, &w, "")
	switch {
	case err != nil:
		return err
	case o.Code == codeRefused && o.SubCode == "isp.bill_not_exist":
		begun, err := time.ParseInLocation(time.DateOnly, date, paygate.Zone)
		if err != nil || g.clock.Now().Before(begun.AddDate(0, 0, 1).Add(billHour)) {
			return fault.New(fault.Unavailable, "paygate.bill_not_ready")
		}
		return nil
	case o.Code != codeOK:
		return o.unclear()
	}
	file, err := os.CreateTemp("", "alipay-bill-*")
	if err != nil {
		return fault.Wrap(err, fault.Internal, "internal")
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := g.download(ctx, w.URL, file); err != nil {
		return err
	}
	bad := func(err error) error { return fault.Wrap(err, fault.Unavailable, "paygate.bill_malformed") }
	detail, err := detailOf(file)
	if err != nil {
		return bad(err)
	}
	for _, each := range []func(paygate.BillLine) error{func(paygate.BillLine) error { return nil }, line} {
		rows, err := detail.Open()
		if err != nil {
			return bad(err)
		}
		var refused error
		err = g.readBill(io.LimitReader(rows, maxDetail), func(l paygate.BillLine) error {
			refused = each(l)
			return refused
		})
		rows.Close()
		if refused != nil {
			return refused
		}
		if err != nil {
			return bad(err)
		}
	}
	return nil
}

// download fetches the archive that a signed answer names. The address carries its own right
// for half a minute; nothing of ours goes there.
func (g *Gateway) download(ctx context.Context, address string, into io.Writer) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && !strings.HasPrefix(g.base, "http://") {
		return fault.New(fault.Unavailable, "paygate.answer_mismatch")
	}
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "paygate.answer_malformed")
	}
	req.Header.Set("User-Agent", "hufu")
	a, err := g.client.Download(ctx, req, maxBill, into)
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK {
		return fault.New(fault.Unavailable, "paygate.answer_status", "status", strconv.Itoa(a.Status))
	}
	return nil
}

// detailOf finds the rows of a bill's archive beside their summary. Names are in GBK.
func detailOf(file *os.File) (*zip.File, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(file, info.Size())
	if err != nil {
		return nil, err
	}
	for _, f := range archive.File {
		name := f.Name
		if !utf8.ValidString(name) {
			if name, err = simplifiedchinese.GBK.NewDecoder().String(name); err != nil {
				return nil, err
			}
		}
		if strings.HasSuffix(name, ".csv") && strings.Contains(name, "业务明细") && !strings.Contains(name, "汇总") {
			return f, nil
		}
	}
	return nil, errors.New("the archive has no 业务明细.csv")
}

// The columns of a bill that are read (bill_type trade).
const (
	colTrade    = "支付宝交易号"
	colOrder    = "商户订单号"
	colKind     = "业务类型"
	colDone     = "完成时间"
	colAmount   = "订单金额（元）"
	colRefundNo = "退款批次号/请求号"
	colFee      = "服务费（元）"
)

var (
	billColumns = []string{colTrade, colOrder, colKind, colDone, colAmount, colRefundNo, colFee}
	sumForm     = regexp.MustCompile(`^#(交易|退款)合计：([0-9]+)笔`)
)

// readBill reads a bill to its end and holds it against its own totals. Lines that begin with #
// are Alipay's words; values may be followed by a tab.
func (g *Gateway) readBill(r io.Reader, each func(paygate.BillLine) error) error {
	in := bufio.NewScanner(transform.NewReader(r, simplifiedchinese.GBK.NewDecoder()))
	in.Buffer(make([]byte, 64<<10), 1<<20)
	var at map[string]int
	counts, told, ended := map[paygate.BillKind]int{}, map[paygate.BillKind]int{}, false
	for row := 1; in.Scan(); row++ {
		s := strings.TrimRight(in.Text(), "\r\n")
		switch {
		case strings.ContainsRune(s, utf8.RuneError):
			return fmt.Errorf("row %d is not GBK", row)
		case s == "":
		case strings.HasPrefix(s, "#"):
			ended = ended || strings.Contains(s, "明细列表结束")
			if sum := sumForm.FindStringSubmatch(s); sum != nil {
				n, err := strconv.Atoi(sum[2])
				if err != nil {
					return err
				}
				told[map[string]paygate.BillKind{"交易": paygate.BillPayment, "退款": paygate.BillRefund}[sum[1]]] = n
			}
		case ended:
			return fmt.Errorf("row %d follows the end", row)
		default:
			values := strings.Split(s, ",")
			for i := range values {
				values[i] = strings.Trim(values[i], "\t ")
			}
			if at == nil {
				var err error
				if at, err = headed(values); err != nil {
					return err
				}
				continue
			}
			// A name may hold commas and stands before every column that is read but the first three.
			extra := len(values) - len(at)
			if extra < 0 {
				return fmt.Errorf("row %d has %d values, want %d", row, len(values), len(at))
			}
			l, err := g.readLine(func(name string) string {
				if i := at[name]; i > at[colKind] {
					return values[i+extra]
				} else {
					return values[i]
				}
			})
			if err != nil {
				return fmt.Errorf("row %d: %w", row, err)
			}
			l.Row = row
			counts[l.Kind]++
			if err := each(l); err != nil {
				return err
			}
		}
	}
	if err := in.Err(); err != nil {
		return err
	}
	for _, kind := range []paygate.BillKind{paygate.BillPayment, paygate.BillRefund} {
		if n, ok := told[kind]; !ok || n != counts[kind] || !ended {
			return fmt.Errorf("%d rows of %s are told (%v), there are %d: the bill was cut", n, kind, ok, counts[kind])
		}
	}
	return nil
}

func headed(names []string) (map[string]int, error) {
	at := make(map[string]int, len(names))
	for i, name := range names {
		at[name] = i
	}
	for _, name := range billColumns {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("the heading has no %s", name)
		}
	}
	if len(at) != len(names) || at[colTrade] > at[colKind] || at[colOrder] > at[colKind] || at[colDone] < at[colKind] {
		return nil, errors.New("the heading is in another order")
	}
	return at, nil
}

func (g *Gateway) readLine(col func(string) string) (paygate.BillLine, error) {
	at, err := readStamp(col(colDone))
	if err != nil {
		return paygate.BillLine{}, errors.New("the time is malformed")
	}
	amount, err := readYuan(col(colAmount))
	if err != nil {
		return paygate.BillLine{}, errors.New("the amount is malformed")
	}
	fee, err := readYuan(col(colFee)) // below zero where it is taken
	if err != nil {
		return paygate.BillLine{}, errors.New("the fee is malformed")
	}
	l := paygate.BillLine{MerchantNo: col(colOrder), TxnID: col(colTrade), Account: g.seller, Amount: amount, Fee: fee.Neg(), ProviderState: col(colKind), At: at}
	if !paygate.BilledNo(l.MerchantNo) || !paygate.ValidID(l.TxnID) {
		return paygate.BillLine{}, errors.New("the order's or the trade's number is malformed")
	}
	switch l.ProviderState {
	case "交易":
		l.Kind = paygate.BillPayment
	case "退款":
		l.Kind, l.RefundNo, l.Amount = paygate.BillRefund, col(colRefundNo), amount.Neg()
		if !paygate.BilledNo(l.RefundNo) {
			return paygate.BillLine{}, errors.New("the refund's number is malformed")
		}
	default:
		return paygate.BillLine{}, errors.New("the kind is none that is known")
	}
	if l.Amount.Minor <= 0 {
		return paygate.BillLine{}, errors.New("the amount has the wrong sign")
	}
	return l, nil
}
