package main

import (
	"context"
	"flag"
	"strings"
)

var _ = register(command{name: "help", args: "[COMMAND]", summary: "help", run: func(_ context.Context, e *env, args []string) error {
	if len(args) == 0 {
		usage(e.out, e.lang)
		return nil
	}
	c, _, ok := find(args)
	if !ok {
		return errUsage
	}
	f := flag.NewFlagSet("hufu "+strings.Join(args, " "), flag.ContinueOnError)
	if c.flags != nil {
		c.flags(e, f)
	}
	explain(e.out, e.lang, c, f)
	return nil
}})
