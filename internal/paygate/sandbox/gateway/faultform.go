package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// faultField is one switch on the page.
type faultField struct {
	Name    string
	Label   string // key of its message
	Kind    string // "bool", "number", "text", "choice"
	Value   string
	On      bool
	Choices []string
}

// fillFaults puts a merchant's switches on a page.
func (s *Server) fillFaults(v *view, merchant string) {
	f := s.Faults(merchant)
	v.FaultsOn = f.any()
	number := func(name string, x float64) faultField {
		field := faultField{Name: name, Kind: "number"}
		if x != 0 {
			field.Value = strconv.FormatFloat(x, 'f', -1, 64)
		}
		return field
	}
	text := func(name, x string) faultField { return faultField{Name: name, Kind: "text", Value: x} }
	flag := func(name string, x bool) faultField { return faultField{Name: name, Kind: "bool", On: x} }
	choice := func(name, x string, all []string) faultField {
		return faultField{Name: name, Kind: "choice", Value: x, Choices: all}
	}
	v.Fields = []faultField{
		number("copies", float64(f.Copies)), flag("concurrent", f.Concurrent), number("delay_seconds", f.DelaySeconds),
		flag("reorder", f.Reorder), number("lose", float64(f.Lose)), number("amount_delta", float64(f.AmountDelta)),
		text("currency", f.Currency), text("merchant_id", f.MerchantID), text("app_id", f.AppID), text("out_trade_no", f.OutTradeNo),
		text("notify_url", f.NotifyURL), choice("signature", f.Signature, signatures), text("state", f.State),
		flag("pay_twice", f.PayTwice), flag("late_pay", f.LatePay), number("refund_seconds", f.RefundSeconds),
		flag("refund_fails", f.RefundFails), flag("no_funds", f.NoFunds), number("slow_seconds", f.SlowSeconds), choice("bill", f.Bill, billFaults),
	}
	for i := range v.Fields {
		v.Fields[i].Label = "fault." + v.Fields[i].Name
	}
	v.Answers, v.Chances = compact(f.Answers), compact(f.Chances)
	if f.Seed != 0 {
		v.Seed = strconv.FormatUint(f.Seed, 10)
	}
	v.Merchant = s.merchants[merchant]
}

func compact[T any](m map[string]T) string {
	if len(m) == 0 {
		return ""
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return ""
	}
	return string(raw)
}

// readFaults takes the page's fields by the same strict reader as the control API.
func readFaults(r *http.Request) (Faults, error) {
	whole := map[string]json.RawMessage{}
	for name, values := range r.PostForm {
		v := strings.TrimSpace(values[0])
		if v == "" || !(slices.Contains(switchNames, name) || name == "chances" || name == "seed") {
			continue
		}
		switch name {
		case "currency", "merchant_id", "app_id", "out_trade_no", "notify_url", "signature", "state", "bill":
			raw, err := json.Marshal(v)
			if err != nil {
				return Faults{}, err
			}
			whole[name] = raw
		case "concurrent", "reorder", "pay_twice", "late_pay", "refund_fails", "no_funds":
			whole[name] = json.RawMessage("true")
		default:
			if !json.Valid([]byte(v)) {
				return Faults{}, fmt.Errorf("%s: %.60q", name, v)
			}
			whole[name] = json.RawMessage(v)
		}
	}
	raw, err := json.Marshal(whole)
	if err != nil {
		return Faults{}, err
	}
	return ParseFaults(raw)
}

func (s *Server) faultsPage(w http.ResponseWriter, r *http.Request) {
	merchant := r.URL.Query().Get("merchant")
	if _, ok := s.merchants[merchant]; !ok {
		s.problem(w, r, http.StatusNotFound, "not_here")
		return
	}
	v := s.view(r)
	v.Title, v.Action = v.T("faults"), r.URL.RequestURI()
	status := http.StatusOK
	if r.Method == http.MethodPost {
		var f Faults
		err := r.ParseForm()
		if err == nil && r.PostForm.Get("clear") == "" {
			f, err = readFaults(r)
		}
		if err == nil {
			err = s.SetFaults(merchant, f)
		}
		if err != nil {
			v.Problem, status = v.T("faults_bad", "problem", err.Error()), http.StatusBadRequest
		} else {
			v.Note = "faults_saved"
		}
	}
	s.fillFaults(&v, merchant)
	if v.Problem != "" { // what was typed stays, right or wrong
		for i, f := range v.Fields {
			v.Fields[i].Value, v.Fields[i].On = r.PostForm.Get(f.Name), r.PostForm.Get(f.Name) != ""
		}
		v.Answers, v.Chances = r.PostForm.Get("answers"), r.PostForm.Get("chances")
		v.Seed = r.PostForm.Get("seed")
	}
	s.show(w, status, "faults.html", v)
}
