# Everything the desk needs is in the checkout: Python packages in .venv, data in .yinuo.
PYTHON ?= python3
BIN := .venv/bin
# Three processes of tests for two cores, as servers are waited for; tests/support/marks.py says which
# tests belong together and which come first.
CORES := $(shell getconf _NPROCESSORS_ONLN)
WORKERS ?= $(shell echo $$(( ($(CORES) * 3 + 1) / 2 )))
LIVES ?= 300
PYTEST = $(BIN)/pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder
# Tests start hundreds of programs: each is compiled once, whatever the environment says.
export PYTHONDONTWRITEBYTECODE :=
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo quick fast test lives lint check bench calendars life alarms intake finding reports threads open scale storm chaos attachments webhooks upgrade fuzz browser dovecot clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

install: $(STAMP) ## install everything into .venv

demo: $(STAMP) ## the whole desk at work, with sample issues and seconds for hours
	$(BIN)/yinuo demo $(ARGS)

quick: $(STAMP) ## lint, and all tests that need no server, in less than a minute
	@$(MAKE) --no-print-directory -j2 --output-sync=target lint fast

# Where no server is waited for, a process for each core.
fast lives: WORKERS = $(CORES)

fast: $(STAMP)
	$(PYTEST) -q -m "not server" --hypothesis-profile=quick $(ARGS)

test: $(STAMP) ## all tests, on real servers, on all cores; ARGS=tests/store for some
	$(PYTEST) $(ARGS)

lives: $(STAMP) ## hundreds of issues led at random, laws tried on more examples; LIVES=1000
	YINUO_LIVES=$(LIVES) $(BIN)/pytest tests/workflows/test_random_lives.py $(ARGS)
	$(PYTEST) -m "not server" --hypothesis-profile=long tests/domain

lint: $(STAMP) ## style, types and the import rule
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test ## lint and test

browser: ## Debian's Chromium, Chinese fonts and curl, for the tests of the doors
	@command -v chromium-headless-shell >/dev/null && command -v curl >/dev/null || { \
		as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$as_root apt-get update -qq && \
		$$as_root apt-get install -y -qq --no-install-recommends \
			chromium-headless-shell curl fonts-noto-cjk >/dev/null; }

dovecot: ## Debian's Dovecot, for the test of letters out of somebody else's mailbox
	@PATH="$$PATH:/usr/sbin" command -v dovecot >/dev/null || { \
		as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$as_root apt-get update -qq && \
		$$as_root apt-get install -y -qq --no-install-recommends dovecot-imapd >/dev/null; }

fuzz: $(STAMP) ## letters and webhooks broken at random; ARGS="--inputs 100000" for more
	$(BIN)/python -m benchmarks.fuzz $(ARGS)

# One after the other, whatever -j says: each has the machine for itself. All are run, also if one fails.
bench: $(STAMP) ## all of the next six, small: some minutes; ARGS=--strict to fail for missed aims as well
	@failed=; for each in calendars life alarms intake open scale; do \
		echo; echo "== $$each"; strict=; [ $$each = calendars ] || strict="$(ARGS)"; \
		$(MAKE) --no-print-directory $$each ARGS="--quick $$strict" || failed="$$failed $$each"; \
	done; [ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

calendars: $(STAMP) ## calendars beside other libraries, some minutes; ARGS=--quick for less
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r benchmarks/requirements.txt
	$(BIN)/python -m benchmarks.calendars $(ARGS)

life: $(STAMP) ## what a whole life costs beside a bare workflow, some minutes; ARGS=--quick for less
	$(BIN)/python -m benchmarks.life $(ARGS)

alarms: $(STAMP) ## how late many alarms of one instant are, beside bare timers
	$(BIN)/python -m benchmarks.alarms $(ARGS)

intake: $(STAMP) ## what a registration waits for, beside a bare one
	$(BIN)/python -m benchmarks.intake $(ARGS)

finding: $(STAMP) ## finding issues among 200,000; a quarter of an hour, ARGS=--quick for less
	$(BIN)/python -m benchmarks.finding $(ARGS)

reports: $(STAMP) ## every report of a busy month and a year, and whether it is right; ARGS=--quick for less
	$(BIN)/python -m benchmarks.reports $(ARGS)

threads: $(STAMP) ## reading the thread of an issue with 2,000 entries, beside a usual one
	$(BIN)/python -m benchmarks.threads $(ARGS)

open: $(STAMP) ## what an open issue costs, and pages of 100,000 issues; an hour, ARGS=--quick for less
	$(BIN)/python -m benchmarks.open $(ARGS)

scale: $(STAMP) ## one, two and four workers, and where it stops
	$(BIN)/python -m benchmarks.scale $(ARGS)

storm: $(STAMP) ## an intake storm through the doors and past them, some minutes
	$(BIN)/python -m benchmarks.storm $(ARGS)

chaos: $(STAMP) ## every fault at once, and an independent check; a quarter of an hour
	$(BIN)/python -m benchmarks.chaos $(ARGS)

webhooks: $(STAMP) ## receivers that fail, hang and lie under load, an hour; ARGS="--minutes 5" for less
	$(BIN)/python -m benchmarks.webhooks $(ARGS)

attachments: $(STAMP) ## 10,000 photographs, 5 GB, while everything is killed; some minutes, ARGS="--files 1000" for less
	$(BIN)/python -m benchmarks.attachments $(ARGS)

upgrade: $(STAMP) ## a desk of an earlier version, cut off and taken over; some minutes
	$(BIN)/python -m benchmarks.upgrade $(ARGS)

clean: ## remove what was installed and built, not the desk's data in .yinuo
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

# Re-pin after a change in pyproject.toml. No index address is written: pip uses whichever
# registry the machine is set up for, and the hashes say whether it is the same file.
.PHONY: pins
pins:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate --no-header --output-file requirements.txt
	uv pip compile --group bench --constraints requirements.txt --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate --no-header \
		--output-file benchmarks/requirements.txt

$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Yinuo needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
			"Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Installing into .venv: once, about a minute."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
