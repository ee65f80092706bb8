package main

import (
	"context"
	"flag"
	"strings"
)

var _ = register(command{name: "help", args: "[COMMAND]", most: 2, summary: "help", run: func(_ context.Context, e *env, args []string) error {
	if len(args) == 0 {
		usage(e.out, e.lang)
		return nil
	}
	if c, rest, ok := find(args); ok && (len(rest) == 0 || c.args != "") { // "admin invite" is explained with "admin"
		f := flag.NewFlagSet("hufu "+c.name, flag.ContinueOnError)
		if c.flags != nil {
			c.flags(e, f)
		}
		explain(e.out, e.lang, c, f)
		return nil
	}
	if names := group(args[0]); len(names) > 0 && len(args) == 1 {
		list(e.out, e.lang, names)
		return nil
	}
	return refuse("cli.unknown", "name", strings.Join(args, " "))
}})
