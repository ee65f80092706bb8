package main

import (
	"context"
	"flag"
	"fmt"

	"hufu/internal/app"
)

var _ = register(command{name: "worker", summary: "worker", flags: storeFlags(workerFlags), run: func(ctx context.Context, e *env, _ []string) error {
	a, err := app.Open(ctx, e.config(), e.log())
	if err != nil {
		return err
	}
	defer a.Close()
	fmt.Fprintln(e.out, e.lang.T("cli.working"))
	a.Work(ctx)
	return nil
}})

// workerFlags are those of a process that serves nobody, but writes links to the shop and
// calls the gateways.
func workerFlags(c *app.Config, f *flag.FlagSet) {
	c.BindOpen(f)
	c.BindAddress(f)
	c.BindGateways(f)
}
