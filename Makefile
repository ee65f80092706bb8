# make help lists the targets.
GO ?= go
SHELL := /bin/bash -o pipefail
# What runs a command beside a PostgreSQL of its own, databases in memory.
CLUSTER := ./scripts/in-memory.sh $(GO) run ./internal/db/dbtest/cluster

# What works concurrently runs a second time under the race detector; of the packages that are
# mostly rules and pages, the tests that do several things at once.
RACE := ./internal/db ./internal/vault ./internal/idem ./internal/limit ./internal/live ./internal/httpx ./internal/paygate/...
RACE_SOME := ./internal/flow ./internal/identity ./internal/api/...
RACE_TESTS := ^Test(AThousand|One|Never|ABadCommand|CancelAgainst|CodesHeld|TheGate|Stock|CodesAre|Repeat|TwoImports|Fifty|TheShopKeeps|SessionsEnd|ResealWhile|TheSameRequest|Events|AnImportOver|APurchase|RolesAct)

.PHONY: help build test test-short lint verify bench assets openapi

help: ## show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

build: ## build ./hufu
	$(GO) build -trimpath -o hufu ./cmd/hufu

test: ## every test, on both databases and in a browser; gets what it needs itself
	./scripts/need.sh chromium postgres npm
	$(CLUSTER) $(GO) test -timeout 40m ./...
	$(CLUSTER) $(GO) test -race -short -timeout 20m $(RACE)
	$(CLUSTER) $(GO) test -race -short -timeout 20m -run '$(RACE_TESTS)' $(RACE_SOME)

test-short: ## the inner loop
	$(CLUSTER) $(GO) test -short -timeout 5m ./...

lint: ## gofmt, vet, staticcheck, and that nothing in the tree is what it shouldn't be
	@test -z "$$(gofmt -l cmd conformance e2e internal)" || { echo "not formatted:"; gofmt -l cmd conformance e2e internal; exit 1; }
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	./scripts/tree.sh

verify: ## what is built and committed is what its source builds
	./scripts/need.sh npm
	design/verify.sh
	$(GO) run ./cmd/hufu openapi | diff -u docs/openapi.json - || { echo "docs/openapi.json differs: run make openapi"; exit 1; }
	$(GO) mod tidy -diff

bench: build ## figures of this machine, on SQLite
	dir=$$(mktemp -d) && ./hufu bench purchase --store sqlite:$$dir/bench.db --key-file $$dir/keys; s=$$?; rm -rf $$dir; exit $$s

assets: ## build the pages' styles and scripts
	./scripts/need.sh npm
	$(MAKE) -C design build

openapi: ## write docs/openapi.json
	$(GO) run ./cmd/hufu openapi > docs/openapi.json
