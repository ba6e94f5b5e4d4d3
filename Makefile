# `make` or `make help` says what there is. A fresh clone needs nothing before any of these.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run demo test test-full faults bench conformance check lock reference sbom audit clean prerequisites \
	java
.PHONY: check-form check-types check-data check-pages

# Most of a short command's time would go into compiling what it imports, each time anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Made anew whenever what is to be installed has changed.
INSTALLED := $(VENV)/.installed
PYTEST_ARGS ?=
FAULTS ?= 1000
SEED ?= 1
BENCH_ARGS ?=
PYTEST := $(BIN)/pytest -q --durations=15 -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)
# What is checked without tests, two at a time. The tests of check-pages are among all tests.
CHECKS := check-types check-form check-data
AT_ONCE := $(MAKE) --no-print-directory -j 2 --output-sync=target

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(INSTALLED) ## Play the main job, then keep the console at http://127.0.0.1:8080/ until Ctrl-C
	$(BIN)/ki-hub demo --serve

demo: $(INSTALLED) ## Play the main job and exit
	$(BIN)/ki-hub demo

test: prerequisites $(INSTALLED) ## Everything that must hold: make check, then all tests
	@$(AT_ONCE) $(CHECKS)
	$(PYTEST)

test-full: prerequisites java $(INSTALLED) ## The long forms: killed at every step, validated by HL7's own
	@$(AT_ONCE) $(CHECKS)
	KI_HUB_TEST_FULL=1 $(PYTEST)

faults: prerequisites $(INSTALLED) ## Kill, cut and fill everything, and judge (FAULTS=n SEED=s); see docs/reliability.md
	$(BIN)/python -m tests.faults run --faults $(FAULTS) --seed $(SEED)

bench: prerequisites $(INSTALLED) ## How fast the hub is beside a bare loop, and its SQL (BENCH_ARGS="--runs 5 --citizens 20")
	$(BIN)/python -m tests.bench $(BENCH_ARGS)

conformance: java $(INSTALLED) ## HL7's validator over all that is published and emitted (NATIONAL=folder of packages)
	$(BIN)/python -m tests.conformance $(if $(NATIONAL),--national $(NATIONAL))

check: $(INSTALLED) ## Format, lint, types, import rules, lock file, profiles, statutes, mappings, reference pages
	@$(AT_ONCE) $(CHECKS) check-pages

check-types:
	$(BIN)/mypy --no-error-summary

check-form:
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports

check-data:
	$(BIN)/ki-hub profiles build --check
	$(BIN)/ki-hub law check
	$(BIN)/ki-hub mappings check
	$(BIN)/ki-hub mappings build --check

check-pages:
	$(BIN)/pytest -q tests/architecture/test_lock.py tests/docs/test_docs_reference.py

lock: $(INSTALLED) ## Write requirements.lock from pyproject.toml (UPGRADE=1: to the newest versions)
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --extra dev \
		--universal --python-version 3.11 $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements.lock

reference: $(INSTALLED) ## Write the pages in docs/ that are made from code and schemas
	$(BIN)/python -m hub.runtime.reference

sbom: $(INSTALLED) ## Write build/sbom.json: what the hub is built of, as CycloneDX, from the lock file
	mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml \
		--output-reproducible --of JSON -o build/sbom.json

# Strict: a package that the database does not answer for is a failure, not a line in a table.
audit: $(INSTALLED) ## Ask the public database of vulnerabilities about every locked package (network)
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements.lock

clean: ## Remove the environment and all caches; data/ is left alone
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
		build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

prerequisites:
	@deploy/install-prerequisites test

java:
	@deploy/install-prerequisites conformance

# pip checks every file against the lock; the package itself is built with the locked setuptools.
$(INSTALLED): requirements.lock pyproject.toml
	@deploy/install-prerequisites run
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@
