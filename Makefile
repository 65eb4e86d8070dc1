# Every target sets up what it needs first and can be repeated. Paths are relative: a checkout may have blanks in its path.
SHELL := /bin/bash
PY := .venv/bin/python
SHARD ?= 1/1
.DEFAULT_GOAL := help
.PHONY: help setup demo test static lint types layers generated check bench generate gauntlet lock clean

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1	\2/p' Makefile | expand -t 18

setup: ## build .venv from the lock and get a Prometheus
	@scripts/setup.sh

demo: setup ## run the first drill: four faults, four alerts, less than two minutes
	@.venv/bin/alertdrill run seed-disaster

test: setup ## run all tests: three files at a time, then the drills, which run three at a time by themselves
	@one=0; $(PY) -m pytest -n 3 --dist loadfile -m "not long" tests/unit tests/contract tests/integration || one=$$?; \
	two=0; $(PY) -m pytest tests/e2e -m "not long" || two=$$?; exit $$((one > two ? one : two))

static: lint types layers generated ## what needs no running parts; make -k static shows everything that is wrong

lint: setup ## style and format
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: setup ## mypy --strict
	$(PY) -m mypy src
	MYPYPATH=targets/fraud $(PY) -m mypy targets

layers: setup ## who may import whom
	.venv/bin/lint-imports --no-logo

generated: setup ## whether docs/faults, docs/schema and the targets' rules and dashboards are up to date
	$(PY) -m alertdrill.generate --check

check: static test ## everything that must hold before a commit

bench: setup ## compare with peers: every file of benchmarks/
	@for file in benchmarks/*.py; do [ -e "$$file" ] || continue; echo "== $$file"; $(PY) "$$file" || exit 1; done

generate: setup ## write docs/faults, docs/schema and the targets' rules and dashboards from the code
	@$(PY) -m alertdrill.generate

gauntlet: setup ## the long proofs, one share of them: make gauntlet SHARD=1/4
	@SHARD=$(SHARD) $(PY) -m pytest -v tests/gauntlet
	@case "$(SHARD)" in 1/*) $(PY) -m pytest -v tests/integration tests/e2e -m long;; esac

lock: ## resolve requirements.lock anew (needs uv)
	uv pip compile --universal --python-version 3.11 --no-annotate --extra dashboards --extra targets --group dev \
	    --custom-compile-command 'make lock' --upgrade --output-file requirements.lock pyproject.toml

clean: ## remove .venv, caches and builds; results and the cached Prometheus stay
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
