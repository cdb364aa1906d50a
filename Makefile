# Everything happens in .venv; the versions are pinned, by name and version only, in constraints.txt.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/installed
FOR_THE_DEMO := .venv/installed-for-the-demo

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Python keeps compiled modules, also if the environment says otherwise: the tests start Airflow hundreds of times.
export PYTHONDONTWRITEBYTECODE :=

DISTRIBUTED := .venv-distributed
# Airflow and Python, joined by a hyphen: what Airflow's own packages allow. A Python that is not installed is skipped.
MATRIX := 3.0-3.11 3.0-3.12 3.1-3.11 3.1-3.12 3.1-3.13 3.2-3.11 3.2-3.12 3.2-3.13 3.2-3.14 3.3-3.12 3.3-3.13 3.3-3.14
airflow = $(firstword $(subst -, ,$1))
# A shim may be there and not run.
python = $(shell for python in python$(lastword $(subst -, ,$1)) $(HOME)/.pyenv/versions/$(lastword $(subst -, ,$1)).*/bin/python; do \
	$$python -c '' 2>/dev/null && echo $$python && break; done)
# The newest Airflow is that of constraints.txt.
pins = $(or $(wildcard matrix/airflow-$(call airflow,$1).txt),constraints.txt)
# Each process of the tests has an Airflow of its own. Two processes more than cores, because some tests wait.
IN_PARALLEL := --numprocesses $(shell cores=$$(nproc 2>/dev/null || echo 2); echo $$((cores < 3 ? cores + 2 : 4)))

READING_SEED ?= 13

.PHONY: demo reading test lint workflows types layers unit coverage package docs test-examples test-journeys test-deployment test-distributed test-browser test-wheel bench bench-million constraints clean
.PHONY: test-matrix

demo: $(FOR_THE_DEMO)  ## Airflow places phone calls against the emulator, and prints what became of them
	$(BIN)/python demo/run.py

test: $(INSTALLED)  ## all checks, and all tests but those of the targets test-…
	$(MAKE) --no-print-directory --jobs=2 lint workflows types layers package docs
	$(MAKE) --no-print-directory unit

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

# The journeys are apart, because all tests together take more than ten minutes on two cores.
unit: $(INSTALLED)
	$(BIN)/pytest $(IN_PARALLEL) -m "not example" --ignore tests/journeys

test-journeys: $(INSTALLED)  ## whole tasks and DAGs, from the DAG file to the phone, with each damage on the way
	$(BIN)/pytest $(IN_PARALLEL) tests/journeys

coverage: $(INSTALLED)  ## the tests of both, with the lines that no test runs; takes a third longer
	$(BIN)/pytest $(IN_PARALLEL) --cov --cov-report=term -m "not example"

test-examples: $(INSTALLED)  ## the examples, the YAML files, the README and code on pages, each in a real Airflow
	$(BIN)/pytest $(IN_PARALLEL) -m example tests/dags

package: $(INSTALLED)  ## the sdist, and the wheel made from it, in dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl

test-wheel: package  ## the wheel alone, in a fresh environment: the README's DAG runs; AIRFLOW=3.1 chooses an older Airflow
	$(BIN)/pytest tests_package --pins $(call pins,$(AIRFLOW))

test-deployment: $(INSTALLED)  ## kills workers and triggerers of a real deployment
	$(BIN)/pytest tests_deployment

test-distributed: $(DISTRIBUTED)/installed  ## two workers, triggerers and schedulers, with Redis and PostgreSQL of Debian
	$(DISTRIBUTED)/bin/pytest tests_distributed

test-browser: $(INSTALLED)  ## the forms, in a real browser; SCREENSHOTS=docs/images renews the documentation's
	$(BIN)/pytest tests_browser $(if $(SCREENSHOTS),--screenshots $(SCREENSHOTS))

# `make test` has the newest Airflow on Python 3.11.
test-matrix: $(addprefix test-airflow-,$(MATRIX))  ## the tests on each Airflow with each Python that is installed here

# On an older Airflow, what has no Airflow in it is left out: `make test` checks it.
WITHOUT_AIRFLOW := --ignore tests/api --ignore tests/calls --ignore tests/emulator --ignore tests/verify \
	--deselect tests/test_package.py::test_arrows_between_the_layers_point_down

.SECONDEXPANSION:

test-airflow-%: $$(if $$(call python,$$*),.venv-airflow-%/installed)
	$(if $(call python,$*), \
		.venv-airflow-$*/bin/pytest $(IN_PARALLEL) -rs $(if $(filter matrix/%,$(call pins,$*)),$(WITHOUT_AIRFLOW)) $(TESTS), \
		@echo "NOT TESTED: airflow-$*, because this machine does not have that Python")

.PRECIOUS: .venv-airflow-%/installed
.venv-airflow-%/installed: pyproject.toml $$(call pins,$$*)
	$(call python,$*) -m venv .venv-airflow-$*
	.venv-airflow-$*/bin/pip install --quiet --no-compile --constraint $(call pins,$*) --editable '.[dev]'
	touch $@

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
	rm -rf .venv .venv-constraints .venv-airflow-* $(DISTRIBUTED) .mypy_cache .ruff_cache .hypothesis .coverage dist

# Python compiles what runs: to compile everything would take longer than the demo.
$(FOR_THE_DEMO): pyproject.toml constraints.txt
	@echo "Installing Airflow and this provider into .venv. This takes a minute or two, only the first time."
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --no-compile --constraint constraints.txt --editable '.[emulator]'
	touch $@

$(INSTALLED): $(FOR_THE_DEMO)
	@echo "Installing the tools of the tests into .venv. This takes a minute or two, only the first time."
	$(BIN)/pip install --constraint constraints.txt --editable '.[dev,release]'
	touch $@

$(DISTRIBUTED)/installed: pyproject.toml constraints.txt matrix/distributed.txt
	$(PYTHON) -m venv $(DISTRIBUTED)
	$(DISTRIBUTED)/bin/pip install --quiet --no-compile --constraint constraints.txt --requirement matrix/distributed.txt --editable '.[dev]'
	touch $@
