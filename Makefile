# Two commands for a newcomer: `make demo` and `make test`. Both need Python >= 3.11, pip and make.

PYTHON ?= python3
VENV := .venv
DEMO := .venv-demo
OLDEST := .venv-oldest
DOCS := .venv-docs
# What is longer than a few minutes, each with a target of its own.
APART := $(addprefix --ignore tests/,fuzz shapes probes processes cli boundary data docs examples)
PIP := -m pip install --quiet --disable-pip-version-check

# The suites start hundreds of processes: modules are compiled once, not by each of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test parts processes shapes probes fuzz docs servers lint types imports check oldest soak fresh bench \
	reference pictures site clean

demo: $(DEMO)/done  ## Run the example app's suite through greenroom, as a user would.
	cd examples/quickstart && ../../$(DEMO)/bin/python -m pytest

test: $(VENV)/done  ## Run the project's test suite; the longer parts have targets of their own.
	$(VENV)/bin/python -m pytest $(APART)

processes: $(VENV)/done  ## How runs and their workers start, share and end; and the command line.
	$(VENV)/bin/python -m pytest tests/processes tests/cli

shapes: $(VENV)/done  ## Every way to build an app, on each kind of database and of loop.
	$(VENV)/bin/python -m pytest tests/shapes

parts: $(VENV)/done  ## The fakes at the boundary, rows, callers, automatic checks.
	$(VENV)/bin/python -m pytest tests/boundary tests/data

probes: $(VENV)/done  ## Every database x isolation x kind of loop, on two workers and in two runs at once.
	$(VENV)/bin/python -m pytest tests/probes

fuzz: $(VENV)/done  ## Random schedules of the isolation rollback, beside real connections.
	$(VENV)/bin/python -m pytest tests/fuzz

docs: $(VENV)/done  ## What the documentation shows, and the services in examples/, each by its own suite.
	$(VENV)/bin/python -m pytest tests/docs tests/examples

servers: $(VENV)/done  ## Those of the tests that need a server of this machine.
	$(VENV)/bin/python -m pytest tests/plugin tests/database tests/processes tests/cli -k "asyncmy or aiomysql or mariadb or mysql or served"

lint: $(VENV)/done
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/done
	$(VENV)/bin/mypy
	cd examples/quickstart && ../../$(VENV)/bin/mypy --strict main.py tests

imports: $(VENV)/done
	$(VENV)/bin/lint-imports

check: lint types imports  ## Everything that reads the code without running it.

oldest: $(OLDEST)/done  ## The suite and the shapes on SQLAlchemy 2.0, and with httpx in the place of httpx2.
	$(OLDEST)/bin/python -m pytest $(APART)
	$(OLDEST)/bin/python -m pytest tests/boundary tests/data
	$(OLDEST)/bin/python -m pytest tests/shapes -k "session or runner"

soak: $(VENV)/done  ## 5,000 tests in one run on PostgreSQL: nothing grows.
	$(VENV)/bin/python -m tests.soak

fresh:  ## A fresh environment, an empty folder, an app and a test: nothing but pip and pytest.
	$(PYTHON) tests/fresh.py

bench: $(VENV)/done  ## Ratios against the usual recipes, interleaved: benchmarks/README.md.
	$(VENV)/bin/python -m benchmarks

reference: $(VENV)/done  ## Write docs/reference.md from the code.
	$(VENV)/bin/python docs/generate.py

pictures: $(DOCS)/done  ## Make the README's pictures from real runs; needs Chromium.
	$(DOCS)/bin/python docs/pictures.py

site: $(DOCS)/done  ## The documentation as a site, built offline; a warning is an error.
	$(DOCS)/bin/python -m sphinx -W --keep-going -q -b html docs $(DOCS)/site
	@echo "open $(DOCS)/site/index.html"

clean:
	rm -rf $(VENV) .venv-newest $(DEMO) $(OLDEST) $(DOCS) benchmarks/_generated .mypy_cache .ruff_cache .pytest_cache

$(VENV)/done: pyproject.toml requirements-dev.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python $(PIP) -r requirements-dev.txt
	$(VENV)/bin/python $(PIP) -e .
	touch $@

$(OLDEST)/done: pyproject.toml requirements-dev.txt requirements-oldest.txt
	$(PYTHON) -m venv --clear $(OLDEST)
	grep -iv '^sqlalchemy\|^httpx2' requirements-dev.txt > $(OLDEST)/requirements.txt
	$(OLDEST)/bin/python $(PIP) -r $(OLDEST)/requirements.txt -r requirements-oldest.txt
	$(OLDEST)/bin/python $(PIP) -e .
	$(OLDEST)/bin/python -m pip uninstall --quiet --yes httpx2 httpcore2
	touch $@

$(DOCS)/done: pyproject.toml requirements-docs.txt
	$(PYTHON) -m venv --clear $(DOCS)
	$(DOCS)/bin/python $(PIP) -r requirements-docs.txt
	$(DOCS)/bin/python $(PIP) -e '.[postgres,clock,queries,fuzz]'
	touch $@

$(DEMO)/done: pyproject.toml
	$(PYTHON) -m venv --clear $(DEMO)
	$(DEMO)/bin/python $(PIP) .
	touch $@
