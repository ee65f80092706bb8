package app_test

import (
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hufu/internal/app"
	"hufu/internal/flow"
	"hufu/internal/vault"
)

// How gateways are asked is told on the command line, in the environment or in the file, and
// reaches the flows; a command that tells nothing of it leaves them as they are.
func TestHowGatewaysAreAskedIsASetting(t *testing.T) {
	dir := t.TempDir()
	file, keys, store := filepath.Join(dir, "hufu.conf"), filepath.Join(dir, "hufu.keys"), "sqlite:"+filepath.Join(dir, "hufu.db")
	if err := os.WriteFile(file, []byte("gateway-patience = 7s\ngateway-calls = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.CreateKeyFile(keys, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Migrate(t.Context(), app.Config{Store: store}); err != nil {
		t.Fatal(err)
	}
	load := func(bind func(*app.Config, *flag.FlagSet), env map[string]string, more ...string) app.Config {
		t.Helper()
		var c app.Config
		f := flag.NewFlagSet("", flag.ContinueOnError)
		bind(&c, f)
		if _, err := c.Load(f, append([]string{"--store", store, "--key-file", keys}, more...), func(name string) (string, bool) { v, ok := env[name]; return v, ok }); err != nil {
			t.Fatal(err)
		}
		return c
	}
	env := map[string]string{"HUFU_GATEWAY_PATIENCE": "8s"}
	for _, c := range []struct {
		about    string
		config   app.Config
		patience time.Duration
		asking   int
	}{
		{"nothing told", load((*app.Config).Bind, nil), flow.Patience, flow.Asking},
		{"the file", load((*app.Config).Bind, nil, "--config", file), 7 * time.Second, 3},
		{"the environment before the file", load((*app.Config).Bind, env, "--config", file), 8 * time.Second, 3},
		{"the command line before both", load((*app.Config).Bind, env, "--config", file, "--gateway-patience", "900ms", "--gateway-calls=1000"), 900 * time.Millisecond, 1000},
		{"a command without such settings", load((*app.Config).BindOpen, env, "--config", file), flow.Patience, flow.Asking},
	} {
		a, err := app.Open(t.Context(), c.config, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if a.Flows.Patience != c.patience || a.Flows.Asking != c.asking {
			t.Errorf("%s: gateways are asked for %s, %d at once; want %s, %d", c.about, a.Flows.Patience, a.Flows.Asking, c.patience, c.asking)
		}
		a.Close()
	}
}
