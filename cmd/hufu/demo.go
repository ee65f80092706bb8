package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"hufu/internal/app"
	"hufu/internal/paygate/sandbox/gateway"
)

type demoFlags struct {
	app.Config    // of which its address is told
	data, sandbox string
}

var _ = register(command{name: "demo", summary: "demo",
	flags: func(e *env, f *flag.FlagSet) {
		d := new(demoFlags)
		e.values = d
		d.BindAddress(f)
		f.StringVar(&d.data, "data", "hufu-demo", "flag.data")
		f.StringVar(&d.sandbox, "sandbox-listen", "", "flag.sandbox-listen")
	},
	run: func(ctx context.Context, e *env, _ []string) error {
		return e.values.(*demoFlags).run(ctx, e)
	}})

func (d *demoFlags) run(ctx context.Context, e *env) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	_, port, err := net.SplitHostPort(d.Listen)
	if err != nil {
		return refuse("listen.address", "address", d.Listen)
	}
	listener, err := app.Listen(d.Listen) // before anything is made that would be in vain
	if err != nil {
		return err
	}
	defer listener.Close()
	if port == "0" {
		d.Listen = listener.Addr().String()
	}
	secret, err := app.PrepareFolder(d.data, began)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(e.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	keys := filepath.Join(d.data, "channels")
	channels, err := gateway.OpenChannels(keys, began)
	if err != nil {
		return err
	}
	cashier, failed, err := d.startSandbox(ctx, secret, channels, log)
	if err != nil {
		return err
	}
	var s settings
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	s.Bind(flags)
	if _, err := s.Load(flags, []string{"-store", "sqlite:" + filepath.Join(d.data, "hufu.db"), "-key-file", filepath.Join(d.data, "hufu.keys"), "-listen", d.Listen,
		"-public-url", d.PublicURL, "-sandbox-url", cashier, "-sandbox-secret", secret,
		"-wechat", filepath.Join(keys, "wechat.json"), "-wechat-url", cashier, "-alipay", filepath.Join(keys, "alipay.json"), "-alipay-url", cashier}, func(string) (string, bool) { return "", false }); err != nil {
		return err
	}
	if _, err := app.Migrate(ctx, s.Config); err != nil {
		return err
	}
	a, err := app.Open(ctx, s.Config, log)
	if err != nil {
		return err
	}
	defer a.Close()
	b, codes := newBar(e, "cli.demo_codes"), 0
	if err := a.OpenDemo(ctx, d.data, func(step string, n int) {
		if step == "codes" {
			codes += n
			b.at(int64(codes), app.DemoCodes)
		}
	}); err != nil {
		return err
	}
	b.end()
	setUp, err := a.SetUpAddress(ctx)
	if err != nil {
		return err
	}
	go func() {
		if err := <-failed; err != nil && ctx.Err() == nil {
			log.Error("the sandbox gateway ended", "error", err)
			cancel()
		}
	}()
	return a.ServeOn(ctx, listener, func(string) {
		signIn := e.lang.T("cli.demo_sign_in", "address", a.Config.PublicURL+"/console")
		if setUp != "" {
			signIn = e.lang.T("cli.demo_set_up", "address", setUp)
		}
		fmt.Fprintln(e.out, e.lang.T("cli.demo_ready", "shop", a.Config.PublicURL, "sign_in", signIn, "sandbox", cashier, "data", d.data,
			"seconds", fmt.Sprintf("%.1f", time.Since(began).Seconds())))
	})
}

// startSandbox starts the gateway beside the shop, on the port after the shop's or, when
// that is taken, on a free one. It returns once the gateway accepts connections.
func (d *demoFlags) startSandbox(ctx context.Context, secret string, channels []gateway.Merchant, log *slog.Logger) (url string, failed <-chan error, err error) {
	host, port, err := net.SplitHostPort(d.Listen)
	if err != nil {
		return "", nil, err
	}
	tries := []string{d.sandbox}
	if d.sandbox == "" {
		tries = []string{net.JoinHostPort(host, "0")}
		if n, err := strconv.Atoi(port); err == nil && n > 0 && n < 65535 {
			tries = append([]string{net.JoinHostPort(host, strconv.Itoa(n+1))}, tries...)
		}
	}
	merchants := append([]gateway.Merchant{{ID: app.SandboxMerchant, AppID: app.SandboxApp, Name: "虎符影视会员", Secrets: []string{secret}, Timetable: "wechat", FeeBasis: 60}}, channels...)
	var errs []error
	for _, listen := range tries {
		ready, ended := make(chan string, 1), make(chan error, 1)
		go func() {
			ended <- gateway.Run(ctx, gateway.Config{Listen: listen, File: filepath.Join(d.data, "sandbox.jsonl"), Log: log,
				Merchants: merchants,
				Ready:     func(addr string) { ready <- addr }})
		}()
		select {
		case addr := <-ready:
			return "http://" + addr, ended, nil
		case err := <-ended:
			errs = append(errs, err)
		}
	}
	return "", nil, errors.Join(errs...)
}
