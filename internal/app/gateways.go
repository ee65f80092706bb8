package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"time"

	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/paygate"
	"hufu/internal/paygate/alipay"
	"hufu/internal/paygate/sandbox"
	"hufu/internal/paygate/wechat"
)

// stopper is a gateway that holds something to be let go of.
type stopper interface {
	paygate.Gateway
	Stop()
}

// gateways opens the payment channels that are set up. The sandbox moves no money and takes
// orders at once; any other waits until its keys have passed their self-test.
func (a *App) gateways() error {
	if a.Config.SandboxURL != "" {
		g, err := sandbox.New(sandbox.Config{BaseURL: a.Config.SandboxURL, CashierURL: a.Config.SandboxCashier, MerchantID: a.Config.SandboxMerchant,
			AppID: a.Config.SandboxApp, Secrets: []string{a.Config.SandboxSecret}, Clock: a.Clock})
		if err != nil {
			return err
		}
		a.Flows.Gateways[g.Name()] = g
		a.stop = append(a.stop, g.Stop)
	}
	for _, c := range []struct {
		file, url string
		open      func(file, url string) (stopper, error)
	}{{a.Config.WeChat, a.Config.WeChatURL, a.openWeChat}, {a.Config.Alipay, a.Config.AlipayURL, a.openAlipay}} {
		if c.file == "" {
			continue
		}
		g, err := c.open(c.file, c.url)
		if err != nil {
			if f := fault.From(err); !strings.HasPrefix(f.Code, "config.") {
				return fault.Wrap(err, f.Kind, "config.channel", "file", c.file, "why.zh", i18n.ZH.Fault(f), "why.en", i18n.EN.Fault(f))
			}
			return err
		}
		a.Flows.Withhold(g)
		a.stop = append(a.stop, g.Stop)
	}
	return nil
}

func (a *App) openWeChat(file, url string) (stopper, error) {
	var c wechat.Config
	if err := readChannel(file, &c); err != nil {
		return nil, err
	}
	if url != "" {
		c.BaseURL = url
	}
	c.Clock = a.Clock
	return wechat.New(c)
}

func (a *App) openAlipay(file, url string) (stopper, error) {
	var c alipay.Config
	if err := readChannel(file, &c); err != nil {
		return nil, err
	}
	if url != "" {
		c.BaseURL = url
	}
	c.Clock = a.Clock
	return alipay.New(c)
}

// readChannel reads a channel's keys. What isn't known is refused, since a name misspelt would
// leave a key out.
func readChannel(file string, into any) error {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.Invalid, "config.no_file", "file", file)
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "config.unreadable", "file", file)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "config.unreadable", "file", file)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return fault.New(fault.Invalid, "config.channel_exposed", "file", file, "mode", fmt.Sprintf("%04o", info.Mode().Perm()))
	}
	raw, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "config.unreadable", "file", file)
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fault.Wrap(err, fault.Invalid, "config.channel_form", "file", file, "cause", err.Error())
	}
	return nil
}

// How often the keys of a channel that isn't offered are tested again.
const testAgain = 30 * time.Second

// offerChannels has the keys of channels that failed tested again, until all have passed.
func (a *App) offerChannels(ctx context.Context) {
	tick := time.NewTicker(testAgain)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if a.testChannels(ctx) == 0 {
			return
		}
	}
}

// testChannels gives the number of channels that are still withheld.
func (a *App) testChannels(ctx context.Context) (withheld int) {
	for _, c := range a.Flows.TestChannels(ctx) {
		if c.Offered {
			a.Log.Info("a payment channel passed its self-test and takes orders", "gateway", c.Name, "account", c.Account)
		} else if ctx.Err() == nil {
			withheld++
			a.Log.Error("a payment channel takes no order: its self-test failed", "gateway", c.Name, "account", c.Account, "error", c.Why)
		}
	}
	return withheld
}
