package main

import (
	"fmt"
	"strings"

	"hufu/internal/fault"
)

// misuse is a line that isn't understood. It is told in one sentence, with where to read
// on, and ends the program with status 2.
type misuse struct{ what *fault.Error }

func (m *misuse) Error() string { return m.what.Error() }

func (m *misuse) Unwrap() error { return m.what }

// refuse makes the misuse with a code and its params.
func refuse(code string, params ...string) error {
	return &misuse{fault.New(fault.Invalid, code, params...)}
}

// misunderstood says what is wrong with the line of a command, "" for one that isn't
// known, and gives the exit status.
func misunderstood(e *env, command string, err error) int {
	help := "hufu help"
	if command != "" {
		help += " " + command
	}
	sentence, rest := told(e.lang, err)
	fmt.Fprintf(e.err, "hufu: %s %s%s\n", sentence, e.lang.T("cli.see", "help", help), rest)
	return 2
}

// unknown says which command there isn't, or which word the first one lacks.
func unknown(args []string) error {
	switch names := group(args[0]); {
	case len(names) > 0:
		return refuse("cli.second_word", "first", args[0], "commands", "hufu "+strings.Join(names, ", hufu "))
	case strings.HasPrefix(args[0], "-"):
		return refuse("cli.flag_first", "flag", args[0])
	default:
		return refuse("cli.unknown", "name", strings.Join(args, " "))
	}
}

// extra says which word is too many.
func extra(c command, words []string) error {
	if c.most == 0 {
		return refuse("cli.no_words", "command", c.name, "word", words[0])
	}
	return refuse("cli.word_extra", "command", c.name, "words", c.args, "word", words[c.most])
}
