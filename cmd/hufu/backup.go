package main

import (
	"context"
	"fmt"

	"hufu/internal/app"
)

var _ = register(command{name: "backup", args: "FILE", least: 1, most: 1, summary: "backup", flags: storeFlags((*app.Config).BindStore), run: func(ctx context.Context, e *env, args []string) error {
	size, err := app.Backup(ctx, e.config(), args[0])
	if err != nil {
		return err
	}
	fmt.Fprintln(e.out, e.lang.T("cli.backed_up", "file", args[0], "size", fmt.Sprintf("%.1f MB", float64(size)/1e6)))
	return nil
}})

var _ = register(command{name: "restore", args: "FILE", least: 1, most: 1, summary: "restore", flags: storeFlags((*app.Config).BindStore), run: func(ctx context.Context, e *env, args []string) error {
	if err := app.Restore(ctx, e.config(), args[0]); err != nil {
		return err
	}
	fmt.Fprintln(e.out, e.lang.T("cli.restored", "file", args[0], "store", e.config().Store))
	return nil
}})
