package main

import (
	"context"

	"hufu/internal/api"
)

var _ = register(command{name: "openapi", summary: "openapi", run: func(_ context.Context, e *env, _ []string) error {
	_, err := e.out.Write(api.Document())
	return err
}})
