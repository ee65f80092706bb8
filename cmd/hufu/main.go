// Hufu sells, delivers and redeems digital entitlements. A file here is one subcommand.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"hufu/internal/fault"
	"hufu/internal/i18n"
)

// command is one subcommand. Each registers itself in its file. The usage of its flags is
// the key of a message.
type command struct {
	name    string // "serve", or two words: "import codes"
	args    string // what follows the flags: "FILE"
	summary string // message key of the line in `hufu help`
	flags   func(e *env, f *flag.FlagSet)
	run     func(ctx context.Context, e *env, args []string) error
}

// env is where a command runs: its streams, its environment, and the settings its flags
// were parsed into.
type env struct {
	stdin    io.Reader
	out, err io.Writer
	lookup   func(string) (string, bool)
	lang     i18n.Lang
	values   any // what the command's flags function bound
}

var commands = map[string]command{}

func register(c command) struct{} {
	commands[c.name] = c
	return struct{}{}
}

// errUsage ends a command whose line was wrong and has been explained.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Memory is cheap beside the processor here: a heap of some tens of MB may double twice
	// before it is collected. GOGC, when set, still has the word.
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(300)
	}
	e := &env{stdin: os.Stdin, out: os.Stdout, err: os.Stderr, lookup: os.LookupEnv, lang: terminalLang(os.LookupEnv)}
	os.Exit(run(ctx, e, os.Args[1:]))
}

// terminalLang is the language of the person at the terminal: HUFU_LANG, else the locale.
func terminalLang(env func(string) (string, bool)) i18n.Lang {
	for _, name := range []string{"HUFU_LANG", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if v, ok := env(name); ok && v != "" {
			if strings.HasPrefix(strings.ToLower(v), "zh") {
				return i18n.ZH
			}
			return i18n.EN
		}
	}
	return i18n.EN
}

// run carries out a command line and returns the exit status: 0 done, 1 failed, 2 not
// understood.
func run(ctx context.Context, e *env, args []string) int {
	c, rest, ok := find(args)
	if !ok {
		if len(args) > 0 {
			fmt.Fprintln(e.err, e.lang.T("cli.unknown", "name", strings.Join(args[:min(2, len(args))], " ")))
		}
		usage(e.err, e.lang)
		return 2
	}
	f := flag.NewFlagSet("hufu "+c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	if c.flags != nil {
		c.flags(e, f)
	}
	rest, err := load(e, f, rest)
	if errors.Is(err, flag.ErrHelp) {
		explain(e.out, e.lang, c, f)
		return 0
	}
	if err != nil {
		if _, ok := errors.AsType[*fault.Error](err); ok {
			fmt.Fprintln(e.err, "hufu:", tell(e.lang, err))
			return 2
		}
		fmt.Fprintln(e.err, "hufu:", e.lang.T("cli.flag", "problem", err.Error()))
		explain(e.err, e.lang, c, f)
		return 2
	}
	switch err := c.run(ctx, e, rest); {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		explain(e.err, e.lang, c, f)
		return 2
	case errors.Is(err, errFailed):
		return 1
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return 0
	default:
		fmt.Fprintln(e.err, "hufu:", tell(e.lang, err))
		return 1
	}
}

// errFailed ends a command that has said itself what is wrong, with status 1.
var errFailed = errors.New("failed")

// load parses a command's flags. Commands that work on a store take their settings from
// the environment and the configuration file as well.
func load(e *env, f *flag.FlagSet, args []string) ([]string, error) {
	if s, ok := e.values.(*settings); ok {
		return s.Load(f, args, e.lookup)
	}
	err := f.Parse(args)
	return f.Args(), err
}

// tell says in a language what went wrong, with the cause for whoever runs the program.
func tell(lang i18n.Lang, err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err.Error()
	}
	text := lang.Fault(f)
	for _, field := range f.Fields {
		text += "\n  " + field.Path + ": " + lang.Field(field)
	}
	if cause := f.Unwrap(); cause != nil {
		text += "\n  (" + cause.Error() + ")"
	}
	return text
}

// find looks for a command of two words first, then of one.
func find(args []string) (command, []string, bool) {
	for n := min(2, len(args)); n > 0; n-- {
		if c, ok := commands[strings.Join(args[:n], " ")]; ok {
			return c, args[n:], true
		}
	}
	return command{}, nil, false
}

func usage(w io.Writer, lang i18n.Lang) {
	fmt.Fprintln(w, lang.T("cli.usage"))
	fmt.Fprintln(w)
	names := make([]string, 0, len(commands))
	for name := range commands {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(w, "  hufu %-18s %s\n", name, lang.T("cli."+commands[name].summary))
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, lang.T("cli.more"))
}

func explain(w io.Writer, lang i18n.Lang, c command, f *flag.FlagSet) {
	line := "hufu " + c.name
	flags := false
	f.VisitAll(func(*flag.Flag) { flags = true })
	if flags {
		line += " [--" + lang.T("cli.flags") + "]"
	}
	if c.args != "" {
		line += " " + c.args
	}
	fmt.Fprintf(w, "%s\n    %s\n\n", line, lang.T("cli."+c.summary))
	f.VisitAll(func(fl *flag.Flag) {
		kind, _ := flag.UnquoteUsage(&flag.Flag{Name: fl.Name, Value: fl.Value, DefValue: fl.DefValue}) // what it takes: string, int, nothing
		fmt.Fprintf(w, "  --%s %s\n      %s", fl.Name, kind, lang.T(fl.Usage))
		if fl.DefValue != "" && fl.DefValue != "false" && fl.DefValue != "0" {
			fmt.Fprintf(w, " (%s %s)", lang.T("cli.default"), fl.DefValue)
		}
		fmt.Fprintln(w)
	})
	if _, ok := commands[c.name]; ok && flags {
		fmt.Fprintf(w, "\n%s\n", lang.T("cli.settings"))
	}
}
