# `make serve` to try it, `make test` to prove it, `make dist` to publish it. Each of them sets up what is missing first.

PUBLIC_URL = /
CONFIG =
DIST = dist
ONLY =
SECONDS_EACH ?= 120
TARGETS =
FILES =
MINUTES = 3
SEED =
BINARY = workbench

# Alone, after the others: eight tabs are as much as a small machine does at a time.
SOAK = tests/e2e/soak.test.mjs
E2E = $(filter-out $(SOAK),$(wildcard tests/e2e/*.test.mjs))
# Signing in, on the sandbox once more: all but what tests the sandbox itself, or the servers of the tests.
ON_SANDBOX = $(filter-out tests/e2e/sandbox% tests/e2e/servers.test.mjs,$(E2E))

ENV := . ./env.sh &&
WASM := --target wasm32-unknown-unknown

.PHONY: help serve authorization-server test dist dist-sub setup setup-test fmt clippy doc test-native test-browser test-scripts test-e2e soak package fuzz mutants requirements sizes clean
# The steps of `make test` share one target directory and one terminal.
.NOTPARALLEL:

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | expand -t 24

serve: ## the workbench, with the sandbox to sign in at: prints the address to open; Ctrl-C ends it [PORT=8080]
	@scripts/serve

authorization-server: ## a certified server to sign in at, and an API; prints the config.json for them [AS_PORT=9080] [API_PORT=9081]
	@scripts/authorization-server

test: setup-test fmt clippy doc test-native test-browser test-scripts test-e2e package ## everything, in order

dist: setup ## the release build in dist/ [PUBLIC_URL=/sub/path/] [CONFIG=config.json] [DIST=dist] [ONLY=app|minimal]
	@$(ENV) node scripts/dist.mjs --public-url "$(PUBLIC_URL)" --config "$(CONFIG)" --dist "$(DIST)" --only "$(ONLY)"

sizes: ## what the bytes of the last `make dist` are, function by function [BINARY=workbench|minimal|sandbox_worker]
	@$(ENV) node scripts/sizes.mjs $(BINARY)

setup: ## installs what `make serve` and `make dist` need
	@scripts/setup build

setup-test: ## installs what `make test` needs: a browser too
	@scripts/setup test

fmt: ## is the code formatted?
	$(ENV) cargo fmt --all --check

# The example is an app for the browser and nothing else, so the host passes it over.
clippy: ## lints, for the host and for wasm32
	$(ENV) cargo clippy --locked --all-targets -- -D warnings
	$(ENV) cargo clippy --locked --workspace --all-targets $(WASM) -- -D warnings

doc: ## rustdoc with warnings denied, for the host and for wasm32
	$(ENV) RUSTDOCFLAGS=-Dwarnings cargo doc --locked --no-deps
	$(ENV) RUSTDOCFLAGS=-Dwarnings cargo doc --locked --no-deps $(WASM) --lib

test-native: ## the protocol, natively, and what a build without the features refuses
	$(ENV) cargo test --locked
	$(ENV) cargo test --locked --lib --no-default-features

test-browser: ## the browser adapters and components, in headless Chromium
	@scripts/vectors
	$(ENV) WASM_BINDGEN_TEST_TIMEOUT=120 cargo test --locked $(WASM) --test browser --test ui --test sandbox_browser --test tabs_browser --test vectors

test-scripts: ## the build's own scripts
	$(ENV) node --test --test-reporter=spec scripts/*.d/*.test.mjs

test-e2e: dist dist-sub ## whole sign-ins in Chromium, against the release build: at a real server, then at the sandbox
	$(ENV) node --test --test-concurrency=2 --test-reporter=spec $(E2E)
	$(ENV) LEPTOS_PKCE_SERVER=sandbox node --test --test-concurrency=2 --test-reporter=spec $(ON_SANDBOX)
	$(ENV) node --test --test-reporter=spec $(SOAK)
	$(ENV) LEPTOS_PKCE_SERVER=sandbox node --test --test-reporter=spec $(SOAK)

soak: dist ## eight tabs of one person on a bad network: does anybody notice? [MINUTES=3] [SEED=] [WHERE=sandbox]
	$(ENV) MINUTES=$(MINUTES) SEED=$(SEED) node tests/e2e/soak.mjs

# The same site for a sub-path, for the tests of hosting.
dist-sub: setup
	@$(ENV) node scripts/dist.mjs --public-url /sub/path/ --dist dist-sub --only app

package: ## what would be published, and nothing else
	@$(ENV) scripts/package

fuzz: ## looks for inputs that break a parser, and keeps what is worth replaying [SECONDS_EACH=120] [TARGETS="url form"]
	@SECONDS_EACH=$(SECONDS_EACH) scripts/fuzz $(TARGETS)

mutants: ## looks for code that no test minds; hours, and docs/mutants.md [FILES=src/protocol/url.rs]
	@scripts/setup mutants
	@$(ENV) node scripts/mutants.mjs $(FILES)

requirements: ## writes docs/requirements.md anew, from the tests
	$(ENV) REQUIREMENTS=write cargo test --locked --test requirements

clean: ## removes what was built, not what was installed
	rm -rf target dist dist-minimal dist-sub test-artifacts fuzz/target
