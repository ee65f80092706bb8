package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"hufu/internal/app"
	"hufu/internal/paygate/sandbox/gateway"
)

// maxSpeed lets the days of a timetable pass in a few milliseconds.
const maxSpeed = 1_000_000_000

type sandboxFlags struct {
	listen, file, merchant, app, secret, timetable, password, channels string
	speed                                                              float64
}

var _ = register(command{name: "sandbox", summary: "sandbox",
	flags: func(e *env, f *flag.FlagSet) {
		s := new(sandboxFlags)
		e.values = s
		f.StringVar(&s.listen, "listen", "127.0.0.1:8090", "flag.listen.sandbox")
		f.StringVar(&s.file, "file", "", "flag.file")
		f.StringVar(&s.merchant, "merchant", app.SandboxMerchant, "flag.merchant")
		f.StringVar(&s.app, "app", app.SandboxApp, "flag.app")
		f.StringVar(&s.secret, "secret", "", "flag.secret")
		f.StringVar(&s.timetable, "timetable", "wechat", "flag.timetable")
		f.StringVar(&s.password, "password", "", "flag.password")
		f.StringVar(&s.channels, "channels", "", "flag.channels")
		f.Float64Var(&s.speed, "speed", 1, "flag.speed")
	},
	run: func(ctx context.Context, e *env, _ []string) error {
		s := e.values.(*sandboxFlags)
		if !(s.speed > 0 && s.speed <= maxSpeed) { // so that no number at all is refused too
			return refuse("cli.speed", "max", strconv.Itoa(maxSpeed))
		}
		if v, ok := e.lookup("HUFU_SANDBOX_SECRET"); ok && s.secret == "" {
			s.secret = v
		}
		var merchants []gateway.Merchant
		if s.secret != "" || s.channels == "" { // with channels the gateway's own protocol needn't be spoken
			merchants = []gateway.Merchant{{ID: s.merchant, AppID: s.app, Name: "Hufu 虎符", Secrets: []string{s.secret}, Timetable: s.timetable}}
		}
		if s.channels != "" {
			channels, err := gateway.OpenChannels(s.channels, time.Now())
			if err != nil {
				return err
			}
			merchants = append(merchants, channels...)
		}
		return gateway.Run(ctx, gateway.Config{Listen: s.listen, File: s.file, Speed: s.speed, Password: s.password, Log: slog.New(slog.NewTextHandler(e.err, nil)),
			Merchants: merchants,
			Ready:     func(addr string) { fmt.Fprintln(e.out, e.lang.T("cli.sandbox_serving", "address", "http://"+addr)) }})
	}})
