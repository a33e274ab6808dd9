# Every target sets up what it needs. On a fresh machine: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PAGE   := web/dist/page.js
YAMLLS := tests/schema/node_modules/.package-lock.json
PORT   ?= 8080
PIP    := $(BIN)/python -m pip --disable-pip-version-check
# The exact versions that the tests have passed with. Empty: the newest that pip finds.
CONSTRAINTS ?= requirements/constraints.txt
PINNED := $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS))

.PHONY: demo test lint types unit bench bench-serve bench-ray fuzz schemathesis docs site vscode web web-demo clean setup update lowest test-ray

setup: $(READY)

$(READY): pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	@echo 'Installing Snapline and its tools into $(VENV); this takes a minute or two.'
	@{ $(PIP) install $(PINNED) 'setuptools>=77' && \
	$(PIP) install $(PINNED) --no-build-isolation --editable '.[dev]'; } >$(VENV)/setup.log 2>&1 || { \
	tail -n 25 $(VENV)/setup.log; \
	echo 'Could not install the versions in $(CONSTRAINTS) on this platform and Python (see above).' \
	'To let pip choose the versions, run: make setup CONSTRAINTS='; exit 1; }
	touch $(READY)

## Raise every pinned version to the newest, then run all checks and tests.
update:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "make update needs Python 3.11, the oldest supported version; set PYTHON=...")'
	$(PYTHON) requirements/freeze.py requirements/constraints.txt 'What make setup installs.' \
	-- 'setuptools>=77' --editable '.[dev]'
	$(PYTHON) requirements/freeze.py --alias tensorflow=tensorflow_cpu pipelines/constraints.txt \
	'What the digit scripts install into their environments.' \
	-- tensorflow-cpu numpy matplotlib ai-edge-litert
	$(PYTHON) requirements/freeze.py requirements/ray.txt 'What make test-ray installs.' \
	-- 'setuptools>=77' hypothesis numpy pytest --editable '.[ray]'
	$(MAKE) test

## Run the tests with the lowest versions that pyproject.toml allows.
lowest: requirements/lowest.py pyproject.toml $(READY)
	$(PYTHON) -m venv --clear $(VENV)-lowest
	$(PYTHON) requirements/lowest.py >$(VENV)-lowest/lowest.txt
	$(VENV)-lowest/bin/python -m pip install --quiet --constraint $(VENV)-lowest/lowest.txt --editable . \
	$$($(BIN)/python -m pip list --format=freeze | grep -E '^(et_xmlfile|fastavro|hypothesis|jsonschema|numpy|openpyxl|orjson|playwright|psycopg|psycopg-binary|pyarrow|PyJWT|PyMySQL|cffi|cryptography|pytest|pytest-xdist|SQLAlchemy)==')
	$(VENV)-lowest/bin/python -m pytest --numprocesses=auto --dist=loadfile

## Train a network on MNIST and recognise a handwritten digit with it (a few minutes the first time).
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
	$(BIN)/python -m engine.cli.completion_scripts --check

types: $(READY)
	$(BIN)/mypy

unit: $(READY) $(if $(shell command -v npm),web $(YAMLLS))
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile

## The tests of the placement on Ray, and of Ray Serve. Ray has an environment of its own, and a
## network of its own, as it listens on all interfaces.
test-ray: $(VENV)-ray/.ready
	$(VENV)-ray/bin/python -m tests.cluster.namespaces \
	$(VENV)-ray/bin/python -m pytest tests/cluster/test_ray_*.py $(ARGS)

$(VENV)-ray/.ready: pyproject.toml requirements/ray.txt
	$(PYTHON) -m venv $(VENV)-ray
	$(VENV)-ray/bin/python -m pip --disable-pip-version-check install --quiet \
	--constraint requirements/ray.txt 'setuptools>=77'
	$(VENV)-ray/bin/python -m pip --disable-pip-version-check install --quiet \
	--constraint requirements/ray.txt --no-build-isolation hypothesis numpy pytest --editable '.[ray]'
	touch $@

## The engine next to hand-written loops and other engines, in one table. ARGS=--quick takes a few minutes.
bench: $(READY)
	$(BIN)/python -m benchmarks $(ARGS)

## `engine serve` against hand-written servers, BentoML and LitServe (in a separate environment).
bench-serve: $(READY) models/digits.json
	$(BIN)/python -m benchmarks.serve

## Workers on Ray against worker processes, both on this machine. ARGS=--quick takes a few minutes.
bench-ray: $(READY) $(VENV)-ray/.ready
	$(BIN)/python -m tests.cluster.namespaces \
	$(BIN)/python -m benchmarks.ray_workers $(VENV)-ray/bin/python $(ARGS)

models/digits.json: | $(READY)
	$(BIN)/engine run pipelines/model_building.yaml --param architecture=fast

## Bundle the page to draw digits on into web/dist.
web: $(PAGE)

$(PAGE): web/node_modules/.package-lock.json web/build.mjs $(wildcard web/src/*)
	cd web && node build.mjs

## The language server of editors, with which the tests check the schemas.
$(YAMLLS): tests/schema/package.json tests/schema/package-lock.json tests/schema/.npmrc
	cd tests/schema && npm ci --ignore-scripts --no-progress --loglevel=error
	touch $@

web/node_modules/.package-lock.json: web/package.json web/package-lock.json web/.npmrc
	cd web && npm ci --ignore-scripts --no-progress --loglevel=error
	touch $@

## All in one: train, export and host the network, and serve the page next to it.
web-demo: $(READY) $(PAGE) models/digits.json
	$(BIN)/engine run pipelines/export_web_model.yaml --param quantize=float16 --param verify=true
	$(BIN)/engine serve pipelines/model_hosting.yaml --param token=open-sesame --site web/dist --port $(PORT)

fuzz: $(READY)
	$(BIN)/python -m tests.fuzz.expressions --inputs 100000
	$(BIN)/python -m tests.fuzz.edits --edits 10000
	$(BIN)/python -m tests.fuzz.editor --edits 10000
	$(BIN)/python -m tests.fuzz.over_stdio --edits 2000
	$(BIN)/python -m tests.cluster.kills --times 50

## Requests of all kinds against example tasks, by their OpenAPI document: no 5xx, no schema violated.
schemathesis: $(VENV)-schemathesis/.ready
	$(BIN)/python -m tests.fuzz.openapi $(VENV)-schemathesis/bin/schemathesis $(ARGS)

$(VENV)-schemathesis/.ready: requirements/schemathesis.txt | $(READY)
	$(PYTHON) -m venv --clear $(VENV)-schemathesis
	$(VENV)-schemathesis/bin/python -m pip --disable-pip-version-check install --quiet --requirement requirements/schemathesis.txt
	touch $@

docs: $(READY)
	$(BIN)/python -m engine.reference
	$(BIN)/python -m engine.cli.completion_scripts

## Build docs/ as a site into build/site. The tool has an environment of its own.
site: $(VENV)-site/.ready
	rm -rf build/docs && mkdir -p build && cp -R docs build/docs
	for page in README CONTRIBUTING SECURITY; do \
	cp $$page.md build/docs/$$(echo $$page | tr A-Z a-z).md; done; cp LICENSE build/docs
	$(BIN)/python docs/site/adapt_pages.py build/docs
	$(VENV)-site/bin/zensical build --clean --strict

$(VENV)-site/.ready: requirements/site.txt | $(READY)
	$(PYTHON) -m venv --clear $(VENV)-site
	$(VENV)-site/bin/python -m pip --disable-pip-version-check install --quiet --requirement requirements/site.txt
	touch $@

## The extension of VS Code, as build/snapline.vsix.
vscode: editors/vscode/node_modules/.package-lock.json
	mkdir -p build && cp LICENSE editors/vscode
	cd editors/vscode && npm run --silent package

editors/vscode/node_modules/.package-lock.json: editors/vscode/package.json editors/vscode/package-lock.json editors/vscode/.npmrc
	cd editors/vscode && npm ci --ignore-scripts --no-progress --loglevel=error
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-site $(VENV)-schemathesis $(VENV)-ray build dist web/dist web/node_modules tests/schema/node_modules editors/vscode/dist editors/vscode/node_modules *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
