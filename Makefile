# What one does here. `make` lists it.

.PHONY: help run build test go page lint bench micro fuzz hostile torture first-message

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

run: ## serve on :8080
	go run .

build: ## one static binary: ./parley
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o parley .

test: lint go page fuzz ## everything: linters, Go with the race detector, the page in a browser, fuzzing

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

bench: ## this machine: Parley beside other servers (parley bench --help has more)
	bench/install
	go build -o dist/parley .
	dist/parley bench chat --peers all --dir dist
	dist/parley bench fanout --members 1000 --peers all --dir dist

micro: ## the Go benchmarks: frames, fan-out, commits, the generator
	go test -run '^$$' -bench . -benchtime 2s ./internal/wire ./internal/room ./internal/store ./internal/server ./internal/bench

FUZZTIME ?= 30s

fuzz: ## each fuzz target for half a minute, or FUZZTIME=1h; KEEP=1 adds to the corpus
	ci/fuzz $(FUZZTIME)

hostile: ## what 10,000 bad clients and a million rooms' names cost a server, in some minutes
	PARLEY_HOSTILE=1 go test -count=1 -v -run HostileClients .

torture: ## a real server under faults, power cuts and deliberate breaks, for some minutes
	PARLEY_TORTURE=1 go test -count=1 -p 1 -v -run 'Torture|PowerGoes|Broken|Break' . ./internal/torture

first-message: ## seconds from a fresh clone to a message seen in a second browser
	ci/first-message
