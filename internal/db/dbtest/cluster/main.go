// Command cluster runs another command with a PostgreSQL cluster of its own, named to it by
// HUFU_TEST_POSTGRES, so that many test binaries share one. A cluster that the variable
// names already is used as it is.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"hufu/internal/db/dbtest"
)

func main() { os.Exit(run()) }

func run() int {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: cluster COMMAND [ARGUMENT...]")
		return 2
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[1], os.Args[2:]...)
	c.Stdin, c.Stdout, c.Stderr, c.Env = os.Stdin, os.Stdout, os.Stderr, os.Environ()
	if os.Getenv("HUFU_TEST_POSTGRES") == "" {
		dsn, stop, err := dbtest.StartCluster(ctx)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer stop()
		c.Env = append(c.Env, "HUFU_TEST_POSTGRES="+dsn)
	}
	err := c.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
