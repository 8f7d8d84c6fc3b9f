# What one does here. `make` lists it.

.PHONY: help run build install release test quick go page lint platforms bench micro fuzz hostile torture-short torture cluster first-message

# What releases are made for. Linux comes first: it is what most people take.
PLATFORMS = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 freebsd/amd64 freebsd/arm64

# Puts the programs of a PostgreSQL on PATH, for the tests on it. Those of a cluster can use some more programs.
POSTGRES = ci/install-network-tools; PATH="$$(ci/install-postgresql)$$PATH"

# Go's compiler takes a quarter less processor time if it collects garbage seldom, and up to a gigabyte of memory. Tests
# do not run so.
COMPILE = GOGC=400

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

run: ## serve on :8080
	go run .

build: ## one static binary: ./parley
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o parley .

install: ## put the program parley where Go puts programs: "go env GOBIN", or bin in "go env GOPATH"
	CGO_ENABLED=0 go install -trimpath -ldflags='-s -w' .

release: ## static binaries for all platforms, with checksums, in dist/release; VERSION=v1.2.3 names it
	ci/release $(PLATFORMS)

# Two stages at a time: each waits now and then for disks, sockets and browsers, and then the other one computes.
# What a stage prints comes when it has ended, where make can do that. On a machine that has compiled nothing yet,
# compiling is the greater part: lint compiles for go, and page for torture-short and fuzz, so those come later.
test: ## everything: linters, every platform's types, Go with the race detector, a minute of torture, the page in a browser, fuzzing
	@$(MAKE) --no-print-directory -j 2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) \
		FUZZTIME=2s INSTRUMENT=parley/... BEFORE_GO=lint lint page go torture-short platforms fuzz

quick: ## what takes less than a minute: vet, Go's tests without the race detector, PostgreSQL and the slowest, the page's modules
	$(COMPILE) go vet ./...
	go test -short -p 4 $$(go list ./... | grep -v /test/)
	npm --prefix web run test:unit

# SQLite is C that was translated into Go: its memory is not Go's, and its locks are those of package sync, which the
# detector knows. Not to watch it makes the tests of the store three times as fast. The driver and our code are watched.
RACE = -race -gcflags=modernc.org/sqlite/lib=-race=false

# A program with the race detector sleeps for a second when it ends, so that goroutines which still run may show a
# race. The tests start hundreds of such programs, most of which run for less.
go: $(BEFORE_GO) ## the Go tests; lint has vetted them
	$(POSTGRES) GORACE="$$GORACE atexit_sleep_ms=0" go test $(RACE) -vet=off ./...

page: ## the page: types, modules, and Chromium by Playwright
	ci/install-browser-tools
	npm --prefix web run check
	npm --prefix web run test:unit
	$(COMPILE) go build -o dist/parley .
	ci/install-network-tools
	PARLEY_BIN=$(CURDIR)/dist/parley ci/own-network npm --prefix web run test:e2e
	$(POSTGRES) PARLEY_BIN=$(CURDIR)/dist/parley ci/own-network go run ./ci/withpostgres node --test \
		web/test/e2e/room.spec.js web/test/e2e/nodes.spec.js

platforms: ## types and vet for every platform that is released, without compiling
	go run ./ci/platforms $(PLATFORMS)

# With the flags of the tests the linters read what was compiled for the tests, or compile it for them: without the
# flags everything would be compiled once more. TestCodeKeepsTheHouse sees to it that no file of ours is for one kind of
# build only. staticcheck reads all dependencies, too, and would take 4 GB with COMPILE.
lint: ## vet, staticcheck, gofumpt
	$(COMPILE) go vet $(RACE) ./...
	staticcheck=$$($(COMPILE) go tool -n staticcheck) && GOFLAGS="$$(go env GOFLAGS) $(RACE)" GOGC=200 "$$staticcheck" ./...
	@out=$$(go tool gofumpt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "gofumpt -w $$out"; exit 1; }

bench: ## this machine: Parley beside other servers (parley bench --help has more)
	bench/install
	go build -o dist/parley .
	dist/parley bench chat --peers all --dir dist
	dist/parley bench fanout --members 1000 --peers all --dir dist

micro: ## the Go benchmarks: frames, fan-out, commits, the generator
	go test -run '^$$' -bench . -benchtime 2s ./internal/wire ./internal/room ./internal/store/sqlite ./internal/server ./internal/bench

FUZZTIME ?= 30s

fuzz: ## each fuzz target for half a minute, or FUZZTIME=1h; KEEP=1 adds to the corpus
	INSTRUMENT=$(INSTRUMENT) ci/fuzz $(FUZZTIME)

hostile: ## what 10,000 bad clients and a million rooms' names cost a server, and greedy ones others, in some minutes
	PARLEY_HOSTILE=1 go test -count=1 -v -run Hostile ./test/durability

torture-short: ## a minute of it: fixed and new seeds, on SQLite, PostgreSQL and a cluster, power cuts, failing disks, deliberate breaks
	$(POSTGRES) PARLEY_TORTURE=short go test -count=1 -parallel 4 -v -run 'Lost|Loss|Breakage|ReadOnly' ./test/durability ./internal/torture

torture: ## all of it, for some twenty minutes: each fault alone and mixed, 100 power cuts, a clock that jumps
	$(POSTGRES) PARLEY_TORTURE=1 go test -count=1 -p 1 -timeout 1h -v -run 'Lost|Loss|Breakage|ReadOnly' ./test/durability ./internal/torture

cluster: ## try a cluster: PostgreSQL with a standby, three nodes, HAProxy before them if it is installed; until Ctrl-C
	go build -o dist/parley .
	$(POSTGRES) go run ./ci/cluster dist/parley

first-message: ## seconds from a fresh clone to a message seen in a second browser
	ci/first-message
