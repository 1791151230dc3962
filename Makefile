# The verbs, the same on a laptop and in CI. Only Python 3.11+ and make are needed; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
TESTS ?= tests

.DEFAULT_GOAL := help
.PHONY: help install demo test lint generate verify e2e bench chaos clean

help: ## show the verbs
	@grep -hE '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(STAMP) ## create .venv with everything in it

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.12 " if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing into .venv (the first time takes a minute or two)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev,speed,local]'
	@touch $@

demo: $(STAMP) ## run the example flow on a local cluster; KEEP=1 leaves it running
	@$(BIN)/jobflow local demo $(if $(filter-out 0,$(KEEP)),--keep)

test: $(STAMP) ## all tests that need no cluster
	$(BIN)/python -m pytest $(TESTS) -m "not slow" -n 2 --dist loadfile --no-loadscope-reorder

lint: $(STAMP) ## ruff, mypy --strict, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

generate: $(STAMP) ## write what is generated from the code (CRDs, reference pages)
	$(BIN)/python -m shared.crd
	$(BIN)/python -m webhook.server.configurations
	$(BIN)/python -m cli.reference
	$(BIN)/python -m shared.crd.reference

verify: lint ## lint, and generated files are up to date
	$(BIN)/python -m shared.crd --check
	$(BIN)/python -m webhook.server.configurations --check
	$(BIN)/python -m cli.reference --check
	$(BIN)/python -m shared.crd.reference --check

e2e: $(STAMP) ## the scenarios on a real control plane (KUBEBUILDER_ASSETS) or a cluster (KUBECONFIG_E2E)
	$(BIN)/python -m pytest tests/e2e -m e2e $(if $(KUBEBUILDER_ASSETS),--backend=real) $(if $(KUBECONFIG_E2E),--backend=kubeconfig --kubeconfig=$(KUBECONFIG_E2E))

bench: $(STAMP) ## benchmarks: JSON lines and a table
	$(BIN)/python -m bench

chaos: $(STAMP) ## seeded fault suite; RUNS=500 WORKERS=3 for the long mode
	$(BIN)/python -m tests.chaos --runs $(or $(RUNS),50) $(if $(SEED),--seed $(SEED)) $(if $(WORKERS),--workers $(WORKERS))

clean: ## remove .venv and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
