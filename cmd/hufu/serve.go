package main

import (
	"context"
	"fmt"

	"hufu/internal/app"
)

var _ = register(command{name: "serve", summary: "serve", flags: storeFlags(), run: func(ctx context.Context, e *env, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	a, err := app.Open(ctx, e.config(), e.log())
	if err != nil {
		return err
	}
	defer a.Close()
	setUp, err := a.SetUpAddress(ctx)
	if err != nil {
		return err
	}
	return a.Serve(ctx, func(addr string) {
		fmt.Fprintln(e.out, e.lang.T("cli.serving", "address", "http://"+addr))
		if setUp != "" {
			fmt.Fprintln(e.out, e.lang.T("cli.set_up", "address", setUp))
		}
	})
}})
