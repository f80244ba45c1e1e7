# Every verb does its own set-up: Python 3.11 or newer and make are enough.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; \
	done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := -m pip install -qq --disable-pip-version-check
LOWEST := .venv-lowest
LOWEST_READY := $(LOWEST)/.ready
WORKERS ?= logical
DATA ?= data/eval/dialogues
TRAIN_DATA ?= data/train
RECALL_DATA ?= data/eval/locomo
PAGES := docs.tables docs.commands

.PHONY: help demo test test-slow test-gpu test-lowest check format docs pages bench recall question wheel clean
.DEFAULT_GOAL := help

help:
	@echo "make demo       remember four real meetings, check every byte, ask, draw"
	@echo "make test       run the tests, WORKERS=number at once (all cores: a worker takes 2 GB)"
	@echo "                test-slow, test-gpu: the others; test-lowest: on the lowest versions"
	@echo "make check      lint, formatting, types"
	@echo "make format     put the code in form"
	@echo "make docs       build the pages into build/site; warnings are errors"
	@echo "make pages      write the tables of the pages and the reference of the command line anew"
	@echo "make bench      measure; DATA=folder of dialogues, TRAIN_DATA=folder for zstd's dictionary"
	@echo "make recall     measure lookups; RECALL_DATA=LoCoMo's file, or as in docs/recall.md"
	@echo "make question   work the question of docs/recall.md anew"
	@echo "make wheel      build the wheel into dist/"
	@echo "make clean      remove what these made"

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up $(VENV), once; this takes a few minutes."
	@echo "  1/3 an environment, with $$($(PYTHON) --version)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP) --upgrade 'pip>=25.1'
	@echo "  2/3 PyTorch, the largest part"
	@$(BIN)/python $(PIP) -c constraints.txt torch
	@echo "  3/3 the package, and what its tests, docs and benchmarks use"
	@$(BIN)/python $(PIP) -c constraints.txt -e '.[all]' --group dev
	@touch $@

$(LOWEST_READY): pyproject.toml constraints-lowest.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python"; exit 1; }
	@test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	@echo "setting up $(LOWEST): once, a few minutes ..."
	@$(LOWEST)/bin/python $(PIP) --upgrade 'pip>=25.1'
	@$(LOWEST)/bin/python $(PIP) -c constraints-lowest.txt \
		-e '.[langchain,classic,llamaindex,torch]' --group test
	@touch $@

demo: $(READY)
	@$(BIN)/r3mem demo

test: $(READY)
	@$(BIN)/python -m pytest -n $(WORKERS)

test-slow: $(READY)
	@$(BIN)/python -m pytest -m slow

test-gpu: $(READY)
	@$(BIN)/python -m pytest -m gpu

test-lowest: $(LOWEST_READY)
	@$(LOWEST)/bin/python -m pytest -n $(WORKERS) tests/store tests/analysis tests/lookup tests/memory \
		tests/langchain tests/llamaindex

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict

pages: $(READY)
	@for page in $(PAGES); do $(BIN)/python -m $$page || exit 1; done

bench: $(READY)
	$(BIN)/python -m benchmarks codec --data $(DATA) --dictionary-from $(TRAIN_DATA) --out docs/results
	$(BIN)/python -m benchmarks speed --out docs/results

recall: $(READY)
	$(BIN)/python -m benchmarks recall --data $(RECALL_DATA) --ablate --out docs/results

question: $(READY)
	$(BIN)/python -m benchmarks question

wheel: $(READY)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	@ls -l dist/*.whl

clean:
	rm -rf $(VENV) $(LOWEST) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis r3mem-demo.db* r3mem-demo.png
