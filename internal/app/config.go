package app

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"hufu/internal/fault"
)

// Config is everything a process is told. Each setting can stand on the command line
// (-listen), in the environment (HUFU_LISTEN) and in one file (listen = ...); the first of
// these that has it wins.
type Config struct {
	File          string
	Store         string
	Listen        string
	PublicURL     string
	KeyFile       string
	Connections   int
	LogLevel      string
	LogFormat     string
	Worker        bool
	RateLimit     float64
	TrustProxy    string
	MetricsListen string

	SandboxURL      string
	SandboxCashier  string
	SandboxMerchant string
	SandboxApp      string
	SandboxSecret   string
}

// Bind declares the settings on a flag set, with their defaults.
func (c *Config) Bind(f *flag.FlagSet) {
	f.StringVar(&c.File, "config", "", "flag.config")
	f.StringVar(&c.Store, "store", "sqlite:hufu.db", "flag.store")
	f.StringVar(&c.Listen, "listen", "127.0.0.1:8080", "flag.listen")
	f.StringVar(&c.PublicURL, "public-url", "", "flag.public-url")
	f.StringVar(&c.KeyFile, "key-file", "hufu.keys", "flag.key-file")
	f.IntVar(&c.Connections, "connections", 0, "flag.connections")
	f.StringVar(&c.LogLevel, "log-level", "info", "flag.log-level")
	f.StringVar(&c.LogFormat, "log-format", "text", "flag.log-format")
	f.BoolVar(&c.Worker, "worker", true, "flag.worker")
	f.Float64Var(&c.RateLimit, "rate-limit", 50, "flag.rate-limit")
	f.StringVar(&c.TrustProxy, "trust-proxy", "", "flag.trust-proxy")
	f.StringVar(&c.MetricsListen, "metrics-listen", "", "flag.metrics-listen")
	f.StringVar(&c.SandboxURL, "sandbox-url", "", "flag.sandbox-url")
	f.StringVar(&c.SandboxCashier, "sandbox-cashier-url", "", "flag.sandbox-cashier-url")
	f.StringVar(&c.SandboxMerchant, "sandbox-merchant", "hufu", "flag.sandbox-merchant")
	f.StringVar(&c.SandboxApp, "sandbox-app", "shop", "flag.sandbox-app")
	f.StringVar(&c.SandboxSecret, "sandbox-secret", "", "flag.sandbox-secret")
}

// Load parses the command line and fills in what it leaves open from the environment and
// the file. It returns what is left of the command line.
func (c *Config) Load(f *flag.FlagSet, args []string, env func(string) (string, bool)) ([]string, error) {
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	given := map[string]bool{}
	f.Visit(func(fl *flag.Flag) { given[fl.Name] = true })
	var errs []error
	set := func(name, value, where string) {
		if given[name] {
			return
		}
		if err := f.Set(name, value); err != nil {
			errs = append(errs, fault.Wrap(err, fault.Invalid, "config.value", "name", name, "where", where))
		}
		given[name] = true
	}
	f.VisitAll(func(fl *flag.Flag) {
		variable := "HUFU_" + strings.ToUpper(strings.ReplaceAll(fl.Name, "-", "_"))
		if v, ok := env(variable); ok {
			set(fl.Name, v, variable)
		}
	})
	if c.File != "" {
		values, err := readFile(c.File)
		if err != nil {
			return nil, err
		}
		for name, v := range values {
			if f.Lookup(name) == nil || name == "config" {
				return nil, fault.New(fault.Invalid, "config.unknown", "name", name, "file", c.File)
			}
			set(name, v, c.File)
		}
	}
	if c.PublicURL == "" {
		c.PublicURL = "http://" + c.Listen
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	return f.Args(), errors.Join(errs...)
}

func readFile(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(err, fault.Invalid, "config.no_file", "file", path)
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "config.unreadable", "file", path)
	}
	defer file.Close()
	return parseFile(file, path)
}

func parseFile(r io.Reader, path string) (map[string]string, error) {
	out := map[string]string{}
	scan := bufio.NewScanner(r)
	for n := 1; scan.Scan(); n++ {
		line := strings.TrimSpace(scan.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if _, twice := out[name]; !ok || name == "" || twice {
			return nil, fault.New(fault.Invalid, "config.line", "file", path, "line", fmt.Sprint(n))
		}
		out[name] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	return out, scan.Err()
}
