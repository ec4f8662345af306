# Everything a person or CI does with this repository. Bare `make` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PACKAGES := svckit gateway svc-mediation svc-population svc-housing svc-fire-safety svc-assessment
MANIFESTS := pyproject.toml $(addsuffix /pyproject.toml,$(PACKAGES))
PROTOS := $(shell find proto/binglian -name '*.proto' 2>/dev/null)
WEB := $(shell find gateway/web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/generated/*' 2>/dev/null) $(wildcard svc-*/*/codes/*.csv)
UV_INSTALL := deploy/install.sh

.PHONY: help setup proto proto-baseline web run down demo seed rebuild-replica replay verify-history bench test test-unit test-contract test-integration test-e2e check format lock docs clean distclean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed proto $(if $(wildcard gateway/web/package-lock.json),web) ## Create .venv and install everything, generate code, build the web pages

$(VENV)/bin/uv:
	$(PYTHON) deploy/python_version.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt uv

$(VENV)/.installed: constraints.txt $(MANIFESTS) | $(VENV)/bin/uv
	$(UV_INSTALL) --group stack --group dev $(addprefix -e ,$(PACKAGES))
	@echo "$(CURDIR)/proto/gen" > "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/binglian_proto.pth"
	@touch $@

$(VENV)/.bench: $(VENV)/.installed
	$(UV_INSTALL) --group bench
	@touch $@

proto: proto/gen/.stamp ## Generate Python code from the .proto files

proto/gen/.stamp: $(PROTOS) proto/generate.py constraints.txt | $(VENV)/.installed
	$(PY) proto/generate.py
	@touch $@

proto-baseline: proto ## Accept the present protos as the contract that must not break
	$(PY) proto/baseline.py

web: gateway/web/dist/.stamp ## Build the web pages

# The pages generate their contract and code tables from the protos and the services.
gateway/web/dist/.stamp: $(WEB) $(PROTOS) | $(VENV)/.installed
	@$(PY) -m deploy.web
	@touch $@

run: setup ## Start the whole suite on this machine (Ctrl-C stops it)
	@$(PY) -m deploy.local run

down: ## Stop a suite that was started with `python -m deploy.local up`
	@if [ -x $(PY) ]; then $(PY) -m deploy.local down; fi

demo: setup ## Seed a district and play its stories (CHAOS=1 kills processes meanwhile)
	@$(PY) -m deploy.demo $(if $(CHAOS),--chaos) $(ARGS)

verify-history: setup ## Check the hash chains of all histories, or of some: [CASE="id …"] [ARGS="--seal FILE"]
	@$(PY) -m deploy.local verify-history $(CASE) $(ARGS)

seed: setup ## Fill the register with made-up people: [RESIDENTS=4000000]
	@$(PY) -m deploy.local seed $(if $(RESIDENTS),--residents "$(RESIDENTS)")

rebuild-replica: setup ## Build the columnar replica of the register from scratch
	@$(PY) -m deploy.local rebuild-replica

replay: setup ## Turn a file of service requests into cases: FILE=… [LIMIT=rows] [SPEED=…] [MAPPING=…]
	@$(PY) -m deploy.replay $(if $(FILE),"$(FILE)") $(if $(SPEED),--speed "$(SPEED)") $(if $(LIMIT),--limit "$(LIMIT)") $(if $(MAPPING),--mapping "$(MAPPING)") $(ARGS)

bench: setup $(VENV)/.bench ## Measure against floors and rivals: [ONLY=area]
	@$(PY) -m tests.load $(if $(ONLY),--only "$(ONLY)") $(ARGS)

test: setup ## Run every test: unit, contract, integration, end to end
	$(BIN)/pytest tests $(ARGS)

test-unit: setup ## Run the tests that need no server
	$(BIN)/pytest tests/unit $(ARGS)

test-contract: setup ## Run the structural tests and those that hold fakes and adapters equal
	$(BIN)/pytest tests/contract $(ARGS)

test-integration: setup ## Run the tests that need MongoDB or RabbitMQ (started for them)
	$(BIN)/pytest tests/integration $(ARGS)

test-e2e: setup ## Run the tests against the whole running suite
	$(BIN)/pytest tests/e2e $(ARGS)

check: setup ## Lint, types, import rules, protos, generated docs: what CI runs
	@$(PY) -m deploy.check

format: setup ## Format the Python code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lock: $(VENV)/.installed ## Renew constraints.txt with the newest versions
	$(PY) -m deploy.lock

docs: setup ## Write the generated documents anew
	@$(PY) -m deploy.docs

clean: down ## Stop the suite and remove its data and all caches
	rm -rf .binglian .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

distclean: clean ## Remove everything that is not in git's care: also .venv, generated code, web build
	rm -rf $(VENV) proto/gen gateway/web/dist gateway/web/node_modules
