# make demo   the example on real input, without Prefect; a second run skips what is done
# make test   the tests that need no server
# make lint   ruff, mypy and the directions of imports
# make bench  prefectx and its peers side by side, into benchmarks/results; takes a while
# Each makes .venv and installs what it needs, in the versions of constraints/newest.txt;
# CONSTRAINTS=constraints/oldest.txt takes the oldest supported ones, CONSTRAINTS= the latest.
# make demo PREFECTX=prefect.skiptask runs on Prefect.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
PREFECTX ?= cache
CONSTRAINTS ?= constraints/newest.txt
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test lint bench clean

demo: $(VENV)/demo.stamp
	PREFECTX=$(PREFECTX) $(BIN)/python examples/library_report.py

test: $(VENV)/test.stamp
	$(BIN)/pytest -n auto --dist loadscope

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/bench.stamp
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) working

$(VENV)/demo.stamp: EXTRAS = pandas,matplotlib
$(VENV)/test.stamp: EXTRAS = test
$(VENV)/dev.stamp: EXTRAS = dev
$(VENV)/bench.stamp: EXTRAS = bench

# The stamp says that these extras are installed, as pyproject.toml has them now.
$(VENV)/%.stamp: pyproject.toml $(CONSTRAINTS)
	@test -n "$(PYTHON)" || { echo "prefectx needs Python 3.11 or later: make PYTHON=..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check \
		$(addprefix --constraint ,$(CONSTRAINTS)) --editable ".[$(EXTRAS)]"
	@touch $@
