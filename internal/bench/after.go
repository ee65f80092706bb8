package bench

import (
	"context"
	"io"
	"log/slog"
	"os"
	"time"

	"hufu/internal/app"
	"hufu/internal/vault"
)

// open opens a store for a measurement: it is migrated, and has a key file.
func open(ctx context.Context, store, keyFile string) (*app.App, error) {
	if _, err := os.Stat(keyFile); err != nil {
		if _, err := vault.CreateKeyFile(keyFile, time.Now()); err != nil {
			return nil, err
		}
	}
	c := app.Config{Store: store, KeyFile: keyFile}
	if _, err := app.Migrate(ctx, c); err != nil {
		return nil, err
	}
	return app.Open(ctx, c, slog.New(slog.NewTextHandler(io.Discard, nil)))
}

// violations counts the invariants that don't hold after a run, and tells the first.
func violations(ctx context.Context, store, keyFile string) (int, string, error) {
	results, err := app.Verify(ctx, app.Config{Store: store, KeyFile: keyFile}, "", nil, nil)
	if err != nil {
		return 0, "", err
	}
	n, first := 0, ""
	for _, r := range results {
		if !r.OK() {
			if n++; first == "" {
				first = r.ID
				if len(r.Rows) > 0 {
					first += " " + r.Rows[0].Subject + " " + r.Rows[0].Detail
				}
			}
		}
	}
	return n, first, nil
}

// serve starts a server on a store, with a sandbox gateway that isn't there: this process
// plays it.
func serve(ctx context.Context, store, keyFile string) (*process, error) {
	return start(ctx, "serve", "--store", store, "--key-file", keyFile, "--listen", "127.0.0.1:0", "--rate-limit", "0", "--log-level", "error",
		"--sandbox-url", "http://127.0.0.1:9", "--sandbox-secret", secret)
}
