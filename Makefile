# The door: every target makes what it needs, from Python 3.11+ with venv, git and make alone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Thousands of small durable files: in memory where there is such a place.
IN_MEMORY := $(shell [ -w /dev/shm ] && echo PYTEST_DEBUG_TEMPROOT=/dev/shm)
READY := $(VENV)/.ready

.PHONY: demo test check fix bench docs integration integration-invokeai requirements clean
.DEFAULT_GOAL := test

# uv where it is there, venv and pip where it is not; the same pinned, hashed packages either way.
$(READY): requirements/dev.txt pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

demo: $(READY)  ## the main job, offline, in seconds
	@$(BIN)/makingof demo

test: $(READY)  ## everything that needs nothing but the wheels
	@$(IN_MEMORY) $(BIN)/python -m pytest -q -n 2

check: $(READY)  ## format, lint, types, layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fix: $(READY)  ## let ruff mend what it can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

integration: $(READY)  ## tests against Debian packages; .ci/run installs them first
	@$(BIN)/python -m pytest -q -rs -m integration

integration-invokeai: $(READY)  ## tests against a real InvokeAI; .ci/invokeai installs it first
	@$(BIN)/python -m pytest -q -rs -m invokeai tests/integration/test_invokeai_server.py

bench: $(READY)  ## measure, beside peers in environments of their own
	@$(BIN)/python bench/run.py

docs: $(READY)  ## the documentation as a site in docs/site
	@$(BIN)/zensical build --strict

requirements: $(READY)  ## pin again from pyproject.toml and requirements/*.in
	@for set in dev integration diffusers; do \
	  $(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-emit-options --no-annotate \
	    --no-header --output-file=requirements/$$set.txt requirements/$$set.in || exit 1; \
	done
	@sed -i 's/^\(torch==[0-9.]*\)+cpu/\1/' requirements/diffusers.txt
	@$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --no-emit-options --no-annotate --no-header \
	  --unsafe-package torch --output-file=requirements/invokeai.txt requirements/invokeai.in

clean:
	rm -rf $(VENV) build dist docs/site
