// Hufu sells, delivers and redeems digital entitlements. A file here is one subcommand.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"hufu/internal/app"
	"hufu/internal/fault"
	"hufu/internal/i18n"
)

// command is one subcommand. Each registers itself in its file. The usage of its flags is
// the key of a message.
type command struct {
	name    string // "serve", or two words: "import codes"
	args    string // the words that follow: "FILE"
	least   int    // how many words there must be
	most    int    // how many there may be; -1 leaves it to the command to say
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
	if len(args) == 0 {
		usage(e.err, e.lang)
		return 2
	}
	if args[0] == "--help" || args[0] == "-h" {
		args = []string{"help"}
	}
	c, rest, ok := find(args)
	if !ok {
		return misunderstood(e, "", unknown(args))
	}
	f := flag.NewFlagSet("hufu "+c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	if c.flags != nil {
		c.flags(e, f)
	}
	rest, err := load(e, f, rest)
	switch {
	case errors.Is(err, flag.ErrHelp):
		explain(e.out, e.lang, c, f)
		return 0
	case err != nil:
		return misunderstood(e, c.name, err)
	case c.most >= 0 && len(rest) > c.most:
		return misunderstood(e, c.name, extra(c, rest))
	case len(rest) < c.least:
		return misunderstood(e, c.name, refuse("cli.word_missing", "command", c.name, "words", c.args))
	}
	err = c.run(ctx, e, rest)
	wrong, misused := errors.AsType[*misuse](err)
	switch {
	case err == nil:
		return 0
	case misused:
		return misunderstood(e, c.name, wrong)
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
	return app.ParseFlags(f, args)
}

// tell says in a language what went wrong, with the cause for whoever runs the program.
func tell(lang i18n.Lang, err error) string {
	sentence, rest := told(lang, err)
	return sentence + rest
}

// told is what tell says, cut after its sentence.
func told(lang i18n.Lang, err error) (sentence, rest string) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err.Error(), ""
	}
	text := ""
	for _, field := range f.Fields {
		text += "\n  " + field.Path + ": " + said(lang, field.Code, field.Params)
	}
	if cause := f.Unwrap(); cause != nil {
		text += "\n  (" + cause.Error() + ")"
	}
	return said(lang, f.Code, f.Params), text
}

// said is the message of a fault for somebody at a terminal: where the one for a browser
// speaks of pages and buttons there is another, "terminal." and the code.
func said(lang i18n.Lang, code string, params map[string]string) string {
	if !i18n.Has("terminal." + code) {
		return lang.Fault(&fault.Error{Code: code, Params: params})
	}
	var kv []string
	for name, value := range params {
		kv = append(kv, name, value)
	}
	return lang.T("terminal."+code, kv...)
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

// group lists the commands of two words that begin with one.
func group(first string) []string {
	var names []string
	for name := range commands {
		if strings.HasPrefix(name, first+" ") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func usage(w io.Writer, lang i18n.Lang) {
	fmt.Fprintln(w, lang.T("cli.usage"))
	fmt.Fprintln(w)
	list(w, lang, slices.Sorted(maps.Keys(commands)))
	fmt.Fprintln(w)
	fmt.Fprintln(w, lang.T("cli.more"))
}

func list(w io.Writer, lang i18n.Lang, names []string) {
	for _, name := range names {
		fmt.Fprintf(w, "  hufu %-18s %s\n", name, lang.T("cli."+commands[name].summary))
	}
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
	if f.Lookup("config") != nil {
		fmt.Fprintf(w, "\n%s\n", lang.T("cli.settings"))
	}
}
