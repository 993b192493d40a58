# Two commands matter: `make up` serves the whole system, `make test` proves it.
PYTHON ?= python3
DATA ?= data
PORT ?= 8400
BIN := .venv/bin

.PHONY: up test setup develop lint bench lock clean

up: setup
	@$(BIN)/estafette up --data $(DATA) --port $(PORT)

test: develop lint
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

setup: .venv/ready

develop: .venv/developed .venv/s3/ready

# The markers follow what they are made from: a second call only looks at dates.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed (PYTHON=python3.11 make ...)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "The venv module is missing: apt-get install python3-venv"; exit 2; }
	@echo "Installing the locked dependencies in .venv ..."
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements.lock
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

.venv/developed: requirements-dev.lock .venv/ready
	@echo "Installing what the tests need ..."
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements-dev.lock
	@touch $@

# An S3-compatible server, in a place of its own: what it needs is at odds with what the other tests need.
.venv/s3/ready: requirements-s3.lock .venv/ready
	@echo "Installing the S3 server of the tests in .venv/s3 ..."
	@test -x .venv/s3/bin/python || $(PYTHON) -m venv --without-pip .venv/s3
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip install --quiet --python .venv/s3/bin/python --require-hashes --requirement requirements-s3.lock
	@touch $@

lint: develop
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > /dev/null || $(BIN)/lint-imports

bench: develop
	@$(BIN)/python -m bench

# After a change of dependencies: hashes for every platform, no address of any registry.
lock: setup
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 pyproject.toml --output-file requirements.lock
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 --group dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 --group pyproject.toml:s3 --output-file requirements-s3.lock

clean:
	rm -rf .venv
