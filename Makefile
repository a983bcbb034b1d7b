# coze-bridge: `make sandbox` to see it, `make test` to prove it.

PYTHON ?= $(firstword $(shell command -v python3.11 python3 2>/dev/null) python3)
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help install sandbox run test lint check bench lock clean

help: ## what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

install: $(STAMP) ## a .venv with the coze-bridge command and all that tests need

$(STAMP): requirements-dev.lock pyproject.toml
	@echo "Installing into .venv: about a minute, once."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

sandbox: $(STAMP) ## the bridge on emulated platforms, and a page to talk to it
	$(BIN)/coze-bridge sandbox $(ARGS)

run: $(STAMP) ## the bridge itself, with config.toml
	$(BIN)/coze-bridge run $(ARGS)

test: $(STAMP) ## the tests
	$(BIN)/pytest -n 4 --dist loadgroup $(ARGS)

lint: $(STAMP) ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test ## all that a change has to pass

bench: $(STAMP) ## figures: each a ratio within one run
	$(BIN)/python -m pytest tests/bench -s $(ARGS)

lock: ## newest versions into the lock files
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --group dev -o requirements-dev.lock

clean: ## forget the environment and the caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache out
