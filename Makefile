# The two commands of the README are `make demo` and `make test`; they set up all they need in
# a virtual environment of their own. PYTHON chooses the interpreter (3.12 or newer).

PYTHON ?= $(shell tools/find-python)
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
# files of tests that run side by side: most of their time goes to waiting for real processes
JOBS ?= 3

.PHONY: demo test lint bench soak clean

demo: $(STAMP)
	@$(BIN)/leadline demo

test: $(STAMP)
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile

lint: $(STAMP)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(STAMP)
	@$(BIN)/python -m benchmarks

soak: $(STAMP)
	@$(BIN)/python -m pytest -q -m soak

clean:
	rm -rf $(VENV) build src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(STAMP): pyproject.toml setup.py leadline.pth
	@test -n "$(PYTHON)" || { echo "Leadline needs Python 3.12 or newer: make test PYTHON=/path/to/python3.12"; exit 1; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)
