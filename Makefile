# Everything a fresh machine needs, from two commands: `make demo` and `make test`.
# `make help` lists the rest.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
JOBS   ?= 2

.DEFAULT_GOAL := help
.PHONY: help install install-dev weights demo serve test test-slow check format coverage \
        benchmark benchmark-tracker benchmark-search benchmark-ingest benchmark-ranking benchmark-rerank benchmark-streaming benchmark-training clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Reknit needs Python 3.11 or later (set PYTHON=...)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet -c constraints.txt -e .
	@touch $@

# trackeval, the witness of our tracking figures, asks for the OpenCV wheel that would overwrite the headless one:
# it is installed without its dependencies, which the extra `dev` names instead.
$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --quiet -c constraints.txt -e '.[dev]'
	$(PIP) install --quiet --no-deps -c constraints.txt trackeval
	@touch $@

install: $(VENV)/.installed  ## Create .venv with the `reknit` command
install-dev: $(VENV)/.installed-dev  ## The same, with everything that tests and checks need

weights: install  ## Fetch the published weights by hash (once; into REKNIT_WEIGHTS_DIR or the user's cache)
	$(BIN)/reknit weights pull

demo: weights  ## Simulate a site, ingest it, find people across its cameras, score it, serve it (DEMO_FLAGS=--no-serve)
	$(BIN)/reknit demo $(DEMO_FLAGS)

serve: install  ## Serve the data folder over HTTP on this machine
	$(BIN)/reknit serve

check: install-dev  ## Lint, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install-dev  ## Put the code into its one form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: install-dev weights  ## All tests but the slow ones, real PostgreSQL included
	$(BIN)/python -m pytest -n $(JOBS) -m "not slow and not gpu"

test-slow: install-dev weights  ## The slow tests: default-size site, twenty kills, long runs
	$(BIN)/python -m pytest -m slow

coverage: install-dev weights  ## Branch coverage of the default tests
	$(BIN)/python -m pytest -n $(JOBS) -m "not slow and not gpu" --cov --cov-report=term-missing:skip-covered

benchmark: benchmark-tracker benchmark-search benchmark-ranking benchmark-rerank benchmark-streaming benchmark-ingest benchmark-training  ## All of them, then one table of ratios
	$(BIN)/python tests/benchmarks/summary.py tracker search ranking rerank streaming ingest training

benchmark-tracker: install-dev  ## The tracker beside its peers (build/benchmarks/tracker.json)
	tests/benchmarks/peers/install.sh
	$(BIN)/python tests/benchmarks/benchmark_tracker.py

benchmark-search: install-dev  ## Search over 100,000 vectors beside bare FAISS (build/benchmarks/search.json)
	$(BIN)/python tests/benchmarks/benchmark_search.py

benchmark-ingest: install-dev weights  ## Ingest beside decode + letterbox + detector (build/benchmarks/ingest.json)
	$(BIN)/python tests/benchmarks/benchmark_ingest.py

benchmark-ranking: install-dev  ## Scoring at Market-1501 and LaST size (build/benchmarks/ranking.json)
	$(BIN)/python tests/benchmarks/benchmark_ranking.py

benchmark-rerank: install-dev  ## Re-ranking by sparse graphs beside dense matrices (build/benchmarks/rerank.json; 9 GB)
	tests/benchmarks/peers/install.sh
	$(BIN)/python tests/benchmarks/benchmark_rerank.py

benchmark-streaming: install-dev  ## The graph that follows its gallery: inserts, its rebuild, re-ranked search (build/benchmarks/streaming.json; 8 GB)
	$(BIN)/python tests/benchmarks/benchmark_streaming.py

benchmark-training: install-dev weights  ## Training beside a bare loop of the same network (build/benchmarks/training.json)
	$(BIN)/python tests/benchmarks/benchmark_training.py

clean:  ## Remove what was built here (never data)
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
