package main

import (
	"flag"
	"log/slog"

	"hufu/internal/app"
)

// settings are the flags of commands that work on a store.
type settings struct{ app.Config }

// storeFlags binds the settings; a command's own flags may be added by more.
func storeFlags(more ...func(f *flag.FlagSet)) func(*env, *flag.FlagSet) {
	return func(e *env, f *flag.FlagSet) {
		s := new(settings)
		s.Bind(f)
		e.values = s
		for _, m := range more {
			m(f)
		}
	}
}

func (e *env) config() app.Config { return e.values.(*settings).Config }

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
