# Everything happens in .venv; the versions are pinned, by name and version only, in constraints.txt.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/installed

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint types layers unit test-deployment test-browser docs bench constraints clean

demo: $(INSTALLED)  ## Airflow places phone calls against the emulator, and prints what became of them
	$(BIN)/python demo/run.py

test: lint types layers unit docs  ## all checks and tests but the deployment's and the browser's

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

layers: $(INSTALLED)
	$(BIN)/lint-imports

unit: $(INSTALLED)
	$(BIN)/pytest --cov --cov-report=term

test-deployment: $(INSTALLED)  ## kills workers and triggerers of a real deployment
	$(BIN)/pytest tests_deployment

test-browser: $(INSTALLED)  ## the forms, in a real browser; SCREENSHOTS=docs/images renews the documentation's
	$(BIN)/pytest tests_browser $(if $(SCREENSHOTS),--screenshots $(SCREENSHOTS))

docs: $(INSTALLED)  ## the documentation, in build/docs/; a warning is an error, and nothing is fetched
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(INSTALLED)  ## measures what the README says
	$(BIN)/python benchmarks/run.py

constraints:  ## pins anew what a fresh environment resolves to
	rm -rf .venv-constraints
	$(PYTHON) -m venv .venv-constraints
	.venv-constraints/bin/pip install --quiet --editable '.[dev]'
	.venv-constraints/bin/pip freeze --exclude-editable > constraints.txt
	rm -rf .venv-constraints

clean:
	rm -rf .venv .venv-constraints .mypy_cache .ruff_cache .hypothesis .coverage

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
