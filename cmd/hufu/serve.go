package main

import (
	"context"
	"fmt"

	"hufu/internal/app"
)

var _ = register(command{name: "serve", summary: "serve", flags: storeFlags((*app.Config).Bind), run: func(ctx context.Context, e *env, _ []string) error {
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
