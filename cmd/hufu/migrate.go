package main

import (
	"context"
	"fmt"

	"hufu/internal/app"
)

var _ = register(command{name: "migrate", summary: "migrate", flags: storeFlags(), run: func(ctx context.Context, e *env, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	applied, err := app.Migrate(ctx, e.config())
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
