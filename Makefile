# The targets need Go, make and a C compiler. go tool builds the linter and benchstat from tools/go.mod.
SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:

# A number of inputs, not a duration: before Go 1.27 a duration that expires at the wrong moment fails
# the run (golang.org/issue/75804).
FUZZTIME   ?= 20000x
KILLS      ?= 200
LOST       ?= 5000
OBJECTS    ?= 50000
CONTEST    ?= 3h
FORGERIES  ?= 50000
SOAK       ?= 20m
# Timeout for the tests of one package. On a busy machine they take several times as long.
PATIENCE   ?= 40m
CHROMIUM   ?= /usr/bin/chromium
PROMETHEUS ?= /usr/bin/prometheus
PROMTOOL   ?= /usr/bin/promtool
# A binary of syncd with which make millions compares the time.
FORMER     ?=
BENCHCOUNT ?= 6
ROUNDS     ?= 3
RCLONE     ?= v1.76.0
# More clients for bench-peers: PEERS="--peer mc=/usr/bin/mc --peer s5cmd=/usr/bin/s5cmd".
PEERS      ?=
DECISIONS  ?= 20000
SEED       ?= 1
IMAGE      ?= syncd:dev
TOOL       := go tool -modfile=tools/go.mod
# The Go checksum database verifies this module, and cosign in the release workflow.
VULNCHECK  := golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: help build test race cover lint structure vuln fmt fuzz crash many-ranges stress adversary mutants attack refusals interop duckdb deploy-test release-test minio versitygw iam-oracle rehearse memory millions fleet drain soak browser prometheus bench bench-peers golden demo docker race-all nightly tidy-check fmt-check ci

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' Makefile

build: ## build the static binary ./syncd
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o syncd ./cmd/syncd

# Collect garbage less often than by default: garbage collection takes a fifth of the test time.
test race race-all: export GOGC := 400

# -p 4: some tests wait, and others can run meanwhile. -w omits the debugger's tables, which saves a
# third of the link time.
test: ## run the tests
	go test -p 4 -ldflags=-w -timeout $(PATIENCE) ./...

# One processor: Go 1.26 crashes in the race detector when goroutines of a synctest bubble use channel
# timers at the same time, because the timers share one detector context (unlockAndRun in
# runtime/time.go). One processor still finds races: the detector checks the order of accesses.
race: ## run the tests under the race detector
	go test -race -p 4 -cpu 1 -short -ldflags=-w -timeout $(PATIENCE) ./...

race-all: ## run all tests under the race detector, including the slow ones
	go test -race -cpu 1 -timeout 3h ./...

cover: ## run the tests and write coverage to cover.out
	go test -coverpkg=./... -coverprofile=cover.out ./...
	@go tool cover -func=cover.out | tail -n 1

lint: ## run the linters of .golangci.yml
	$(TOOL) golangci-lint run

structure: ## check the size and imports of every package against the floor plan in docs/design.md
	cd tools && go test ./structure && go run ./structure -dir .. -plan ../docs/design.md

# govulncheck queries its database over the network. The hosted workflow runs it; make ci does not.
vuln: ## check for known vulnerabilities in reachable code
	go run $(VULNCHECK) ./...

fmt: ## format every Go file
	$(TOOL) golangci-lint fmt

# go test fuzzes one target per run. grep finds the targets, because go test -list would have to link
# the tests of all packages.
fuzz: ## run every fuzz target with FUZZTIME (20000x) inputs
	@grep -rE '^func Fuzz' --include='*_test.go' . | sed -E 's|^(\./.*)/[^/]*:func (Fuzz[A-Za-z0-9_]*).*|\1 \2|' | sort | \
	while read -r pkg target; do \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime '$(FUZZTIME)' "$$pkg" </dev/null; \
	done

crash: ## kill the real process KILLS (200) times, and a quarter as often with changed settings; kill it while it rebuilds a lost ledger of LOST (5000) objects; fail each request for the ledger in turn
	go test ./cmd/syncd -run '^TestCrash|^TestLostLedger$$' -timeout 5h -kills $(KILLS) -lost $(LOST)
	go test ./internal/checkpoint -run '^TestEverySingleRequestFails$$|^TestS3UploadsFail$$|^TestHoldersAgainstAModel$$' -every-request -contest 3m -timeout $(PATIENCE)

many-ranges: ## kill and drain passes over many ranges 2,000 times; refuse objects of many ranges
	go test ./internal/syncer -run 'OfManyRanges$$|InManyRanges$$' -timeout 2h -many 2000

stress: ## copy OBJECTS (50000) with faults, at the request rates of S3 and KMS, in every scene of docs/throttling.md; copy a tree of 10,000 files; fail each page of each range of a listing
	go test ./internal/syncer -run '^TestEverythingArrives|^TestItFinds|^TestRefusalsAtRandom|^TestManyAreRefused' -timeout 30m -many $(OBJECTS)
	go test ./internal/throttle -run '^TestSimulation$$|^TestBursts$$|^TestLevelLearnsFromConnections$$' -timeout 30m -scenes all
	go test ./cmd/syncd -run '^TestBackfillOfATree$$' -timeout 30m -tree .
	go test ./internal/copier -run '^TestCopyOfAnObjectOfTebibytes$$' -timeout 30m -tebibytes
	go test ./internal/listing/ranges -run '^TestSideBySide$$|^TestUnseen$$' -timeout 30m -full
	go test ./internal/syncer -run '^TestABrokenPage' -timeout 30m -many 2000

adversary: ## falsify every response that a decision depends on, in every way; let processes compete for one copy
	go test ./internal/syncer -run '^TestAdversary|^TestQuoteIsWhatACopySends' -lies all -timeout 30m
	go test ./internal/syncer -run '^TestHoldersOfData' -contest $(CONTEST) -timeout 30m

mutants: ## break every generated policy in every place and check that doctor reports the place
	go test ./internal/access/policy ./internal/access/doctor ./internal/access/lint -run '^TestDoctorNamesTheMutant|^TestEverythingGrantedIsNeeded|^TestGeneratedDocuments|^TestRequestsQuoteAndPoliciesAgree' -mutants all -timeout 30m -v | grep -v '^=== '

release-test: ## build the release twice, in two directories, and compare every byte
	go test ./cmd/syncd -run '^TestReleaseIsReproducible$$' -release -timeout $(PATIENCE)

interop: ## read the ledger's chunks with another Parquet implementation, in a separate module
	cd internal/checkpoint/interop && go test ./...

# Keep npm's cache and logs in .cache, because HOME may be empty.
duckdb: ## run the queries of docs/checkpoint-format.md in DuckDB on a ledger of several generations; needs npm
	cd internal/checkpoint/duckdb && npm_config_cache='$(CURDIR)/.cache/npm' npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier
	go test ./internal/checkpoint/duckdb -timeout $(PATIENCE) -count=1 -v -duckdb '$(CURDIR)/internal/checkpoint/duckdb/duckdb.mjs'

deploy-test: ## check deploy/ with Kubernetes, Helm, Prometheus and Terraform code, in a separate module
	cd deploy/deploytest && go test -count=1 ./...

memory: ## measure the memory of ten concurrent passes over ledgers of 200,000 entries each on S3, and of a thousand idle mappings
	go test ./cmd/syncd -run '^TestMemoryOfPasses$$|^TestMemoryAtRest$$' -memory-entries 200000 -memory-most 512 -count=1 -v -timeout 60m | grep -v '^=== '
	go test ./internal/checkpoint/store/s3 -run '^TestPassesAtOnceShareMemory$$' -memory-entries 200000 -count=1 -v -timeout 60m | grep -v '^=== '

# The former binary, if FORMER is set, is compared with this one.
millions: ## measure a plan and unchanged passes over 1,000,000 and 5,000,000 keys with the real program, and a ledger of 5,000,000 entries on S3
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o .cache/syncd ./cmd/syncd
	go test ./cmd/syncd -run '^TestMillions$$' -million-keys 1000000 -program '$(CURDIR)/.cache/syncd' -former '$(FORMER)' -count=1 -v -timeout 60m | grep -v '^=== '
	go test ./cmd/syncd -run '^TestMillions$$' -million-keys 5000000 -program '$(CURDIR)/.cache/syncd' -count=1 -v -timeout 60m | grep -v '^=== '
	go test ./internal/checkpoint -run '^TestVolume$$' -volume-entries 5000000 -count=1 -v -timeout 60m | grep -v '^=== '

fleet: ## run a thousand mappings of 10,000 entries each in one process and print the resources used
	go test ./cmd/syncd -run '^TestFleet$$' -tenants 1000 -entries 10000 -count=1 -v -timeout 60m | grep -v '^=== '

drain: ## stop the real process 50 times at random moments under load; its successor must be working within 2 s
	go test ./cmd/syncd -run '^TestDrain$$' -drains 50 -takeover 2s -timeout 20m

soak: ## run a daemon with faults under the race detector for SOAK (20m) and check that its resource use does not grow
	go test ./internal/daemon -run '^TestAnHourOfManyMappings$$' -tenants 200 -timeout 60m
	go test -race -cpu 1 ./internal/daemon -run '^TestSoak$$' -soak $(SOAK) -v -timeout 60m

browser: ## test the status page in CHROMIUM (/usr/bin/chromium), in a separate module
	cd internal/daemon/browsertest && go test -count=1 . -args -chromium '$(CHROMIUM)'

prometheus: ## scrape a real syncd with a real PROMETHEUS, fire its alerts and query its dashboard; test the rules with promtool
	cd deploy/deploytest && go test -count=1 . -run '^TestLive|^TestPromtool' -args -prometheus '$(PROMETHEUS)' -promtool '$(PROMTOOL)'

minio: ## build a MinIO server from its module and run the fidelity table and deletes against it
	e2e/build-minio.sh .cache/minio
	go test ./cmd/syncd -run 'OnMinIO$$' -minio '$(CURDIR)/.cache/minio' -count=1

versitygw: ## build a Versity gateway from its module, run the fidelity table from it, and copy into it
	e2e/build-versitygw.sh .cache/versitygw
	go test ./cmd/syncd -run 'Versity$$' -versitygw '$(CURDIR)/.cache/versitygw' -count=1

# Keep npm's cache and logs in .cache, because HOME may be empty.
iam-oracle: ## compare DECISIONS (20000) of internal/iam, generated from SEED (1), with those of another implementation; needs npm
	cd e2e/iam-oracle && npm_config_cache='$(CURDIR)/.cache/npm' npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier
	go test ./e2e/iam-oracle -run '^TestOracle$$' -timeout 60m -count=1 -v \
		-oracle '$(CURDIR)/e2e/iam-oracle/oracle.mjs' -decisions $(DECISIONS) -seed $(SEED)

# AWS is the path of an AWS CLI. By default the newest version in Debian is installed in .cache.
rehearse: ## run docs/getting-started.md with the real AWS CLI 2 against the demo's accounts
	e2e/getting-started/rehearse.sh .cache/awscli $(AWS)

attack: ## attack a process through its clients and through the responses it gets, and print the cost
	go test ./cmd/syncd -run '^TestAttack' -attack -count=1 -v | grep -v '^=== '
	go test ./internal/checkpoint/chunk -run '^TestForgedChunk$$' -forgeries $(FORGERIES) -timeout $(PATIENCE)

refusals: ## compare the throughput of the real program with and without random denials
	go test ./cmd/syncd -run '^TestRefusalsCostLittle$$' -refusals 8000 -count=1 -v | grep -v '^=== '

bench: ## run the benchmarks and compare them with bench/base.txt
	@mkdir -p bench
	go test -run '^$$' -bench . -benchmem -count $(BENCHCOUNT) ./... | tee bench/new.txt
	@if [ -f bench/base.txt ]; then $(TOOL) benchstat bench/base.txt bench/new.txt; fi

bench-peers: build ## compare the cost of syncd with other clients, on a quiet machine with two cores
	cd bench && GOBIN=$(CURDIR)/bench/bin go install .
	GOBIN=$(CURDIR)/bench/bin go install github.com/rclone/rclone@$(RCLONE)
	bench/bin/bench --peer syncd=./syncd --peer rclone=bench/bin/rclone --rounds $(ROUNDS) $(PEERS)

golden: ## rewrite the golden files of every package whose tests have an -update flag
	@pkgs=$$(find . -name '*_test.go' -exec grep -q 'flag\..*"update"' {} \; -exec dirname {} \; | sort -u); \
	if [ -n "$$pkgs" ]; then go test $$pkgs -update; fi

demo: ## show the whole story with two accounts in one process, in a minute
	go run ./cmd/syncd demo

docker: ## build the container image
	docker build --tag $(IMAGE) .

nightly: KILLS := 2000
nightly: LOST := 1000000
nightly: race-all fuzz crash many-ranges stress adversary mutants release-test attack memory millions fleet drain refusals soak ## run in full what CI runs in part

tidy-check:
	go mod tidy -diff

fmt-check:
	$(TOOL) golangci-lint fmt --diff

ci: tidy-check fmt-check lint structure race fuzz crash stress mutants interop deploy-test build ## run every check that must pass before a merge
