package app

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/paygate/wire"
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

	// Waiting is told when the database keeps a command waiting; see db.Config. It is no
	// setting, and nil in a process that serves.
	Waiting func()

	SandboxURL      string
	SandboxCashier  string
	SandboxMerchant string
	SandboxApp      string
	SandboxSecret   string

	WeChat    string // the file of the account's keys; "" leaves the channel out
	WeChatURL string // where WeChat Pay is reached, if elsewhere
	Alipay    string // as WeChat
	AlipayURL string

	GatewayPatience time.Duration // see flow.Flows; zero leaves its own
	GatewayCalls    int
}

// What the shop is called at a sandbox gateway, unless both are told otherwise.
const (
	SandboxMerchant = "hufu"
	SandboxApp      = "shop"
)

// Bind declares all settings on a flag set, with their defaults.
func (c *Config) Bind(f *flag.FlagSet) {
	c.BindOpen(f)
	c.BindAddress(f)
	c.BindGateways(f)
	f.BoolVar(&c.Worker, "worker", true, "flag.worker")
	f.Float64Var(&c.RateLimit, "rate-limit", 50, "flag.rate-limit")
	f.StringVar(&c.TrustProxy, "trust-proxy", "", "flag.trust-proxy")
	f.StringVar(&c.MetricsListen, "metrics-listen", "", "flag.metrics-listen")
}

// BindStore declares those of a command that needs the database alone.
func (c *Config) BindStore(f *flag.FlagSet) {
	f.StringVar(&c.File, "config", "", "flag.config")
	f.StringVar(&c.Store, "store", "sqlite:hufu.db", "flag.store")
}

// BindKeyFile declares where the master keys are.
func (c *Config) BindKeyFile(f *flag.FlagSet) {
	f.StringVar(&c.KeyFile, "key-file", "hufu.keys", "flag.key-file")
}

// BindOpen declares those of a command that opens an App.
func (c *Config) BindOpen(f *flag.FlagSet) {
	c.BindStore(f)
	c.BindKeyFile(f)
	f.IntVar(&c.Connections, "connections", 0, "flag.connections")
	f.StringVar(&c.LogLevel, "log-level", "info", "flag.log-level")
	f.StringVar(&c.LogFormat, "log-format", "text", "flag.log-format")
}

// BindAddress declares where browsers find the shop.
func (c *Config) BindAddress(f *flag.FlagSet) {
	f.StringVar(&c.Listen, "listen", "127.0.0.1:8080", "flag.listen")
	f.StringVar(&c.PublicURL, "public-url", "", "flag.public-url")
}

// BindGateways declares how payment gateways are called, and the sandbox, for a process that
// calls them.
func (c *Config) BindGateways(f *flag.FlagSet) {
	f.DurationVar(&c.GatewayPatience, "gateway-patience", flow.Patience, "flag.gateway-patience")
	f.IntVar(&c.GatewayCalls, "gateway-calls", flow.Asking, "flag.gateway-calls")
	f.StringVar(&c.SandboxURL, "sandbox-url", "", "flag.sandbox-url")
	f.StringVar(&c.SandboxCashier, "sandbox-cashier-url", "", "flag.sandbox-cashier-url")
	f.StringVar(&c.SandboxMerchant, "sandbox-merchant", SandboxMerchant, "flag.sandbox-merchant")
	f.StringVar(&c.SandboxApp, "sandbox-app", SandboxApp, "flag.sandbox-app")
	f.StringVar(&c.SandboxSecret, "sandbox-secret", "", "flag.sandbox-secret")
	f.StringVar(&c.WeChat, "wechat", "", "flag.wechat")
	f.StringVar(&c.WeChatURL, "wechat-url", "", "flag.wechat-url")
	f.StringVar(&c.Alipay, "alipay", "", "flag.alipay")
	f.StringVar(&c.AlipayURL, "alipay-url", "", "flag.alipay-url")
}

// settingNames are the names of all settings. A file may have them all, for whichever
// command reads it.
func settingNames() *flag.FlagSet {
	all := flag.NewFlagSet("", flag.ContinueOnError)
	new(Config).Bind(all)
	return all
}

// Load parses the command line and fills in what it leaves open from the environment and
// the file. It returns the words of the command line.
func (c *Config) Load(f *flag.FlagSet, args []string, env func(string) (string, bool)) ([]string, error) {
	words, err := ParseFlags(f, args)
	if err != nil {
		return nil, err
	}
	from := map[string]string{} // where a setting has its value from
	f.Visit(func(fl *flag.Flag) { from[fl.Name] = "--" + fl.Name })
	var errs []error
	set := func(name, value, where string) {
		if _, given := from[name]; given {
			return
		}
		from[name] = where
		if err := f.Set(name, value); err != nil {
			errs = append(errs, fault.New(fault.Invalid, "config.value", "name", name, "value", value, "where", where))
		}
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
		all := settingNames()
		for name, v := range values {
			if name == "config" || (f.Lookup(name) == nil && all.Lookup(name) == nil) {
				return nil, fault.New(fault.Invalid, "config.unknown", "name", name, "file", c.File)
			}
			if f.Lookup(name) != nil {
				set(name, v, c.File)
			}
		}
	}
	if c.PublicURL == "" && c.Listen != "" {
		c.PublicURL = "http://" + c.Listen
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	if errs = append(errs, c.check(f, from)); errors.Join(errs...) != nil {
		return nil, errors.Join(errs...)
	}
	return words, nil
}

const (
	// maxConnections is far beyond what a server of PostgreSQL takes.
	maxConnections = 10_000
	// Less patience than minPatience gives up answers that are on their way; after
	// wire.DefaultTimeout a call ends by itself.
	minPatience = 500 * time.Millisecond
	maxPatience = wire.DefaultTimeout
	// maxCalls is more than channels let a merchant ask in the same moment.
	maxCalls = 1000
)

// check refuses values that a setting can't have.
func (c *Config) check(f *flag.FlagSet, from map[string]string) error {
	choice := func(name, value string, allowed ...string) error {
		if f.Lookup(name) == nil || slices.Contains(allowed, strings.ToLower(value)) {
			return nil
		}
		return fault.New(fault.Invalid, "config.choice", "name", name, "value", value, "allowed", strings.Join(allowed, ", "), "where", from[name])
	}
	within := func(name string, ok bool, code, least, most string) error {
		fl := f.Lookup(name)
		if fl == nil || ok {
			return nil
		}
		return fault.New(fault.Invalid, code, "name", name, "value", fl.Value.String(), "least", least, "most", most, "where", from[name])
	}
	return errors.Join(
		within("connections", c.Connections >= 0 && c.Connections <= maxConnections, "config.range", "0", strconv.Itoa(maxConnections)),
		within("rate-limit", c.RateLimit >= 0 && c.RateLimit <= 1e9, "config.range", "0", "1000000000"), // not a number is refused too
		within("gateway-patience", c.GatewayPatience >= minPatience && c.GatewayPatience <= maxPatience, "config.duration_range", minPatience.String(), maxPatience.String()),
		within("gateway-calls", c.GatewayCalls >= 1 && c.GatewayCalls <= maxCalls, "config.range", "1", strconv.Itoa(maxCalls)),
		choice("log-level", c.LogLevel, "debug", "info", "warn", "error"), choice("log-format", c.LogFormat, "text", "json"))
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
