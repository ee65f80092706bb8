package app

import (
	"errors"
	"flag"
	"regexp"
	"strings"

	"hufu/internal/fault"
)

// ParseFlags parses a command line in which flags and words may stand in any order, and
// returns the words. What follows "--" is words. Its error is flag.ErrHelp or a fault.
func ParseFlags(f *flag.FlagSet, args []string) ([]string, error) {
	var words []string
	for {
		if err := f.Parse(args); err != nil {
			return nil, flagFault(f, err)
		}
		rest := f.Args()
		if len(rest) == 0 {
			return words, nil
		}
		if read := len(args) - len(rest); read > 0 && args[read-1] == "--" {
			return append(words, rest...), nil
		}
		words, args = append(words, rest[0]), rest[1:]
	}
}

// What package flag says, from which the flag and the value are taken.
var (
	flagUnknown = regexp.MustCompile(`^flag provided but not defined: -(.*)$`)
	flagBare    = regexp.MustCompile(`^flag needs an argument: -(.*)$`)
	flagWrong   = regexp.MustCompile(`(?s)^invalid (?:boolean )?value "(.*)" for (?:flag )?-([^:]*): `)
)

// flagFault says what package flag has found in a language of the person's.
func flagFault(f *flag.FlagSet, err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	text := err.Error()
	if m := flagUnknown.FindStringSubmatch(text); m != nil {
		return fault.New(fault.Invalid, "config.flag_unknown", "flag", m[1])
	}
	if m := flagBare.FindStringSubmatch(text); m != nil {
		return fault.New(fault.Invalid, "config.flag_bare", "flag", m[1])
	}
	m := flagWrong.FindStringSubmatch(text)
	if m == nil {
		return fault.New(fault.Invalid, "config.flag_form", "flag", strings.TrimPrefix(text, "bad flag syntax: "))
	}
	kind := ""
	if fl := f.Lookup(m[2]); fl != nil {
		kind, _ = flag.UnquoteUsage(&flag.Flag{Name: fl.Name, Value: fl.Value})
	}
	switch kind {
	case "int", "uint":
		return fault.New(fault.Invalid, "config.flag_int", "flag", m[2], "value", m[1])
	case "float":
		return fault.New(fault.Invalid, "config.flag_number", "flag", m[2], "value", m[1])
	case "duration":
		return fault.New(fault.Invalid, "config.flag_duration", "flag", m[2], "value", m[1])
	case "":
		return fault.New(fault.Invalid, "config.flag_switch", "flag", m[2], "value", m[1])
	default:
		return fault.New(fault.Invalid, "config.flag_value", "flag", m[2], "value", m[1])
	}
}
