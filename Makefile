# Every target sets up what it needs, in this folder only: .venv/ (Python), .tools/ (Go tools), build/.
#
#   make demo    needs Go, Python 3.10 or newer and a C compiler; no Kafka, no Java
#   make test    besides: a JDK 17 or newer and Maven, which fetch a real Kafka, a real registry and Avro's Java,
#                and install Ray, dask and Spark
#   make help    lists the targets
#
# Variables: PYTHON=python3.12 (for .venv), CC=, FUZZTIME=60s, PYTEST_ARGS="-k name", GO_TEST_ARGS="-run Name",
#            KAFKA_VERSION=3.9.2 (of the broker that tests start; the newest by default)

SHELL := /bin/bash
.DEFAULT_GOAL := help
# One target after the other, with -j too: the tests measure time, and two cores are soon full.
.NOTPARALLEL:

# The first Python that is new enough; `python3` of an older system may not be.
PYTHON ?= $(or $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo $$python && break; done),\
	$(error no Python 3.10 or newer was found: install one (with its venv module), or name it with PYTHON=))

VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check
UV := $(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.10 --no-header --no-annotate --generate-hashes
GOLANGCI_VERSION := v2.15.0
GOLANGCI := .tools/golangci-lint-$(GOLANGCI_VERSION)
GOVULNCHECK_VERSION := v1.9.0
COMPOSE_GO_VERSION := v2.16.2
FUZZTIME ?= 60s
SEEDS ?= 20000
# The last of the lines before 4.0.
OLDER_KAFKA ?= 3.9.2
# By default Go spends up to a minute on making each new input smaller, which is most of the time there is.
FUZZFLAGS := -fuzzminimizetime=10x
PYTEST := $(VENV)/bin/python -m pytest

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: demo
demo: build $(VENV)/runtime.stamp ## Start an embedded broker and registry, and poll typed frames from them
	$(VENV)/bin/python -m pykafarr demo

# By .venv's Python, which has the pip that downloads librdkafka.
.PHONY: build
build: | $(VENV)/bin/python ## Build the native libraries into pykafarr/_native/
	$(VENV)/bin/python build_native.py

# ---- Tests ----

.PHONY: test
test: ## Lint and run every test, and print how long each stage took
	@begun=$$SECONDS; for stage in lint test-go fuzz-short test-python test-integration test-engines; do \
		since=$$SECONDS; $(MAKE) --no-print-directory $$stage || exit; \
		times+="$$(printf '%6d s  %s' $$((SECONDS - since)) $$stage)"$$'\n'; \
	done; printf '%s%6d s  in all\n' "$$times" $$((SECONDS - begun))

# With the librdkafka of the Go module, as Go programs that import kafarr have it; all tests of Python have the one of the wheel.
.PHONY: test-go
test-go: ## Run the Go tests with the race detector; those of the listener and of formats without it, too
	@# A format's loops start no goroutine, and take ten times as long with the race detector: kafarr/hostile says what it is spared.
	go test $(GO_TEST_ARGS) ./kafarr ./kafarr/format/...
	go test -race $(GO_TEST_ARGS) ./...

# $(call fuzz,command) runs a command for each fuzz target there is, with its name as $$target and its package as $$package. Before 1.27, Go may
# end a run with its own deadline as the failure (golang/go#75804); where it is that and no input, the target is run again, once.
fuzz = @set -e -o pipefail; mkdir -p build; \
	grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' kafarr cgo | sort | while IFS=: read -r file target; do \
	target=$${target\#func }; package=./$$(dirname $$file); \
	run() { (set -x; $(1)) 2>&1 | tee build/fuzz.log; }; \
	run || { grep -qx ' *context deadline exceeded' build/fuzz.log && ! grep -q 'Failing input' build/fuzz.log && run; }; \
done

.PHONY: fuzz fuzz-short
fuzz: ## Fuzz each Go fuzz target for FUZZTIME
	$(call fuzz,go test -run='^$$' -fuzz="^$$target$$" $(FUZZFLAGS) -fuzztime=$(FUZZTIME) $$package)
fuzz-short: ## Fuzz the decoder of bodies for 10 s and the other targets for 3 s each
	$(call fuzz,go test -run='^$$' -fuzz="^$$target$$" $(FUZZFLAGS) -fuzztime=$$([ $$target = FuzzBody ] && echo 10s || echo 3s) $$package)

.PHONY: test-python
test-python: build build-testing $(VENV)/release.stamp .tools/compose-go ## Run the Python tests that need no server; some ask Avro's Java (JDK)
	$(PYTEST) tests/unit tests/conformance tests/process tests/docs tests/release $(PYTEST_ARGS)

.PHONY: golden
golden: $(VENV)/dev.stamp ## Write kafarr/format/avro/testdata/golden.json anew, with Avro's Java
	$(VENV)/bin/python -m tests.conformance.golden

.PHONY: types-page
types-page: build $(VENV)/dev.stamp ## Write docs/types.md, docs/pandas.md (what frames make of each type) and docs/options.md
	@# polars prints its panics, of which the page tells.
	$(VENV)/bin/python -m tests.docs.types_page
	$(VENV)/bin/python -m tests.docs.pandas_page
	$(VENV)/bin/python -m tests.docs.options_page

.PHONY: test-integration
test-integration: build build-testing $(VENV)/release.stamp ## Run the tests against a real Kafka and a real registry
	$(PYTEST) tests/integration tests/security tests/leaks $(PYTEST_ARGS)

.PHONY: test-older-kafka
test-older-kafka: build build-testing $(VENV)/release.stamp ## Run the tests against a real broker of an older line (OLDER_KAFKA=3.9.2)
	KAFKA_VERSION=$(OLDER_KAFKA) $(PYTEST) tests/integration tests/security $(PYTEST_ARGS)

.PHONY: test-engines
test-engines: build $(VENV)/engines.stamp ## Run the tests on local clusters of Ray, dask, Spark and polars, and under gevent (installs them: 850 MB)
	$(PYTEST) tests/engines $(PYTEST_ARGS)

.PHONY: test-long
test-long: build $(VENV)/dev.stamp ## Decode damaged bodies of twenty thousand random schemas within the bounds of SECURITY.md (SEEDS=20000), and acknowledge a million times
	PYKAFARR_TRACKER_CALLS=1000000 go test -count=1 -timeout=1h -run='^TestTheTracker' ./kafarr/internal/delivery
	PYKAFARR_HOSTILE_SEEDS=$(SEEDS) go test -count=1 -timeout=2h -run='^TestTheOracle' ./kafarr/...
	PYKAFARR_HOSTILE_SEEDS=$(SEEDS) $(PYTEST) tests/unit/test_hostile.py $(PYTEST_ARGS)

.PHONY: leaks
leaks: build build-testing $(VENV)/dev.stamp ## Look for leaks with LeakSanitizer, and valgrind where it is installed
	$(PYTEST) tests/leaks $(PYTEST_ARGS)

.PHONY: soak
soak: build $(VENV)/dev.stamp ## Read ten million messages and print how the resident memory grows (SOAK_ARGS=--plant-leak)
	$(VENV)/bin/python -m bench.soak $(SOAK_ARGS)

.PHONY: soak-long
soak-long: build $(VENV)/dev.stamp ## Read a hundred million messages (writing them takes ten minutes): less than 8 MiB of growth
	$(VENV)/bin/python -m bench.soak --messages=100000000 --listeners=1 --limit=0.08 $(SOAK_ARGS)

.PHONY: test-processes
test-processes: build build-testing $(VENV)/dev.stamp ## Fork, end, open and close, call and limit memory in earnest, and print the figures
	PYKAFARR_FORKS=200 PYKAFARR_ENDINGS=100 PYKAFARR_CYCLES=500 PYKAFARR_SEEDS=1-21 $(PYTEST) -q -rP --no-header \
		$(addprefix tests/process/test_,servers.py exit.py cycles.py calls.py threads.py signals.py) tests/integration/test_memory_limit.py $(PYTEST_ARGS)

.PHONY: chaos
chaos: build $(VENV)/dev.stamp ## Kill brokers, listeners and slow consumers, and print what is left of the messages (CHAOS_ARGS="--times 5 brokers")
	$(VENV)/bin/python -m tests.chaos $(CHAOS_ARGS)

# The library with a panic on purpose and the like, for the process tests: never packaged.
.PHONY: build-testing
build-testing: | $(VENV)/bin/python
	$(VENV)/bin/python build_native.py --testing

# ---- Lint ----

.PHONY: lint
lint: lint-go lint-python ## Check the sources without running them

.PHONY: lint-go
lint-go: $(GOLANGCI)
	go vet ./...
	$(GOLANGCI) run ./...
	@# golangci-lint sees cgo's output, in which import "C" is gone, so this rule is kept by hand.
	@! grep -rl --include='*.go' '^import "C"' kafarr bench | grep -v '^kafarr/\(cmem\|source\|internal/rdkafka\|internal/lz4\)/' \
		|| { echo 'import "C" belongs into cgo, kafarr/cmem, kafarr/source, kafarr/internal/rdkafka and kafarr/internal/lz4 only'; exit 1; }

.PHONY: lint-python
lint-python: $(VENV)/dev.stamp
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

.PHONY: audit
audit: build $(VENV)/dev.stamp .tools/govulncheck ## Look for known vulnerabilities, where their data can be had, and for unfit licences
	$(VENV)/bin/python audit.py

.PHONY: format
format: $(VENV)/dev.stamp ## Format Go and Python
	gofmt -w kafarr cgo bench
	$(VENV)/bin/ruff check --fix-only .
	$(VENV)/bin/ruff format .

# ---- Measure, package ----

.PHONY: bench bench-decode bench-peers bench-consume bench-options bench-scans bench-produce
bench: bench-decode bench-peers bench-consume bench-options bench-scans bench-produce ## Measure decoding, then the whole way against others (BENCH_ARGS="--rounds 3")

bench-decode: ## Measure decoding and encoding, without a broker
	go test -run='^$$' -bench=. -benchmem ./bench/...

bench-peers: build $(VENV)/bench.stamp ## Measure decoding of Protobuf and JSON in memory, against other libraries (BENCH_ARGS="--rounds 31")
	$(VENV)/bin/python -m bench.peers $(BENCH_ARGS)

bench-consume: build $(VENV)/bench.stamp ## Measure Kafka to frames, against others; writes bench/results/
	$(VENV)/bin/python -m bench.consume $(BENCH_ARGS)

bench-options: build $(VENV)/bench.stamp ## Measure what metadata columns, mixed types and tombstones cost (BENCH_ARGS="--rounds 15")
	$(VENV)/bin/python -m bench.consume.options $(BENCH_ARGS)
	$(VENV)/bin/python -m bench.consume.changelogs $(BENCH_ARGS)

bench-scans: build $(VENV)/bench.stamp ## Measure scans against librdkafka and the listener (BENCH_ARGS="--rounds 15")
	$(VENV)/bin/python -m bench.consume.scans $(BENCH_ARGS)

bench-produce: build $(VENV)/bench.stamp ## Measure frames to a topic, against others, on two kinds of brokers (BENCH_ARGS="--rounds 9 --case 0")
	$(VENV)/bin/python -m bench.produce $(BENCH_ARGS)

.PHONY: wheels
wheels: $(VENV)/release.stamp ## Build the manylinux wheels into dist/, twice each, and check them (WHEELS="amd64 arm64")
	$(VENV)/bin/python -m release.wheels --twice $(WHEELS)

.PHONY: install-matrix
install-matrix: $(VENV)/release.stamp ## Install the wheel of dist/ with every CPython there is, and old and new pyarrow and pandas
	$(VENV)/bin/python -m release.matrix

# Where no registry of images is reached, IMAGE_SCRIPTS may hold an image-bases.sh that makes bases.
.PHONY: images
images: build $(VENV)/release.stamp ## Build the images, with docker or buildah, and run them (IMAGES="runtime dev")
	IMAGE_SCRIPTS="$${IMAGE_SCRIPTS-../shared/images}" nice $(VENV)/bin/python -m release.images $(IMAGES)

.PHONY: release
release: $(VENV)/release.stamp ## Make all that is published into dist/, from a tag (TAG=v0.1.0 RELEASE_ARGS=--no-images)
	@# From the environment, where make puts it: a tag's name is no part of a command.
	$(VENV)/bin/python -m release --tag "$$TAG" $(RELEASE_ARGS)

.PHONY: smoke-aarch64
smoke-aarch64: $(VENV)/release.stamp ## Run the aarch64 wheel of dist/ under qemu
	$(VENV)/bin/python -m release.foreign

# ---- Set-up ----

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	@# The package is used from the source tree, by whatever runs in the environment, in subprocesses too.
	$(VENV)/bin/python -c 'import sysconfig; open(sysconfig.get_path("purelib") + "/pykafarr.pth", "w").write("$(CURDIR)\n")'

$(VENV)/runtime.stamp: requirements/runtime.txt | $(VENV)/bin/python
	$(PIP) install --quiet --require-hashes -r $<
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt | $(VENV)/bin/python
	$(PIP) install --quiet --require-hashes -r $<
	@touch $@ $(VENV)/runtime.stamp

$(VENV)/bench.stamp: requirements/bench.txt $(VENV)/dev.stamp
	$(PIP) install --quiet --require-hashes -r $<
	@touch $@

$(VENV)/release.stamp: requirements/release.txt $(VENV)/dev.stamp
	$(PIP) install --quiet --require-hashes -r $<
	@touch $@

$(VENV)/lock.stamp: requirements/lock.txt $(VENV)/dev.stamp
	$(PIP) install --quiet --require-hashes -r $<
	@touch $@

$(VENV)/engines.stamp: requirements/engines.txt $(VENV)/dev.stamp
	$(PIP) install --quiet --require-hashes -r $<
	@touch $@

$(GOLANGCI):
	GOBIN=$(CURDIR)/.tools go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv .tools/golangci-lint $@

.tools/govulncheck:
	GOBIN=$(CURDIR)/.tools go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)

# What `docker compose` reads its files with.
.tools/compose-go:
	GOBIN=$(CURDIR)/.tools go install github.com/compose-spec/compose-go/v2/cmd@$(COMPOSE_GO_VERSION)
	mv .tools/cmd $@

.PHONY: lock
lock: $(VENV)/lock.stamp ## Lock the Python requirements anew, with the hashes of all files of each release, from pyproject.toml
	for name in runtime dev; do \
		{ echo "# Locked from pyproject.toml by \`make lock\`, for every Python from 3.10 on: do not edit." && \
		$(UV) $$([ $$name = dev ] && echo --extra dev) pyproject.toml; } > requirements/$$name.txt || exit 1; \
	done
	@# After dev.txt, whose versions they keep.
	for name in bench release lock build; do \
		{ echo "# Locked from requirements/$$name.in by \`make lock\`, for every Python from 3.10 on: do not edit." && \
		$(UV) requirements/$$name.in; } > requirements/$$name.txt || exit 1; \
	done
	{ echo "# Locked from pyproject.toml and requirements/engines.in by \`make lock\`, for every Python from 3.10 on: do not edit." && \
		$(UV) --extra dask --extra polars --extra ray --extra spark pyproject.toml requirements/engines.in; } > requirements/engines.txt

.PHONY: clean
clean: ## Remove what was built; .venv and .tools stay
	rm -rf build dist pykafarr/_native *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find pykafarr tests bench -name __pycache__ -prune -exec rm -rf {} +
