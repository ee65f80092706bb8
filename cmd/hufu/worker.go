package main

import (
	"context"
	"fmt"

	"hufu/internal/app"
)

var _ = register(command{name: "worker", summary: "worker", flags: storeFlags(), run: func(ctx context.Context, e *env, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	a, err := app.Open(ctx, e.config(), e.log())
	if err != nil {
		return err
	}
	defer a.Close()
	fmt.Fprintln(e.out, e.lang.T("cli.working"))
	a.Work(ctx)
	return nil
}})
