package gateway

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"hufu/internal/fault"
)

// OpenChannels gives the merchants who speak the real channels' protocols, from a folder. For
// each channel it has two files, and makes them when they are missing: wechat.json and
// alipay.json are what the shop is set up with, those named .gateway.json the gateway's own half.
func OpenChannels(dir string, now time.Time) ([]Merchant, error) {
	unusable := func(err error) error { return fault.Wrap(err, fault.Invalid, "sandbox.channels", "folder", dir) }
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unusable(err)
	}
	var all []Merchant
	for _, c := range []struct {
		name string
		draw func(now time.Time) (Merchant, any, error)
	}{{"wechat", drawWeChat}, {"alipay", drawAlipay}} {
		file := filepath.Join(dir, c.name+".gateway.json")
		raw, err := os.ReadFile(file)
		var m Merchant
		switch {
		case errors.Is(err, fs.ErrNotExist):
			var shop any
			if m, shop, err = c.draw(now); err != nil {
				return nil, unusable(err)
			}
			// The shop's half goes first: with the gateway's there, both are.
			for _, f := range []struct {
				name string
				half any
			}{{filepath.Join(dir, c.name+".json"), shop}, {file, m}} {
				if err := writeJSON(f.name, f.half); err != nil {
					return nil, unusable(err)
				}
			}
		case err != nil:
			return nil, unusable(err)
		default:
			if err := json.Unmarshal(raw, &m); err != nil {
				return nil, unusable(err)
			}
		}
		all = append(all, m)
	}
	return all, nil
}

func writeJSON(file string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(raw, '\n'), 0o600)
}

func drawWeChat(now time.Time) (Merchant, any, error) {
	const id, app = "1900000109", "wx8888888888888888"
	keys, shop, err := NewWeChat(id, app, true, now)
	return Merchant{ID: id, AppID: app, Name: "虎符影视会员", Timetable: "wechat", FeeBasis: 60, Protocol: "wechat", WeChat: keys}, shop, err
}

func drawAlipay(time.Time) (Merchant, any, error) {
	const id, app = "2088102147948060", "2021000117650001"
	keys, shop, err := NewAlipay(id, app)
	return Merchant{ID: id, AppID: app, Name: "虎符影视会员", Timetable: "alipay", FeeBasis: 60, Protocol: "alipay", Alipay: keys}, shop, err
}
