# What one does here. `make` lists it.

.PHONY: help run build test go page lint bench fuzz first-message

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

run: ## serve on :8080
	go run .

build: ## one static binary: ./parley
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o parley .

test: lint go page ## everything: linters, Go with the race detector, the page in a browser

go: ## the Go tests
	go test -race ./...

page: ## the page: types, modules, and Chromium by Playwright
	ci/install-browser-tools
	npm --prefix web run check
	npm --prefix web run test:unit
	go build -o dist/parley .
	PARLEY_BIN=$(CURDIR)/dist/parley npm --prefix web run test:e2e

lint: ## vet, staticcheck, gofumpt
	go vet ./...
	go tool staticcheck ./...
	@out=$$(go tool gofumpt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "gofumpt -w $$out"; exit 1; }

bench: ## the Go benchmarks: fan-out, commits, a talking room
	go test -run '^$$' -bench . -benchtime 2s ./internal/wire ./internal/room ./internal/store
	go test -run '^$$' -bench . -benchtime 500000x .

fuzz: ## each fuzz target for half a minute
	ci/fuzz 30s

first-message: ## seconds from a fresh clone to a message seen in a second browser
	ci/first-message
