# Everything runs in environments of this checkout's own: hatch lives in .tools/, its environments in .hatch/.
# Needed beforehand: Python 3.11 or newer (with venv), make and git.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# Override with `make test PYTHON=/path/to/python3.13`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then command -v "$$p"; break; fi; done)

ROOT := $(CURDIR)
TOOLS := $(ROOT)/.tools
HATCH := $(TOOLS)/bin/hatch
UV := $(TOOLS)/bin/uv

# Nothing is written outside the checkout, and no interpreter is ever downloaded.
export HATCH_DATA_DIR := $(ROOT)/.hatch/data
export HATCH_CACHE_DIR := $(ROOT)/.hatch/cache
export HATCH_CONFIG := $(ROOT)/.hatch/config.toml
export HATCH_ENV_TYPE_VIRTUAL_UV_PATH := $(UV)
export UV_CACHE_DIR ?= $(ROOT)/.cache/uv
export UV_CONSTRAINT := $(ROOT)/constraints.txt
export UV_PYTHON_DOWNLOADS := never
export PIP_CONSTRAINT := $(ROOT)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE :=

MANIFESTS := pyproject.toml constraints.txt $(wildcard packages/*/pyproject.toml packages/*/hatch_build.py packages/*/native/*)

.PHONY: help demo test check format bench docs fuzz soak endurance autobahn lock hatch clean services-stop

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .hatch/demo.stamp ## start a local server and show the client at work against it, step by step
	@$(HATCH) -q run demo:python examples/run_demo.py

test: .hatch/default.stamp ## run every test, with a gate of 100 % line and branch coverage for each package
	@$(HATCH) -q run python scripts/run_tests.py

check: .hatch/default.stamp ## check formatting, lint and types, without running anything
	@$(HATCH) -q run lint
	@$(HATCH) -q run types

format: .hatch/default.stamp ## format the code and apply the safe lint fixes
	@$(HATCH) -q run format

bench: .hatch/bench.stamp ## measure the client beside its peers, in one run (needs nginx)
	@scripts/services.sh require nginx
	@$(HATCH) -q run bench:python -m benchmarks $(ARGS)

docs: .hatch/docs.stamp ## build the documentation into docs/_build/html, with warnings as errors
	@$(HATCH) -q run docs:build

fuzz: .hatch/default.stamp .hatch/fuzz.stamp ## search for inputs that break a property (ARGS="--seconds 600 response")
	@HYPOTHESIS_PROFILE=fuzz $(HATCH) -q run python scripts/run_tests.py --fuzz
	@$(HATCH) -q run fuzz:python -m fuzz $(ARGS)

soak: .hatch/bench.stamp ## run many requests and fail if memory, descriptors or tasks grow
	@$(HATCH) -q run bench:python -m benchmarks.soak $(ARGS)

endurance: .hatch/bench.stamp ## let each kind of traffic happen 100,000 times, and spoil some of it (needs nginx)
	@scripts/services.sh require nginx
	@$(HATCH) -q run bench:python -m benchmarks.endurance $(ARGS)

autobahn: .hatch/default.stamp ## try the WebSocket client against Autobahn's fuzzing server (ARGS=--profile for a part of it)
	@grep -qs AUTOBAHN .services/env || scripts/services.sh start autobahn
	@$(HATCH) -q run python scripts/autobahn.py $(ARGS)

lock: .tools/stamp ## renew constraints.txt, the pinned versions of all development tools
	@UV="$(UV)" scripts/lock.sh

hatch: .tools/stamp ## run hatch with this checkout's settings: make hatch ARGS="run iso:test"
	@$(HATCH) $(ARGS)

services-stop: ## stop the servers that scripts/services.sh started
	@scripts/services.sh stop

clean: services-stop ## remove everything that these targets made
	rm -rf .tools .hatch .cache .fuzz .venv dist docs/_build benchmarks/results
	rm -rf .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find packages tests examples benchmarks fuzz scripts docs -name __pycache__ -type d -prune -exec rm -rf {} +

.tools/stamp: constraints.txt
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer is needed, and none is on PATH (or set PYTHON=…)" >&2; exit 1; }
	@echo "setting up hatch in .tools/ with $(PYTHON)"
	@rm -rf .tools
	@"$(PYTHON)" -m venv .tools
	@.tools/bin/python -m pip install -q hatch uv
	@mkdir -p .hatch && touch .hatch/config.toml
	@touch $@

# Hatch does not notice a changed constraint or a sibling's changed range: a changed manifest starts a fresh environment.
.hatch/%.stamp: .tools/stamp $(MANIFESTS)
	@echo "setting up the environment '$*'"
	@$(HATCH) -q env remove $* 2>/dev/null || true
	@$(HATCH) -q env create $*
	@touch $@
