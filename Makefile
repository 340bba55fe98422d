# Everything a fresh machine needs; every target can be called again at any time.
.DEFAULT_GOAL := help
.PHONY: help start stop test test-long check bench clean
MAKEFLAGS += --no-print-directory

PYTHON_IN_VENV := .venv/bin/python
# Each worker imports all the tests: they are compiled once, not in every worker of every run.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(PYTHON_IN_VENV) -m pytest
# More for pytest: make test ARGS="-k sqlite"
ARGS ?=
# Tests wait a lot: for children, servers, pages.
WORKERS ?= $(shell expr 2 \* $$(nproc))

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

start: ## Install into .venv, prepare a studio root, make a first backup, start the server
	@scripts/install.sh run
	@$(PYTHON_IN_VENV) scripts/first_start.py

stop: ## Stop the server
	@$(PYTHON_IN_VENV) start_server.py --stop

test: ## Run the tests (all but the long ones)
	@scripts/install.sh dev
	@scripts/tools.sh bsdtar busybox 7z setfacl setfattr setcap strace faketime sqlite3 chromium chromium-headless-shell openssl
	@$(PYTEST) -n $(WORKERS) --dist loadgroup -m "not long" $(ARGS)

test-long: ## Run the tests that take minutes
	@scripts/install.sh dev
	@scripts/tools.sh bsdtar busybox 7z setfacl setfattr setcap strace faketime sqlite3 chromium chromium-headless-shell openssl
	@$(PYTEST) -n $(WORKERS) --dist loadgroup -m long $(ARGS)

check: ## Check style, types, layers, spelling and documentation
	@scripts/install.sh dev
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/codespell *.md *.py src scripts tests docs bench/*.py
	@$(PYTEST) tests/docs

bench: ## Measure beside restic, Borg, tar and more, and write docs/benchmarks.md (ARGS=--trial: minutes)
	@scripts/install.sh dev
	@scripts/tools.sh restic borg duplicity gpg pigz zstd
	@$(PYTHON_IN_VENV) bench/run.py $(ARGS)

clean: ## Remove .venv and all caches; backups, logs and data stay
	@rm -rf .venv dist build .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis bench/data
	@find src scripts tests bench -name __pycache__ -type d -exec rm -rf {} +
