# Comanda. `make` alone explains itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run demo test check format lint types contracts docs bench scale chaos recover crash mutation attack conform screenshots package coldstart clean lock manifests image image-test deploy deploy-pods smoke test-cluster terraform cost test-aws deploy-edge infra destroy checkov

PYTHON ?= python3
ORDERS ?= 200
SCENARIO ?= load
PROFILE ?= lean
STAGE ?= dev
STORM ?= 300
HUNT ?= 720
SOAK ?= 3600
ATTACK ?= 300
CONFORM ?= 120
BIN := .venv/bin
UV := $(BIN)/uv
CODE := comanda workers local console k8s terraform
TESTS ?= tests
JOBS ?= 5
# Chalice and boto3 need a region even where nothing is deployed.
export AWS_DEFAULT_REGION ?= sa-east-1
export PYTHONDONTWRITEBYTECODE :=

help: ## Show this text
	@echo "Comanda: orders and Pix payments for shops in Brazil."
	@echo
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

run: .venv/app.stamp $(BIN)/comanda ## Start the whole system, drive two orders, stay up until Ctrl-C
	@$(BIN)/python -m local run $(if $(IAM),--iam) $(if $(TRACES),--traces)

demo: .venv/app.stamp ## Drive ORDERS=200 paid orders and balance the books; SCENARIO=outage|day; IAM=1
	@$(BIN)/python -m local demo --orders $(ORDERS) --scenario $(SCENARIO) $(if $(IAM),--iam) $(if $(TRACES),--traces)

test: .venv/dev.stamp ## Run all tests
	$(BIN)/python -m pytest $(TESTS) -q -n $(JOBS) --dist loadfile --no-loadscope-reorder

check: .venv/dev.stamp ## Do all that CI does
	$(MAKE) --no-print-directory --output-sync=target -j 3 lint types contracts docs terraform
	$(BIN)/coverage erase
	COVERAGE_PROCESS_START=$(CURDIR)/pyproject.toml $(BIN)/python -m pytest $(TESTS) -q -n $(JOBS) --dist loadfile --no-loadscope-reorder --cov --cov-report=
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

bench: .venv/dev.stamp ## Measure everything beside something else, write docs/performance.md (BENCH=--quick: 3 minutes)
	$(BIN)/python -m benchmarks $(BENCH)

scale: .venv/dev.stamp ## Answer on paper for 10 thousand to 100 million orders a day, write docs/scale.md
	$(BIN)/python -m benchmarks.scale

crash: .venv/dev.stamp ## Kill workers at every boundary, on both stores, and count effects (2 minutes)
	for store in postgres dynamodb; do \
	  $(BIN)/python -m tests.chaos.crash --store $$store && \
	  $(BIN)/python -m tests.chaos.crash --store $$store --messages 1000 --crashes 30 --rounds 3 || exit 1; \
	done

mutation: .venv/dev.stamp ## Put faults into the money rules one by one; name those that no test notices
	$(BIN)/python -m tests.mutation

chaos: .venv/app.stamp ## Break everything for STORM=300 seconds under load, audit (SEED=n; POINTS=all kills at every await)
	@$(BIN)/python -m local.chaos $(if $(filter all,$(POINTS)),--all-points --people 6 --seconds $(HUNT),--seconds $(STORM) $(if $(POINTS),--every-point)) $(if $(SEED),--seed $(SEED)) --proof docs/proof.md

soak: .venv/app.stamp ## Sell at half load for SOAK=3600 seconds; fail on memory, handles, tasks, latency that grow
	@$(BIN)/python -m local.soak --seconds $(SOAK) --folder docs

recover: .venv/app.stamp ## Lose both databases while people buy, restore to a point in time, audit (RECOVER=options)
	@$(BIN)/python -m local.recovery $(RECOVER)

attack: .venv/dev.stamp ## Attack every door for ATTACK=300 seconds (SEED=n repeats), look for secrets, old packages
	@$(BIN)/python -m local.supply
	@$(BIN)/python -m pytest tests/security -q -n 2 --dist loadfile --no-loadscope-reorder
	@$(BIN)/python -m tests.security.fuzzing --seconds $(ATTACK) $(if $(SEED),--seed $(SEED))

conform: .venv/app.stamp .venv-conform/stamp ## Hold a running laptop to its OpenAPI document with schemathesis (CONFORM=120 s)
	@$(BIN)/python -m local.conform --seconds $(CONFORM) $(if $(SEED),--seed $(SEED))

manifests: .venv/dev.stamp .venv-k8s/stamp .venv-k8s/npm.stamp .venv-k8s/promtool ## Hold manifests, images, alerts and workflows to every tool that is here
	@$(BIN)/python -m k8s.looking

image: .venv/app.stamp ## Build the image of the pods without a container engine, where buildah is
	@$(BIN)/python -m local.images build

image-test: .venv/app.stamp ## Run the image read-only, with little memory, and see it leave on SIGTERM
	@$(BIN)/python -m local.images test

# Each step may be run again, and the first that cannot go on says what it waits for.
deploy: .venv/app.stamp ## From nothing to the smoke test: STAGE=dev [IMAGE=name@sha256:...]; then again
	$(BIN)/python -m terraform apply --stage $(STAGE)
	$(BIN)/python -m terraform secrets --stage $(STAGE)
	$(BIN)/python -m k8s outputs --stage $(STAGE) --image "$(IMAGE)"
	$(BIN)/python -m terraform databases --stage $(STAGE)
	$(BIN)/python -m k8s apply --stage $(STAGE)
	$(BIN)/python -m k8s smoke --stage $(STAGE)

deploy-pods: .venv/app.stamp ## Apply a release: STAGE=dev [IMAGE=name@sha256:...]
	@$(BIN)/python -m k8s outputs --stage $(STAGE) --image "$(IMAGE)"
	@$(BIN)/python -m k8s apply --stage $(STAGE)

smoke: .venv/app.stamp ## Look at a stage from outside: STAGE=dev, or URL=https://... for any
	@$(BIN)/python -m k8s smoke --stage $(STAGE) --url "$(URL)"

test-cluster: .venv/dev.stamp ## Hold the cluster of KUBECONFIG to what the deployer stands on
	COMANDA_TEST_CLUSTER=1 $(BIN)/python -m pytest tests/contract/test_k8s_api.py -q

terraform: .venv/dev.stamp ## Check all Terraform roots: fmt, validate, test (TERRAFORM=--required fails without tools)
	$(BIN)/python -m terraform check $(TERRAFORM)

checkov: .venv-infra/stamp ## Let checkov look at Terraform, in an environment of its own
	.venv-infra/bin/python .venv-infra/bin/checkov --config-file terraform/checkov.yaml -d terraform

cost: .venv/app.stamp ## Print what a month costs: PROFILE=lean|production ORDERS=10000
	@$(BIN)/python -m terraform cost --profile $(PROFILE) --orders $(ORDERS)

test-aws: .venv/dev.stamp ## Apply messaging, data and identity to moto, look for drift, destroy (5 minutes)
	$(BIN)/python -m terraform rehearse

deploy-edge: .venv/app.stamp ## chalice deploy of both Lambdas to STAGE=dev
	$(BIN)/python -m terraform deploy-edge --stage $(STAGE)

infra: .venv/app.stamp ## Apply all Terraform layers and the edge to STAGE=dev, asking before each
	$(BIN)/python -m terraform apply --stage $(STAGE)

destroy: .venv/app.stamp ## Destroy STAGE=dev, and say what billable is left
	$(BIN)/python -m terraform destroy --stage $(STAGE)

screenshots: .venv/dev.stamp ## Take a picture of every screen at three widths (needs Debian's chromium)
	@$(BIN)/python -m tests.screenshots

package: .venv/app.stamp ## Make the zips of both Lambdas, with bytecode, in .comanda/packages
	@$(BIN)/python -m local.packaging

coldstart: .venv/dev.stamp ## Measure the edge beside apps as usual: cold start, signature, p99
	$(BIN)/python -m benchmarks.edge
	$(BIN)/python -m benchmarks.edge.signature
	$(BIN)/python -m benchmarks.edge.receiver

clean: ## Remove all state and both environments
	rm -rf .comanda .venv .venv-ministack .venv-k8s .venv-infra .venv-conform .coverage* .hypothesis .mypy_cache .ruff_cache .import_linter_cache

lock: .venv/dev.stamp ## Compile the hashed requirement files anew
	for name in requirements requirements-dev requirements-ministack requirements-pods requirements-k8s requirements-infra requirements-conform; do \
	  $(UV) pip compile -q --universal --generate-hashes --no-header --python-version 3.11 $$name.in -o $$name.txt || exit 1; \
	done
	cd auth_lambda && ../$(UV) pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 requirements.in -o requirements.txt

.venv/bootstrap.stamp: requirements-bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Comanda needs Python 3.11 or newer; try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements-bootstrap.txt
	@touch $@

.venv/app.stamp: .venv/bootstrap.stamp requirements.txt requirements-ministack.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-build --require-hashes -r requirements.txt
	@test -x .venv-ministack/bin/python || $(PYTHON) -m venv --without-pip .venv-ministack
	@$(UV) pip install --quiet --python .venv-ministack/bin/python --no-build --require-hashes -r requirements-ministack.txt
	@touch $@

.venv/bin/comanda: bin/comanda .venv/bootstrap.stamp
	@ln -sf ../../bin/comanda $@
	@touch $@

.venv-infra/stamp: .venv/bootstrap.stamp requirements-infra.txt
	@test -x .venv-infra/bin/python || $(PYTHON) -m venv --without-pip .venv-infra
	@$(UV) pip install --quiet --python .venv-infra/bin/python --no-build --require-hashes -r requirements-infra.txt
	@touch $@

.venv-conform/stamp: .venv/bootstrap.stamp requirements-conform.txt
	@test -x .venv-conform/bin/python || $(PYTHON) -m venv --without-pip .venv-conform
	@$(UV) pip install --quiet --python .venv-conform/bin/python --no-build --require-hashes -r requirements-conform.txt
	@touch $@

.venv/dev.stamp: .venv/app.stamp requirements-dev.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-build --require-hashes -r requirements-dev.txt
	@touch $@

# Without npm the looks that need these say that they were skipped.
.venv-k8s/npm.stamp: .venv-k8s/stamp k8s/models/package.json
	@mkdir -p .venv-k8s/npm
	@cp k8s/models/package.json .venv-k8s/npm/
	@! command -v npm > /dev/null || npm install --silent --no-audit --no-fund --no-package-lock --ignore-scripts --prefix .venv-k8s/npm > /dev/null
	@touch $@

# Debian's signature is what vouches for it; elsewhere the looks that need it say that they skip.
.venv-k8s/promtool: .venv-k8s/stamp
	@rm -rf .venv-k8s/debian && mkdir -p .venv-k8s/debian
	@! command -v apt-get dpkg-deb > /dev/null || { cd .venv-k8s/debian && apt-get download -qq prometheus 2> /dev/null && \
	  dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool && mv usr/bin/promtool ../promtool && touch ../promtool; } || true
	@rm -rf .venv-k8s/debian

.venv-k8s/stamp: .venv/bootstrap.stamp requirements-k8s.txt
	@test -x .venv-k8s/bin/python || $(PYTHON) -m venv --without-pip .venv-k8s
	@$(UV) pip install --quiet --python .venv-k8s/bin/python --no-build --require-hashes -r requirements-k8s.txt
	@touch $@
