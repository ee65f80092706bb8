package gateway

import (
	"log/slog"
	"regexp"
	"strconv"
	"time"

	"hufu/internal/clock"
	"hufu/internal/fault"
)

// LeastSecret is the fewest bytes of a merchant's secret.
const LeastSecret = 32

// Merchant is a shop that takes payments through the gateway.
type Merchant struct {
	ID        string   // merchant_id on the wire
	AppID     string   // app_id on the wire
	Name      string   // what the cashier page calls the shop
	Secrets   []string // every one signs and verifies, so that a shop can change over at its own time
	Timetable string   // "wechat" or "alipay": when a notice that wasn't taken is sent again; "" is wechat
	FeeBasis  int64    // the gateway's fee in hundredths of a percent of a payment
	Protocol  string   // "" is the gateway's own, which has Secrets; "wechat", "alipay"
	WeChat    WeChat   // the keys, for "wechat"
	Alipay    Alipay   // the keys, for "alipay", where ID is the seller's
}

// Config says how the gateway runs.
type Config struct {
	Listen    string            // address, for Run alone
	File      string            // where transactions are kept; "" keeps them in memory
	Merchants []Merchant        // at least one
	Clock     clock.Clock       // nil is the machine's
	Speed     float64           // timetables and delays pass this many times faster; 0 is 1
	Password  string            // when set, the journal, the faults and the control API ask for it (user "sandbox")
	Log       *slog.Logger      // nil discards
	Ready     func(addr string) // called by Run once connections are accepted
}

// Timetables are the pauses before each repeat of a notice that was not taken, as WeChat Pay
// and Alipay document theirs: 15 repeats in 24 h 4 min, and 7 in 24 h 24 min.
var Timetables = map[string][]time.Duration{
	"wechat": {
		15 * time.Second, 15 * time.Second, 30 * time.Second, 3 * time.Minute, 10 * time.Minute, 20 * time.Minute,
		30 * time.Minute, 30 * time.Minute, 30 * time.Minute, 60 * time.Minute,
		3 * time.Hour, 3 * time.Hour, 3 * time.Hour, 6 * time.Hour, 6 * time.Hour,
	},
	"alipay": {
		4 * time.Minute, 10 * time.Minute, 10 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 15 * time.Hour,
	},
}

var (
	nameForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	orderForm = regexp.MustCompile(`^[A-Za-z0-9_-]{6,32}$`)
)

// ready tells whether a merchant has the keys that its protocol needs.
func (m *Merchant) ready() (bool, error) {
	switch m.Protocol {
	case "":
		strong := len(m.Secrets) > 0
		for _, s := range m.Secrets {
			strong = strong && len(s) >= LeastSecret
		}
		return strong, nil
	case "wechat":
		return true, m.WeChat.parse()
	case "alipay":
		return true, m.Alipay.parse()
	}
	return false, nil
}

func checkMerchants(list []Merchant) (map[string]Merchant, error) {
	if len(list) == 0 {
		return nil, fault.New(fault.Invalid, "sandbox.no_merchant")
	}
	all := make(map[string]Merchant, len(list))
	for _, m := range list {
		ready, err := m.ready()
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "sandbox.merchant_keys", "merchant", m.ID)
		}
		if !ready || !nameForm.MatchString(m.ID) || !nameForm.MatchString(m.AppID) || m.FeeBasis < 0 || m.FeeBasis > 10_000 {
			return nil, fault.New(fault.Invalid, "sandbox.merchant_malformed", "merchant", m.ID, "least", strconv.Itoa(LeastSecret))
		}
		if _, twice := all[m.ID]; twice {
			return nil, fault.New(fault.Invalid, "sandbox.merchant_twice", "merchant", m.ID)
		}
		if m.Timetable == "" {
			m.Timetable = "wechat"
		}
		if Timetables[m.Timetable] == nil {
			return nil, fault.New(fault.Invalid, "sandbox.timetable_unknown", "timetable", m.Timetable)
		}
		if m.Name == "" {
			m.Name = m.ID
		}
		all[m.ID] = m
	}
	return all, nil
}
