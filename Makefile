# `make demo` sets everything up and runs the main job on the sample; `make test` passes the tests. Nothing else is
# needed on a Debian or Ubuntu machine with Python 3.11 or newer.

# The one place where PyTorch is chosen. PyPI's own build of this version works with a GPU and without; for the small
# CPU build: make demo TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"
TORCH ?= torch==2.13.0
PYTHON ?= python3
SYSTEM_PACKAGES = flite libflite1 festival festvox-us-slt-hts festvox-kallpc16k festvox-kdlpc16k espeak-ng \
	libespeak-ng1 libsndfile1

EXTRAS = offline,llm,voicebank,quality,recognizers,audioseal,audit,kokoro
# Asks for a webrtcvad that must be compiled; the extra `voicebank` brings the same in a wheel.
RESEMBLYZER = resemblyzer==0.1.4

VENV = .venv
PARLEY = $(VENV)/bin/parley
export RAY_USAGE_STATS_ENABLED = 0

.PHONY: demo test test-slow test-peers test-cosyvoice lint bench clean

demo: $(VENV)/ready
	$(PARLEY) demo

test: $(VENV)/ready lint
	$(VENV)/bin/pytest -q -n 2 --dist loadfile --no-loadscope-reorder

test-slow: $(VENV)/ready
	$(VENV)/bin/pytest -q -m "slow and not gpu" --ignore tests/peers

# Against real servers of language models, and vLLM in process: in environments of their own (4 GB).
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

$(VENV)/ready: pyproject.toml Makefile docker/system-packages.sh
	sh docker/system-packages.sh $(SYSTEM_PACKAGES)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Parley needs Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --upgrade pip
	$(VENV)/bin/pip install --quiet $(TORCH)
	$(VENV)/bin/pip install --quiet --editable ".[$(EXTRAS),dev]"
	$(VENV)/bin/pip install --quiet --no-deps $(RESEMBLYZER)
	touch $@

clean:
	rm -rf $(VENV) .peers demo
