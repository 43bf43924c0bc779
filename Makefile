# linepulse: `make demo` needs nothing but Python 3.11 or newer, make and the network.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed
LINES ?= 3
PYTEST_ARGS ?=
# Tests wait more than they work, so two cores serve three of them at a time, each with servers of its own (natively
# some 3 GiB together); 0: one after the other.
WORKERS ?= 3
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
# Marks are explained in pyproject.toml. MARK narrows down what a target runs.
MARK ?= not docker
QUICK = quick or not (servers or slow)
unexport PYTHONDONTWRITEBYTECODE  # or each of a thousand processes would compile our modules anew
CHAOS_ARGS ?=

.PHONY: help install demo test test-all test-native test-docker check coverage bench chaos clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

install: $(STAMP)  ## .venv with the pinned dependencies; .venv/bin/linepulse is the command

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "linepulse needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "could not make .venv: on Debian and Ubuntu, apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,dev]'
	@touch $@

demo: install  ## the whole plant, embedded: LINES=0 for your own machines
	@exec $(BIN)/linepulse demo --lines $(LINES)

test: install  ## before each commit, on a bare machine, in minutes: rules, SQL, the page, a pipeline, a rebuild
	$(PYTEST) --services embedded -m '($(QUICK)) and ($(MARK))' $(PYTEST_ARGS)

test-all: install  ## all that a bare machine can run, on embedded servers
	$(PYTEST) --services embedded -m '$(MARK)' $(PYTEST_ARGS)

test-native: install  ## what uses servers, on Apache Kafka, Mosquitto and PostgreSQL
	$(PYTEST) --services native -m 'servers and ($(MARK))' $(PYTEST_ARGS)

test-docker: install  ## a few of them on containers, where an engine answers
	$(BIN)/python -m pytest -m docker $(PYTEST_ARGS)

check: install  ## lint, format, types, imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/python -m pytest tests/test_imports.py

coverage: install  ## of the pure rules, by their own tests: lines and branches that none of them runs
	$(PYTEST) --cov --cov-report=term-missing tests/rules tests/plant tests/schemas $(PYTEST_ARGS)

bench: install  ## figures with their references, on native servers
	$(BIN)/python -m benchmarks

chaos: install  ## a campaign of faults on native servers: CHAOS_ARGS="--seed 7 --messages 20000 --faults 12 --seconds 300"
	@exec $(BIN)/python -m chaos $(CHAOS_ARGS)

clean:  ## what was made here, the environment included
	rm -rf .venv .linepulse build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
