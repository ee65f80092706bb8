package main

import (
	"flag"
	"fmt"
	"log/slog"
	"sync"

	"hufu/internal/app"
)

// settings are the flags of commands that work on a store.
type settings struct{ app.Config }

// storeFlags binds the settings that a command needs; its own flags are added by more.
func storeFlags(bind func(*app.Config, *flag.FlagSet), more ...func(f *flag.FlagSet)) func(*env, *flag.FlagSet) {
	return func(e *env, f *flag.FlagSet) {
		s := new(settings)
		bind(&s.Config, f)
		e.values = s
		for _, m := range more {
			m(f)
		}
	}
}

func (e *env) config() app.Config { return e.values.(*settings).Config }

// patient is config for a command that somebody waits for: it says when it waits itself.
func (e *env) patient() app.Config {
	c := e.config()
	c.Waiting = sync.OnceFunc(func() { fmt.Fprintln(e.err, e.lang.T("cli.waiting")) })
	return c
}

// log is the process's own log, on standard error.
func (e *env) log() *slog.Logger {
	c := e.config()
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	opt := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(e.err, opt))
	}
	return slog.New(slog.NewTextHandler(e.err, opt))
}
