# Comanda. `make` alone explains itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run demo test check format lint types contracts docs bench chaos package coldstart clean lock

PYTHON ?= python3
ORDERS ?= 200
STORM ?= 300
BIN := .venv/bin
UV := $(BIN)/uv
CODE := comanda workers local console
TESTS ?= tests
JOBS ?= 4
# Chalice and boto3 need a region even where nothing is deployed.
export AWS_DEFAULT_REGION ?= sa-east-1
export PYTHONDONTWRITEBYTECODE :=

help: ## Show this text
	@echo "Comanda: orders and Pix payments for shops in Brazil."
	@echo
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

run: .venv/app.stamp ## Start the whole system, drive two orders, stay up until Ctrl-C
	@$(BIN)/python -m local run

demo: .venv/app.stamp ## Drive ORDERS=200 paid orders through the system and balance the books
	@$(BIN)/python -m local demo --orders $(ORDERS)

test: .venv/dev.stamp ## Run all tests
	$(BIN)/python -m pytest $(TESTS) -q -n $(JOBS) --dist loadgroup

check: lint types contracts docs ## Do all that CI does
	$(BIN)/coverage erase
	COVERAGE_PROCESS_START=$(CURDIR)/pyproject.toml $(BIN)/python -m pytest $(TESTS) -q -n $(JOBS) --dist loadgroup --cov --cov-report=
	$(BIN)/coverage report --fail-under=90

format: .venv/dev.stamp ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/dev.stamp
	$(BIN)/mypy $(CODE)
	$(BIN)/mypy auth_lambda/chalicelib
	$(BIN)/mypy webhooks_lambda/chalicelib

contracts: .venv/dev.stamp
	$(BIN)/lint-imports

docs: .venv/dev.stamp ## Check that generated documents and links are true
	$(BIN)/python -m comanda.schemas --check
	$(BIN)/python -m local.docs --check

bench: .venv/dev.stamp ## Measure our SQS consumer beside others (BENCH=--quick for a minute's worth)
	$(BIN)/python -m benchmarks.workers $(BENCH)

chaos: .venv/app.stamp ## Break everything for STORM=300 seconds under load, audit (SEED=n repeats a run)
	@$(BIN)/python -m local.chaos --seconds $(STORM) $(if $(SEED),--seed $(SEED)) --proof docs/proof.md

package: .venv/app.stamp ## Make the zips of both Lambdas, with bytecode, in .comanda/packages
	@$(BIN)/python -m local.packaging

coldstart: .venv/dev.stamp ## Measure the edge beside apps as usual: cold start, signature, p99
	$(BIN)/python -m benchmarks.edge
	$(BIN)/python -m benchmarks.edge.signature
	$(BIN)/python -m benchmarks.edge.receiver

clean: ## Remove all state and both environments
	rm -rf .comanda .venv .venv-ministack .coverage* .hypothesis .mypy_cache .ruff_cache .import_linter_cache

lock: .venv/dev.stamp ## Compile the hashed requirement files anew
	for name in requirements requirements-dev requirements-ministack; do \
	  $(UV) pip compile -q --universal --generate-hashes --no-header --python-version 3.11 $$name.in -o $$name.txt || exit 1; \
	done
	cd auth_lambda && ../$(UV) pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 requirements.in -o requirements.txt

.venv/bootstrap.stamp: requirements-bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Comanda needs Python 3.11 or newer; try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.txt
	@touch $@

.venv/app.stamp: .venv/bootstrap.stamp requirements.txt requirements-ministack.txt
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	@test -x .venv-ministack/bin/python || $(PYTHON) -m venv --without-pip .venv-ministack
	@$(UV) pip install --quiet --python .venv-ministack/bin/python --require-hashes -r requirements-ministack.txt
	@touch $@

.venv/dev.stamp: .venv/app.stamp requirements-dev.txt
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@touch $@
