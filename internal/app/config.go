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
	Spool         string
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
	f.StringVar(&c.File, "config", "", "file with settings, one `name = value` a line")
	f.StringVar(&c.Store, "store", "sqlite:hufu.db", "database: sqlite:PATH or postgres://user@host/name")
	f.StringVar(&c.Listen, "listen", "127.0.0.1:8080", "address to serve on")
	f.StringVar(&c.PublicURL, "public-url", "", "address under which browsers and gateways reach this server (default http://LISTEN)")
	f.StringVar(&c.KeyFile, "key-file", "hufu.keys", "file with the master keys of the code vault; make it with `hufu keys create`")
	f.StringVar(&c.Spool, "spool", "", "folder for uploaded files (default: spool beside the database)")
	f.IntVar(&c.Connections, "connections", 0, "database connections; 0 chooses")
	f.StringVar(&c.LogLevel, "log-level", "info", "least level that is logged: debug, info, warn, error")
	f.StringVar(&c.LogFormat, "log-format", "text", "form of the log: text or json")
	f.BoolVar(&c.Worker, "worker", true, "also do the work of `hufu worker` in this process")
	f.Float64Var(&c.RateLimit, "rate-limit", 50, "requests a second that one address may make; 0 is without limit")
	f.StringVar(&c.TrustProxy, "trust-proxy", "", "address ranges of proxies whose X-Forwarded-For is believed, separated by commas")
	f.StringVar(&c.MetricsListen, "metrics-listen", "", "address for /metrics, kept apart from the shop; empty serves none")
	f.StringVar(&c.SandboxURL, "sandbox-url", "", "address of a sandbox gateway (hufu sandbox); empty disables it")
	f.StringVar(&c.SandboxCashier, "sandbox-cashier-url", "", "address of the sandbox for browsers, if another")
	f.StringVar(&c.SandboxMerchant, "sandbox-merchant", "hufu", "our merchant id at the sandbox")
	f.StringVar(&c.SandboxApp, "sandbox-app", "shop", "our application id at the sandbox")
	f.StringVar(&c.SandboxSecret, "sandbox-secret", "", "secret shared with the sandbox, 32 bytes or more")
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
