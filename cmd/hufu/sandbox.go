package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"

	"hufu/internal/paygate/sandbox/gateway"
)

type sandboxFlags struct {
	listen, file, merchant, app, secret, timetable, password string
	speed                                                    float64
}

var _ = register(command{name: "sandbox", summary: "sandbox",
	flags: func(e *env, f *flag.FlagSet) {
		s := new(sandboxFlags)
		e.values = s
		f.StringVar(&s.listen, "listen", "127.0.0.1:8090", "address of the gateway")
		f.StringVar(&s.file, "file", "", "file that keeps the transactions; empty keeps them in memory")
		f.StringVar(&s.merchant, "merchant", "hufu", "id of the merchant")
		f.StringVar(&s.app, "app", "shop", "id of the merchant's application")
		f.StringVar(&s.secret, "secret", "", "secret shared with the merchant, 32 bytes or more (or HUFU_SANDBOX_SECRET)")
		f.StringVar(&s.timetable, "timetable", "wechat", "when a notice that wasn't taken is sent again: wechat or alipay")
		f.StringVar(&s.password, "password", "", "password for the journal and the fault switches (user: sandbox)")
		f.Float64Var(&s.speed, "speed", 1, "how many times faster timetables and delays pass")
	},
	run: func(ctx context.Context, e *env, args []string) error {
		s := e.values.(*sandboxFlags)
		if len(args) > 0 {
			return errUsage
		}
		if v, ok := e.lookup("HUFU_SANDBOX_SECRET"); ok && s.secret == "" {
			s.secret = v
		}
		return gateway.Run(ctx, gateway.Config{Listen: s.listen, File: s.file, Speed: s.speed, Password: s.password, Log: slog.New(slog.NewTextHandler(e.err, nil)),
			Merchants: []gateway.Merchant{{ID: s.merchant, AppID: s.app, Name: "Hufu 虎符", Secrets: []string{s.secret}, Timetable: s.timetable}},
			Ready:     func(addr string) { fmt.Fprintln(e.out, e.lang.T("cli.sandbox_serving", "address", "http://"+addr)) }})
	}})
