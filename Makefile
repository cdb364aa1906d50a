# Everything happens in .venv; the versions are pinned, by name and version only, in constraints.txt.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/installed

export PIP_DISABLE_PIP_VERSION_CHECK := 1

OLDEST := .venv-airflow-3.0
NEWER := .venv-newer-python
# Each process of the tests has an Airflow of its own. One process more than cores, because some tests wait.
IN_PARALLEL := --numprocesses $(shell cores=$$(nproc 2>/dev/null || echo 2); echo $$((cores < 4 ? cores + 1 : 4)))
# A shim may be there and not run.
NEWER_PYTHON := $(shell for python in python3.13 python3.12 $(addprefix $(HOME)/.pyenv/versions/,3.13*/bin/python 3.12*/bin/python); do \
	$$python -c '' 2>/dev/null && echo $$python && break; done)

READING_SEED ?= 13

.PHONY: demo reading test lint workflows types layers unit coverage package docs test-examples test-deployment test-browser test-wheel bench bench-million constraints clean
.PHONY: test-matrix test-oldest-airflow test-newer-python

demo: $(INSTALLED)  ## Airflow places phone calls against the emulator, and prints what became of them
	$(BIN)/python demo/run.py

test: lint workflows types layers unit package docs  ## all checks, and all tests but those of the targets test-…

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# `--offline`: what zizmor would ask GitHub for is not checked.
workflows: $(INSTALLED)  ## the files in .github/: forms by their schemas, workflows also for weak points
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms \
		$(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	$(BIN)/zizmor --offline --quiet --persona pedantic .github

types: $(INSTALLED)
	$(BIN)/mypy

layers: $(INSTALLED)
	$(BIN)/lint-imports

unit: $(INSTALLED)
	$(BIN)/pytest $(IN_PARALLEL) -m "not example"

coverage: $(INSTALLED)  ## the same tests, with the lines that no test runs; takes a third longer
	$(BIN)/pytest $(IN_PARALLEL) --cov --cov-report=term -m "not example"

test-examples: $(INSTALLED)  ## the examples, the YAML files, the README and code on pages, each in a real Airflow
	$(BIN)/pytest $(IN_PARALLEL) -m example tests/dags

package: $(INSTALLED)  ## the sdist, and the wheel made from it, in dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl

test-wheel: package  ## the wheel alone, in a fresh environment: the README's DAG runs
	$(BIN)/pytest tests_package

test-deployment: $(INSTALLED)  ## kills workers and triggerers of a real deployment
	$(BIN)/pytest tests_deployment

test-browser: $(INSTALLED)  ## the forms, in a real browser; SCREENSHOTS=docs/images renews the documentation's
	$(BIN)/pytest tests_browser $(if $(SCREENSHOTS),--screenshots $(SCREENSHOTS))

# `make test` has the newest Airflow on Python 3.11.
test-matrix: test-oldest-airflow test-newer-python  ## the tests on the oldest Airflow, and on a newer Python

# Left out is what has no Airflow in it: `make test` checks it, with a newer import-linter than Airflow 3.0 allows.
test-oldest-airflow: $(OLDEST)/installed
	$(OLDEST)/bin/pytest $(IN_PARALLEL) -rs --ignore tests/api --ignore tests/calls --ignore tests/emulator \
		--deselect tests/test_package.py::test_arrows_between_the_layers_point_down

test-newer-python: $(if $(NEWER_PYTHON),$(NEWER)/installed)
ifeq ($(NEWER_PYTHON),)
	@echo "NOT TESTED on a newer Python: neither python3.13 nor python3.12 is installed here"
else
	$(NEWER)/bin/pytest $(IN_PARALLEL) -rs
endif

docs: $(INSTALLED)  ## the documentation, in build/docs/; a warning is an error, and nothing is fetched
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Read build/docs/index.html; its search needs a server: python3 -m http.server --directory build/docs"

bench: $(INSTALLED)  ## measures what the README says
	$(BIN)/python benchmarks/run.py

bench-million: $(INSTALLED)  ## measures a campaign of a million people (minutes)
	$(BIN)/python benchmarks/campaign_million.py

reading: $(INSTALLED)  ## draws docstrings and sentences for a reader who has not seen the code
	$(BIN)/python benchmarks/reading.py $(READING_SEED)

constraints:  ## pins anew what a fresh environment resolves to
	rm -rf .venv-constraints
	$(PYTHON) -m venv .venv-constraints
	.venv-constraints/bin/pip install --quiet --editable '.[dev,release]'
	.venv-constraints/bin/pip freeze --exclude-editable > constraints.txt
	rm -rf .venv-constraints

clean:
	rm -rf .venv .venv-constraints $(OLDEST) $(NEWER) .mypy_cache .ruff_cache .hypothesis .coverage dist

$(INSTALLED): pyproject.toml constraints.txt
	@echo "Installing Airflow, this provider and the tools into .venv. This takes some minutes, only the first time."
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --constraint constraints.txt --editable '.[dev,release]'
	touch $@

$(OLDEST)/installed: pyproject.toml matrix/airflow-3.0.txt
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/pip install --quiet --constraint matrix/airflow-3.0.txt --editable '.[dev]'
	touch $@

$(NEWER)/installed: pyproject.toml constraints.txt
	$(NEWER_PYTHON) -m venv $(NEWER)
	$(NEWER)/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
