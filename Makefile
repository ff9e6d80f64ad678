# Everything here needs Go, make and a C compiler; the linter and benchstat build themselves from tools/go.mod.
SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:

# A number of inputs: before Go 1.27 a time that runs out at the wrong moment fails the run (golang.org/issue/75804).
FUZZTIME   ?= 20000x
KILLS      ?= 200
OBJECTS    ?= 50000
CONTEST    ?= 3h
FORGERIES  ?= 50000
SOAK       ?= 20m
# How long the tests of one package may take: on a busy machine they take several times as long as on a quiet one.
PATIENCE   ?= 40m
CHROMIUM   ?= /usr/bin/chromium
PROMETHEUS ?= /usr/bin/prometheus
PROMTOOL   ?= /usr/bin/promtool
BENCHCOUNT ?= 6
DECISIONS  ?= 20000
SEED       ?= 1
IMAGE      ?= syncd:dev
TOOL       := go tool -modfile=tools/go.mod
# Held to its hash by the checksum database of Go, as is cosign in the release workflow.
VULNCHECK  := golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: help build test race cover lint structure vuln fmt fuzz crash stress adversary mutants attack refusals interop deploy-test release-test minio versitygw iam-oracle rehearse memory fleet drain soak browser prometheus bench golden demo docker race-all nightly tidy-check fmt-check ci

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' Makefile

build: ## build the static binary ./syncd
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o syncd ./cmd/syncd

# Garbage is collected less often than by default, which takes a fifth of the time of the tests.
test race race-all: export GOGC := 400

# Some tests wait: others run meanwhile. Without tables for a debugger (-w) a test program is linked in two thirds of the time.
test: ## run the tests
	go test -p 4 -ldflags=-w -timeout $(PATIENCE) ./...

# On one processor: Go 1.26 crashes in the race detector when goroutines of a synctest bubble ask channel timers at once, because these share
# one context of the detector (unlockAndRun in runtime/time.go). It finds races by what orders accesses, not by their being at once.
race: ## run the tests under the race detector
	go test -race -p 4 -cpu 1 -short -ldflags=-w -timeout $(PATIENCE) ./...

race-all: ## run all tests under the race detector, also those that take long there
	go test -race -cpu 1 -timeout 3h ./...

cover: ## run the tests and write coverage to cover.out
	go test -coverpkg=./... -coverprofile=cover.out ./...
	@go tool cover -func=cover.out | tail -n 1

lint: ## run the linters of .golangci.yml
	$(TOOL) golangci-lint run

structure: ## measure every package, and hold its size and its imports to the floor plan of docs/design.md
	cd tools && go test ./structure && go run ./structure -dir .. -plan ../docs/design.md

# Its database is asked over the network: the hosted workflow runs it, make ci does not.
vuln: ## look for known vulnerabilities that the code reaches
	go run $(VULNCHECK) ./...

fmt: ## format every Go file
	$(TOOL) golangci-lint fmt

# One go test run fuzzes one target only. They are found in the files: to have Go list them it would link the tests of all packages.
fuzz: ## run every fuzz target on FUZZTIME (20000x) inputs
	@grep -rE '^func Fuzz' --include='*_test.go' . | sed -E 's|^(\./.*)/[^/]*:func (Fuzz[A-Za-z0-9_]*).*|\1 \2|' | sort | \
	while read -r pkg target; do \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime '$(FUZZTIME)' "$$pkg" </dev/null; \
	done

crash: ## kill the real process KILLS (200) times under the same settings and under others, and have every single request for the ledger fail
	go test ./cmd/syncd -run '^TestCrash' -timeout 2h -kills $(KILLS)
	go test ./internal/checkpoint -run '^TestEverySingleRequestFails$$|^TestS3UploadsFail$$|^TestHoldersAgainstAModel$$' -every-request -contest 3m -timeout $(PATIENCE)

stress: ## copy OBJECTS (50000) through faults, up to the rates of S3 and KMS, in every scene of docs/throttling.md, and a tree of 10,000 files
	go test ./internal/syncer -run '^TestEverythingArrives|^TestItFinds|^TestRefusalsAtRandom|^TestManyAreRefused' -timeout 30m -many $(OBJECTS)
	go test ./internal/throttle -run '^TestSimulation$$|^TestBursts$$|^TestLevelLearnsFromConnections$$' -timeout 30m -scenes all
	go test ./cmd/syncd -run '^TestBackfillOfATree$$' -timeout 30m -tree .
	go test ./internal/copier -run '^TestCopyOfAnObjectOfTebibytes$$' -timeout 30m -tebibytes

adversary: ## have every answer that decides something be untrue, in each way, and processes take a copy from each other
	go test ./internal/syncer -run '^TestAdversary|^TestQuoteIsWhatACopySends' -lies all -timeout 30m
	go test ./internal/syncer -run '^TestHoldersOfData' -contest $(CONTEST) -timeout 30m

mutants: ## break every policy that is generated, in every place, and have the doctor say where
	go test ./internal/access/policy ./internal/access/doctor ./internal/access/lint -run '^TestDoctorNamesTheMutant|^TestEverythingGrantedIsNeeded|^TestGeneratedDocuments|^TestRequestsQuoteAndPoliciesAgree' -mutants all -timeout 30m -v | grep -v '^=== '

release-test: ## build the release twice, in two folders, and compare every byte
	go test ./cmd/syncd -run '^TestReleaseIsReproducible$$' -release -timeout $(PATIENCE)

interop: ## read the ledger's chunks with another Parquet implementation, in a module of its own
	cd internal/checkpoint/interop && go test ./...

deploy-test: ## hold deploy/ to Kubernetes, Helm, Prometheus and Terraform, in a module of its own
	cd deploy/deploytest && go test -count=1 ./...

memory: ## measure ten passes at once over ledgers of 200,000 entries each on S3, and a thousand mappings at rest
	go test ./cmd/syncd -run '^TestMemoryOfPasses$$|^TestMemoryAtRest$$' -memory-entries 200000 -memory-most 512 -count=1 -v -timeout 60m | grep -v '^=== '
	go test ./internal/checkpoint/store/s3 -run '^TestPassesAtOnceShareMemory$$' -memory-entries 200000 -count=1 -v -timeout 60m | grep -v '^=== '

fleet: ## keep a thousand mappings of 10,000 entries each in one process, and say what that takes
	go test ./cmd/syncd -run '^TestFleet$$' -tenants 1000 -entries 10000 -count=1 -v -timeout 60m | grep -v '^=== '

drain: ## stop the real process 50 times at random moments under load; the next one is at work within 2 s
	go test ./cmd/syncd -run '^TestDrain$$' -drains 50 -takeover 2s -timeout 20m

soak: ## keep a daemon busy for SOAK (20m) with faults under the race detector: nothing may grow
	go test ./internal/daemon -run '^TestAnHourOfManyMappings$$' -tenants 200 -timeout 60m
	go test -race -cpu 1 ./internal/daemon -run '^TestSoak$$' -soak $(SOAK) -v -timeout 60m

browser: ## look at the status page with CHROMIUM (/usr/bin/chromium), in a module of its own
	cd internal/daemon/browsertest && go test -count=1 . -args -chromium '$(CHROMIUM)'

prometheus: ## have a real PROMETHEUS scrape a real syncd, its alerts fire and its dashboard asked; promtool checks the rules
	cd deploy/deploytest && go test -count=1 . -run '^TestLive|^TestPromtool' -args -prometheus '$(PROMETHEUS)' -promtool '$(PROMTOOL)'

minio: ## run the fidelity table against a real MinIO server, built first from its module
	e2e/build-minio.sh .cache/minio
	go test ./cmd/syncd -run '^TestFidelityOnMinIO$$' -minio '$(CURDIR)/.cache/minio' -count=1

versitygw: ## run the fidelity table from a real Versity gateway, built first from its module, and copy into one
	e2e/build-versitygw.sh .cache/versitygw
	go test ./cmd/syncd -run 'Versity$$' -versitygw '$(CURDIR)/.cache/versitygw' -count=1

# npm keeps its cache and its logs beside ours: HOME may be empty.
iam-oracle: ## compare DECISIONS (20000) of internal/iam, made up from SEED (1), with those of another implementation; needs npm
	cd e2e/iam-oracle && npm_config_cache='$(CURDIR)/.cache/npm' npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier
	go test ./e2e/iam-oracle -run '^TestOracle$$' -timeout 60m -count=1 -v \
		-oracle '$(CURDIR)/e2e/iam-oracle/oracle.mjs' -decisions $(DECISIONS) -seed $(SEED)

# AWS is the path of a CLI; without it the newest that Debian has is installed below .cache.
rehearse: ## rehearse docs/getting-started.md with the real AWS CLI 2 against the accounts of the demo
	e2e/getting-started/rehearse.sh .cache/awscli $(AWS)

attack: ## attack a process by its clients and by the answers it gets, and print what that costs
	go test ./cmd/syncd -run '^TestAttack' -attack -count=1 -v | grep -v '^=== '
	go test ./internal/checkpoint/chunk -run '^TestForgedChunk$$' -forgeries $(FORGERIES) -timeout $(PATIENCE)

refusals: ## compare the rate of the real program with and without random refusals, side by side
	go test ./cmd/syncd -run '^TestRefusalsCostLittle$$' -refusals 8000 -count=1 -v | grep -v '^=== '

bench: ## run the benchmarks and compare them with bench/base.txt
	@mkdir -p bench
	go test -run '^$$' -bench . -benchmem -count $(BENCHCOUNT) ./... | tee bench/new.txt
	@if [ -f bench/base.txt ]; then $(TOOL) benchstat bench/base.txt bench/new.txt; fi

golden: ## rewrite the golden files of every package whose tests know -update
	@pkgs=$$(find . -name '*_test.go' -exec grep -q 'flag\..*"update"' {} \; -exec dirname {} \; | sort -u); \
	if [ -n "$$pkgs" ]; then go test $$pkgs -update; fi

demo: ## two accounts in one process: the whole story in a minute
	go run ./cmd/syncd demo

docker: ## build the container image
	docker build --tag $(IMAGE) .

nightly: race-all fuzz crash stress adversary mutants release-test attack memory fleet drain refusals soak ## the whole of what CI runs a share of

tidy-check:
	go mod tidy -diff

fmt-check:
	$(TOOL) golangci-lint fmt --diff

ci: tidy-check fmt-check lint structure race fuzz crash stress mutants interop deploy-test build ## all that must pass before a merge
