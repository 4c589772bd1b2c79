# Hubbub. `make help` lists what there is to make. Needed: Python 3.11 or later, make, a network.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.SUFFIXES:
.PHONY: help run setup test check format bench bench-peers screenshots lock clean web web-check lint types tree documents documents-check bench-guard audit

# Arguments for the program or the benchmark, and for pytest: make run ARGS="--port 9000"
ARGS ?=
PYTEST_ARGS ?=
LOCK_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
CHECKED := $(foreach folder,src tests bench tools examples,$(if $(wildcard $(folder)/*.py $(folder)/*/*.py),$(folder)))

help: ## list these
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

run: web ## set up, then serve on http://localhost:8082 (ARGS="--port 9000")
	@exec $(BIN)/hubbub serve $(ARGS)

setup: $(VENV)/dev.stamp ## set up for development, in .venv

web: $(VENV)/run.stamp ## build the page, if its sources changed
	@$(BIN)/python tools/build_web.py

test: $(VENV)/dev.stamp web ## set up, then run the tests (PYTEST_ARGS="-k ticket")
	@tools/test.sh $(PYTEST_ARGS)

check: test web-check lint types tree documents-check bench-guard audit ## the tests, then formatting, lint, types, the project's own rules, and what a message costs

web-check: $(VENV)/dev.stamp web
	@$(BIN)/python tools/build_web.py vitest run
	@$(BIN)/python tools/build_web.py svelte-check --tsconfig ./tsconfig.json --fail-on-warnings

lint: $(VENV)/dev.stamp
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/ruff check $(CHECKED)

types: $(VENV)/dev.stamp
	$(BIN)/mypy $(CHECKED)

tree: $(VENV)/dev.stamp
	$(BIN)/python tools/check_tree.py

documents: $(VENV)/dev.stamp ## make what is made in docs: the protocol, from the types
	@$(BIN)/python -m tools.make_protocol

documents-check: $(VENV)/dev.stamp
	$(BIN)/python -m tools.make_protocol --check

format: $(VENV)/dev.stamp ## format the code and mend what can be mended
	$(BIN)/ruff format $(CHECKED)
	$(BIN)/ruff check --fix $(CHECKED)

audit: $(VENV)/dev.stamp ## ask whether a pinned dependency has a known vulnerability (ARGS=--strict)
	@$(BIN)/python tools/audit_dependencies.py $(ARGS)

bench: $(VENV)/dev.stamp web ## measure, 20 minutes (ARGS goes to bench/run.py: ARGS=--help)
	@exec $(BIN)/python bench/run.py $(ARGS)

bench-peers: $(VENV)/dev.stamp ## install what Hubbub is measured beside, in build/peers; bench does so too
	@$(BIN)/python bench/peers/install.py

bench-guard: $(VENV)/dev.stamp ## see that nothing costs more than it did (ARGS=--write keeps what it costs now)
	@tools/bench_guard.sh $(ARGS)

screenshots: $(VENV)/dev.stamp web ## make the pictures in docs/screenshots anew, with a Chromium
	@$(BIN)/python -m tools.screenshots

fuzz: $(VENV)/dev.stamp ## damaged frames and requests at a server (ARGS="--count 10000000 --seed 1")
	@exec $(BIN)/python -m hubbub.testing.fuzz $(ARGS)

lock: $(VENV)/dev.stamp ## pin the dependencies anew (LOCK_ARGS=--upgrade for the newest)
	@tools/lock.sh $(LOCK_ARGS)

clean: ## remove what was made; data/ stays
	rm -rf $(VENV) build dist src/hubbub/static web/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find $(CHECKED) -name __pycache__ -type d -prune -exec rm -rf {} +

# Two steps, so that `make run` need not wait for what only tests need. A stamp makes a second call instant.
$(VENV)/run.stamp: requirements/run.txt requirements/build.txt pyproject.toml tools/venv.sh
	@tools/venv.sh $(VENV)
	@echo "Installing what Hubbub needs to run, into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.txt
	@echo "Installing what the tests and checks need, into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
