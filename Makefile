# Everything sets up what it needs. On a fresh machine: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: demo test lint types unit bench bench-serve fuzz docs clean setup

setup: $(READY)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(READY)

## Train a network on MNIST and recognise a handwritten digit with it (a few minutes at first).
demo: $(READY)
	$(BIN)/engine run pipelines/model_building.yaml --param architecture=fast
	$(BIN)/engine run pipelines/model_testing.yaml

## All checks and tests.
test: lint types unit

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m engine.reference --check

types: $(READY)
	$(BIN)/mypy

unit: $(READY)
	$(BIN)/python -m pytest

## Ratios against hand-written loops, measured in the same run.
bench: $(READY)
	$(BIN)/python -m benchmarks

## `engine serve` beside hand-written servers, BentoML and LitServe (in an environment of their own).
bench-serve: $(READY) models/digits.json
	$(BIN)/python -m benchmarks.serve

models/digits.json: | $(READY)
	$(BIN)/engine run pipelines/model_building.yaml --param architecture=fast

fuzz: $(READY)
	$(BIN)/python -m tests.fuzz.expressions --inputs 100000

docs: $(READY)
	$(BIN)/python -m engine.reference

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
