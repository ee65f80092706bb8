package main

import (
	"context"
	"fmt"

	"hufu/internal/app"
)

var _ = register(command{name: "migrate", summary: "migrate", flags: storeFlags((*app.Config).BindStore), run: func(ctx context.Context, e *env, _ []string) error {
	applied, err := app.Migrate(ctx, e.patient())
	if err != nil {
		return err
	}
	if len(applied) == 0 {
		fmt.Fprintln(e.out, e.lang.T("cli.migrated_none"))
		return nil
	}
	fmt.Fprintln(e.out, e.lang.T("cli.migrated", "versions", fmt.Sprint(applied)))
	return nil
}})
