# Every target does its own set-up; the second run of any is quick.
#   make demo        a whole dataset from a small web on this machine, in a few minutes
#   make test        lint, types and all quick tests
#   make help        the rest

VENV ?= .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
# Where pip finds wheels is your pip configuration's affair (PIP_INDEX_URL, PIP_FIND_LINKS).
CONSTRAINTS ?= constraints/cpu.txt
# One process more than cores: crawls wait most of the time.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
READY := $(VENV)/.installed
# Hundreds of processes start here; each would compile everything that it imports.
unexport PYTHONDONTWRITEBYTECODE

# Debian packages that deeper tests and bigger demos use; nothing else needs them.
SYSTEM_PACKAGES := chromium libimage-exiftool-perl fonts-dejavu-core fonts-noto-cjk fonts-ipafont openclipart-png openclipart-svg

.PHONY: help setup demo test quick test-deep lint bench-crawl bench-decisions bench-peers bench-detectors system clean
.DEFAULT_GOAL := help

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done

setup: $(READY) ## Make the virtual environment and install everything into it

$(PY):
	@for python in $(PYTHON) python3.11 python3.12 python3.13 python3 python3.14; do \
		if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "making $(VENV) with $$($$python --version)"; \
			$$python -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; exit 0; \
		fi; \
	done; \
	echo "error: Kyodaku needs Python 3.11 or later with venv (on Debian: python3 and python3-venv)" >&2; exit 1

$(READY): pyproject.toml $(CONSTRAINTS) | $(PY)
	@echo "installing (about 2 GB, once)"
	@rm -rf kyodaku.egg-info  # a stale one would hide new entry points
	@# --no-compile: most of what comes is never imported, and what is, is compiled then.
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-compile -c $(CONSTRAINTS) -e '.[dev]'
	@touch $@

demo: $(READY) ## Crawl a small web on this machine, release it, verify it, say where to look
	@$(PY) -m tests.demo

lint: $(READY) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Types are checked beside the tests: one core would wait meanwhile.
test: $(READY) ## Lint, types and every quick test
	@$(MAKE) --no-print-directory -j 2 lint quick

quick: $(READY)
	$(BIN)/pytest -m "not deep" -n $(JOBS) --dist loadscope --no-loadscope-reorder

test-deep: $(READY) ## The long proofs: 50 kills, environments of their own
	$(BIN)/pytest -m deep --timeout 1800 -n $(JOBS) --dist worksteal

bench-crawl: $(READY) ## Images per second and CPU per image beside stock Scrapy
	$(PY) -m benchmarks.crawl

bench-decisions: $(READY) ## Verdicts per second over cached host files beside bare Protego
	$(PY) -m benchmarks.decisions

bench-peers: $(READY) ## What img2dataset and datadiligence make of X-Robots-Tag; writes docs/peers.md
	$(PY) -m benchmarks.peers

# Where the pictures are that `python -m curation.train.pictures` fetched; QUICK=1 takes minutes.
POOL ?= $(HOME)/.cache/kyodaku/pool
bench-detectors: $(READY) ## What annotators and drop filters find and mistake, and what a look costs
	$(PY) -m benchmarks.detectors --pool $(POOL) --jobs $(shell getconf _NPROCESSORS_ONLN) $(if $(QUICK),--quick)
	$(PY) -m benchmarks.detectors.speed --pool $(POOL) $(if $(QUICK),--quick)

system: ## List the Debian packages that deeper tests use; as root, install them
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		missing=$$(for p in $(SYSTEM_PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
		if [ -z "$$missing" ]; then echo "all there: $(SYSTEM_PACKAGES)"; exit 0; fi; \
		echo "installing:" $$missing; \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; \
	else \
		echo "deeper tests use these; as root run:"; \
		echo "apt-get install --no-install-recommends $(SYSTEM_PACKAGES)"; \
	fi

clean: ## Remove the environment and caches; runs/ stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
