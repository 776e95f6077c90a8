# The two commands of the README are `make demo` and `make test`; they set up all they need in
# a virtual environment of their own. PYTHON chooses the interpreter (3.12 or newer).

PYTHON ?= $(shell tools/find-python)
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
# files of tests that run side by side: most of their time goes to waiting for real processes.
# These start a thousand times, and must not compile the package each time where the environment
# says that nothing compiled is kept
JOBS ?= 4
BENCH_PYTHONS ?= $(shell tools/find-python --all)

NATIVE = src/leadline/native
# the modules in C, built beside their stubs; without a compiler they are missing: the core in
# Python runs, and there are no twins
BUILT = $(VENV)/.core
# what the other core of the two is tried on, the one that runs where there is no compiler
BOTH = $(addprefix tests/agent/test_, \
	capture.py capturing_generators.py engine.py good_guest.py guard.py kinds.py limits.py \
	second_eyes.py stress.py \
	targets_functions.py targets_shapes.py traps.py values_hostile.py zoo.py)

.PHONY: demo test lint bench soak fuzz sanitize screenshots clean

demo: $(BUILT)
	@$(BIN)/leadline demo

test: $(BUILT)
	@$(BIN)/python -m compileall -q src/leadline
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder
	@LEADLINE_CORE=pure $(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder $(BOTH)

lint: $(BUILT)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@tools/build-strictly $(BIN)/python

# each interpreter of BENCH_PYTHONS has an environment of its own, with the other tools in it;
# QUICK=1 measures with the first one only, ONLY=log,counter these rows
bench:
	@for python in $(if $(QUICK),$(firstword $(BENCH_PYTHONS)),$(BENCH_PYTHONS)); do \
	    env=$$(tools/bench-environment "$$python") || exit 1; \
	    QUICK="$(QUICK)" ONLY="$(ONLY)" "$$env/bin/python" -m benchmarks || exit 1; \
	done

soak: $(BUILT)
	@$(BIN)/python -m pytest -q -m soak
	@$(BIN)/python -m benchmarks.fleet
	@$(BIN)/python -m leadline.exploration.compare --again --report docs/exploration.md

# outside CI: minutes of inputs that coverage leads to; SECONDS for each of the two targets
SECONDS ?= 120
fuzz: $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'atheris>=3'
	@$(BIN)/python tests/expression/fuzz.py $(SECONDS)

sanitize: $(BUILT)
	@tools/sanitize $(BIN)/python $(BOTH) tests/agent/test_cores_agree.py tests/twin

# every view of the page, from a demo that runs for it, into build/screenshots to be looked at;
# two of them into docs/images, for the README
screenshots: $(BUILT)
	@$(BIN)/python tools/screenshots.py

clean:
	rm -rf $(VENV) build src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(STAMP): pyproject.toml setup.py leadline.pth
	@test -n "$(PYTHON)" || { echo "Leadline needs Python 3.12 or newer: make test PYTHON=/path/to/python3.12"; exit 1; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)

$(BUILT): $(STAMP) $(wildcard $(NATIVE)/*/*.c $(NATIVE)/*/*.h)
	@$(BIN)/python setup.py --quiet build_ext --inplace
	@touch $(BUILT)
