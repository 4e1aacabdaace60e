# The front door for developers: `make` or `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Where `make setup` puts uv when the machine has none.
export PATH := $(CURDIR)/.cache/tools/bin:$(HOME)/.local/bin:$(PATH)
# Compiled bytecode is what makes start-up fast, and another environment must not be mistaken for ours.
unexport PYTHONDONTWRITEBYTECODE VIRTUAL_ENV PYTHONPATH

RUN := uv run --no-sync
PYTEST := scripts/pytest
ARGS ?=

##@ Start here

.PHONY: help
help: ## Show this help
	@awk -f scripts/help.awk $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install all that development needs: uv, the locked environment, our wheels
	@scripts/setup

.PHONY: demo
demo: setup ## Text -> speech -> video through a broker and its sidecars; files in demo-output/
	@scripts/demo $(ARGS)

##@ Test (ARGS="-k name" is passed on to pytest)

.PHONY: test
test: setup ## All tests that need nothing but this machine, the fast ones first
	@scripts/test $(ARGS)

.PHONY: unit contract conformance integration
unit: setup ## No process and no socket; seconds
contract: setup ## The contract and what is generated from it
conformance: setup ## What every provider must pass, over the wire; broken providers that must not
integration: setup ## Real processes and sockets
unit contract conformance integration:
	@$(PYTEST) $@ $(ARGS)

.PHONY: providers
providers: setup ## Each provider's own tests, in an environment of its own (PROVIDERS="cowsay speech" for some)
	@scripts/test-providers $(PROVIDERS)

.PHONY: clients
clients: setup ## Go, Node, Rust and Java clients against a broker, where their toolchains are installed
	@$(PYTEST) clients $(ARGS)

.PHONY: faults
faults: setup ## Things that break: crashes, full disks, floods, lost connections
	@scripts/system-packages faults || echo "faults that need them are skipped"
	@MEDIACONDUIT_FAULT_ROUNDS=$${MEDIACONDUIT_FAULT_ROUNDS:-20} $(PYTEST) faults $(ARGS)

.PHONY: soak
soak: setup ## Many at once and for long; not part of `make test`
	@$(PYTEST) load $(ARGS)

.PHONY: live
live: setup ## Real vendors whose keys are in the environment (VENDOR=anthropic for one); costs a little
	@$(PYTEST) live $(ARGS)

.PHONY: ci
ci: ## What CI runs: every gate and every test on this checkout
	@.ci/run

##@ Check and measure

.PHONY: lint
lint: setup ## Every static gate: formatting, types, layers, the contract, generated code
	@scripts/lint

.PHONY: fmt
fmt: setup ## Format code and contract, fix what can be fixed
	@$(RUN) ruff check --fix-only --quiet .
	@$(RUN) ruff format .
	@scripts/proto --third-party && $(RUN) buf format --write protos
	@scripts/node-host --format

.PHONY: bench
bench: setup ## Measure the budgets as ratios on this machine; writes bench/results.json
	@$(RUN) python -m bench $(ARGS)

##@ Build

.PHONY: go-host rust-host
go-host: ## Build the host library for Go, check it and run its tests; needs Go
	@cd protos/go && go build ./...
	@cd provider_hosts/go && test -z "$$(gofmt -l .)" && go vet ./... && go test ./...

rust-host: ## Build the host library for Rust, check it and run its tests; needs cargo
	@cd provider_hosts/rust && cargo fmt --check && \
	  CARGO_TARGET_DIR=$${CARGO_TARGET_DIR:-$(CURDIR)/.cache/cargo} cargo test --release --locked --quiet

.PHONY: dist
dist: setup ## Wheels to install elsewhere, in dist/
	@scripts/dist

.PHONY: wheels
wheels: ## Build the wheels the broker puts into every provider's environment, when sources changed
	@scripts/wheels

.PHONY: node-host
node-host: ## Build the Node host and esbuild for Node providers, when sources changed (ARGS=--generate, --check, --format, --test)
	@scripts/node-host $(ARGS)

.PHONY: proto
proto: setup ## Regenerate the Python binding and the Node host's TypeScript from protos/
	@scripts/proto
	@scripts/node-host --generate

.PHONY: proto-check
proto-check: setup ## Fail when the committed binding is not what protos/ generates
	@scripts/proto --check

.PHONY: proto-image
proto-image: setup ## Accept the contract as it is: what later changes may not break
	@scripts/proto --image

.PHONY: capabilities
capabilities: setup ## Write docs/capabilities.md: which provider does what
	@uv run --no-sync python scripts/capabilities

.PHONY: vendor-prices
vendor-prices: setup ## Bring the bundled prices of vendors' models up to date (ARGS=1.109.1 for a version)
	@uv run --no-sync python scripts/vendor-prices $(ARGS)

.PHONY: diagrams
diagrams: ## Render docs/*.dot (needs graphviz)
	@scripts/system-packages diagrams
	@scripts/diagrams

.PHONY: clean
clean: ## Remove what was built or cached here; the uv and provider caches of your home stay
	@rm -rf .cache .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist demo-output \
	  broker/mediaconduit_broker/_bundled protos/third_party
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "clean"
