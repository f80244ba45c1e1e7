# Every verb does its own set-up: Python 3.11 or newer and make are enough.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; \
	done)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready
ENGINE := $(wildcard engine/*.c engine/*.h engine/kernels/*.h engine/build.py hatch_build.py)
PIP := -m pip install -qq --disable-pip-version-check
LOWEST := .venv-lowest
LOWEST_READY := $(LOWEST)/.ready
HOSTS := .venv-hosts
HOSTS_READY := $(HOSTS)/.ready
HOSTED := $(filter-out r3mem_langchain r3mem_llamaindex,$(notdir $(wildcard integrations/r3mem_*)))
WHEELS := .venv-wheels
WHEELS_READY := $(WHEELS)/.ready
WORKERS ?= logical
DATA ?= data/eval/dialogues
TRAIN_DATA ?= data/train
RECALL_DATA ?= data/eval/locomo
WIKITEXT ?= data/eval/wikitext2/test.txt
BASE ?= SmolLM2-135M
ADAPTER ?= runs/latent/adapter
PAGES := docs.tables docs.commands

# What Python compiled for one process serves the next: tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-slow test-gpu test-hosts test-lowest test-aarch64 sanitize check format \
	docs pages bench latent-bench recall question wheels clean
.DEFAULT_GOAL := help

help:
	@echo "make demo       remember four real meetings, check every byte, ask, draw"
	@echo "make test       run the tests, WORKERS=number at once (all cores: a worker takes 2 GB)"
	@echo "                test-slow, test-gpu: the others; test-lowest: on the lowest versions;"
	@echo "                test-hosts: the adapters of other hosts, in an environment of their own;"
	@echo "                test-aarch64: the engine of that processor, under qemu-user-static"
	@echo "make sanitize   test the engine under gcc's sanitizers of memory and arithmetic"
	@echo "make check      lint, formatting, types"
	@echo "make format     put the code in form"
	@echo "make docs       build the pages into build/site; warnings are errors"
	@echo "make pages      write the tables of the pages and the reference of the command line anew"
	@echo "make bench      measure; DATA=folder of dialogues, TRAIN_DATA=folder for zstd's dictionary"
	@echo "make latent-bench   measure memory tokens of a base model: BASE=folder ADAPTER=folder"
	@echo "make recall     measure lookups; RECALL_DATA=LoCoMo's file, or as in docs/recall.md"
	@echo "make question   work the question of docs/recall.md anew"
	@echo "make wheels     build the wheels of all platforms, and the source, into dist/"
	@echo "make clean      remove what these made"

# The package with its engine, and nothing that only tests or training need. Python compiles the
# modules that it imports by itself.
$(INSTALLED): pyproject.toml constraints.txt $(ENGINE)
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python"; exit 1; }
	@test -x $(BIN)/python || echo "Setting up $(VENV), with $$($(PYTHON) --version) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the package; its engine is compiled ..."
	@$(BIN)/python $(PIP) --no-compile -c constraints.txt -e .
	@touch $@

# After a change of the engine alone, only that is installed again.
$(READY): pyproject.toml constraints.txt | $(INSTALLED)
	@$(BIN)/python $(PIP) --upgrade 'pip>=25.1'
	@echo "Installing PyTorch, once, for training and the tests; this takes a few minutes ..."
	@$(BIN)/python $(PIP) -c constraints.txt torch
	@echo "Installing what tests, docs and benchmarks use ..."
	@$(BIN)/python $(PIP) -c constraints.txt -e '.[all]' --group dev
	@touch $@

# An environment of its own in the folder $(1).
define environment
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python"; exit 1; }
	@test -x $(1)/bin/python || $(PYTHON) -m venv $(1)
	@$(1)/bin/python $(PIP) --upgrade 'pip>=25.1'
endef

$(LOWEST_READY): pyproject.toml constraints-lowest.txt
	@echo "setting up $(LOWEST): once, a few minutes ..."
	$(call environment,$(LOWEST))
	@$(LOWEST)/bin/python $(PIP) -c constraints-lowest.txt \
		-e '.[langchain,classic,llamaindex,torch]' --group test
	@touch $@

$(HOSTS_READY): pyproject.toml constraints-hosts.txt
	@echo "Installing other hosts in $(HOSTS): once, a minute ..."
	$(call environment,$(HOSTS))
	@$(HOSTS)/bin/python $(PIP) -c constraints-hosts.txt \
		-e '.[openai-agents,adk,agent-framework,strands,pydantic-ai]' --group hosts
	@touch $@

$(WHEELS_READY): pyproject.toml constraints.txt
	$(call environment,$(WHEELS))
	@$(WHEELS)/bin/python $(PIP) -c constraints.txt --group wheels
	@touch $@

demo: $(INSTALLED)
	@$(BIN)/r3mem demo

test: $(READY)
	@$(BIN)/python -m pytest -n $(WORKERS)

test-slow: $(READY)
	@$(BIN)/python -m pytest -m slow

test-gpu: $(READY)
	@$(BIN)/python -m pytest -m gpu

test-hosts: $(HOSTS_READY)
	@$(HOSTS)/bin/python -m mypy $(wildcard $(HOSTED:%=integrations/%/*.py)) $(wildcard tests/hosts/*.py)
	@$(HOSTS)/bin/python -m pytest -n $(WORKERS) tests/hosts

test-lowest: $(LOWEST_READY)
	@$(LOWEST)/bin/python -m pytest -n $(WORKERS) tests/store tests/analysis tests/lookup tests/memory \
		tests/cli/test_*.py tests/langchain tests/llamaindex

test-aarch64: $(READY)
	@$(BIN)/python $(PIP) -c constraints.txt --group wheels
	@$(BIN)/python -m pytest -m aarch64

sanitize: $(READY)
	@$(BIN)/python engine/sanitize.py

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

latent-bench: $(READY)
	$(BIN)/python -m benchmarks latent --base $(BASE) --adapter $(ADAPTER) --wikitext $(WIKITEXT) \
		--dialogues $(DATA) --out docs/results
	$(BIN)/python -m benchmarks latent-questions --base $(BASE) --adapter $(ADAPTER) \
		--pairs $(TRAIN_DATA) --conversations $(RECALL_DATA) --out docs/results

recall: $(READY)
	$(BIN)/python -m benchmarks recall --data $(RECALL_DATA) --ablate --out docs/results

question: $(READY)
	$(BIN)/python -m benchmarks question

wheels: $(WHEELS_READY)
	@$(WHEELS)/bin/python engine/wheels.py dist

clean:
	rm -rf $(VENV) $(LOWEST) $(HOSTS) $(WHEELS) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis r3mem-demo.db* r3mem-demo.png
