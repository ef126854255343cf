# make demo   the example on real input, without Prefect; a second run skips what is done
# make test   the tests that need no server
# make lint   ruff, mypy and the directions of imports
# make bench  prefectx and its peers side by side, into benchmarks/results; takes a while
# Each makes .venv and installs what it needs. make demo PREFECTX=prefect.skiptask runs on Prefect.

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
PREFECTX ?= cache
BIN = .venv/bin

.PHONY: demo test lint bench clean

demo: .venv/demo.stamp
	PREFECTX=$(PREFECTX) $(BIN)/python examples/library_report.py

test: .venv/test.stamp
	$(BIN)/pytest -n auto --dist loadscope

lint: .venv/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/bench.stamp
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv working

.venv/demo.stamp: EXTRAS = pandas,matplotlib
.venv/test.stamp: EXTRAS = test
.venv/dev.stamp: EXTRAS = dev
.venv/bench.stamp: EXTRAS = bench

# The stamp says that these extras are installed, as pyproject.toml has them now.
.venv/%.stamp: pyproject.toml
	@test -n "$(PYTHON)" || { echo "prefectx needs Python 3.11 or later: make PYTHON=..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[$(EXTRAS)]"
	@touch $@
