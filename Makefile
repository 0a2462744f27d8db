# What each target does: make help. Another Python: make PYTHON=/path/to/python3.12 test.
PYTHON ?=
ARGS ?=
BIN := .venv/bin
PACKAGES := passerelle contracts checks retention flows portal

.DEFAULT_GOAL := help
.PHONY: help install demo test lint bench lock

help: ## say what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "make %-8s %s\n", $$1, $$2 }'

install: .venv/installed ## make .venv from the lock (the others do it when needed)

.venv/installed: requirements/lock.txt pyproject.toml scripts/setup
	@scripts/setup $(PYTHON)
	@touch $@

demo: install ## play a convention's whole life on generated data, from signature to destruction
	@$(BIN)/python -m compileall -q $(PACKAGES)
	@$(BIN)/passerelle demo $(ARGS)

test: install ## run every test (ARGS="-k parcel" for some)
	@scripts/stock-tools
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: install ## check format, style, types and floors
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: install ## measure the exchange and contract check against references at 1 and 5 million rows, the trail, sealing, planning, the person index, the purge and the portal's pages
	@$(BIN)/python -m compileall -q $(PACKAGES)
	@$(BIN)/python benchmarks/run.py $(ARGS)
	@$(BIN)/python benchmarks/contract_check.py
	@$(BIN)/python benchmarks/trail.py
	@$(BIN)/python benchmarks/sealing.py
	@$(BIN)/python benchmarks/planning.py
	@$(BIN)/python benchmarks/persons.py
	@$(BIN)/python benchmarks/purge.py
	@$(BIN)/python benchmarks/pages.py

lock: ## resolve requirements/lock.txt again (needs uv; docs/decisions/0002-versions-that-work-together.md)
	@command -v uv >/dev/null || { echo "make lock needs uv: pipx install uv" >&2; exit 1; }
	UV_PYTHON_DOWNLOADS=never uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate --no-header --quiet $(ARGS) -o requirements/lock.txt
