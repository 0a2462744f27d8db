PYTHON ?= python3
BIN := .venv/bin

.PHONY: help install demo test lint bench lock
help:
	@echo "make demo   play a convention's whole life on generated data"
	@echo "make test   run every test"
	@echo "make lint   formatting, lint, types, floors"
	@echo "make bench  measure against two references"

install: $(BIN)/.installed
$(BIN)/.installed: requirements/lock.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/lock.txt
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

test: install
	$(BIN)/pytest

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
