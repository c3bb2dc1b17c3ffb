# Needs Python >= 3.11 and make, nothing else. PYTHON=python3.13 make test takes another interpreter.
PYTHON ?= python3
DEMO ?= demo
BIN := .venv/bin
BENCHMARKS ?= scikit_learn onedal floor scaling holes normal float32 memory first_fit search chain chain_memory

.PHONY: venv demo test check docs docs-check bench clean

venv: .venv/.installed

# the stamp is made last: an installation that broke off is begun again
.venv/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python >= 3.11 is needed; set PYTHON")'
	@echo "installing into .venv, about a minute ..."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e . --group dev
	touch $@

demo: venv
	$(BIN)/estep demo --out $(DEMO)

# the code in the documents is run by docs-check
test: venv
	$(BIN)/python -m pytest -n auto --ignore=tests/docs

docs-check: venv
	$(BIN)/python -m pytest -n auto tests/docs

.venv/.docs: .venv/.installed
	$(BIN)/python -m pip install --quiet --group docs
	touch $@

# the pages, with the gallery's scripts run; what the last build left is not trusted. Nothing is fetched
docs: venv .venv/.docs
	rm -rf docs/_build docs/gallery docs/reference/generated
	$(BIN)/python -m sphinx -W --keep-going -q docs docs/_build/html
	@echo "open docs/_build/html/index.html"

check: venv
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/python -m pytest --doctest-modules src

# the machine to itself, some forty minutes; `make bench BENCHMARKS=onedal` runs one and joins the tables again
bench: venv
	$(BIN)/python -m pip install --quiet -e . --group bench
	for name in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$name || exit 1; done
	$(BIN)/python -m benchmarks.assemble

clean:
	rm -rf build dist docs/_build docs/gallery docs/reference/generated $(DEMO) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
	find src tests benchmarks -type d -name __pycache__ -prune -exec rm -rf {} +
