# `make help` lists the targets. Everything runs from .venv, which follows requirements/all.txt by itself.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

PORT ?= 8080
SERVICES := gateway sync materials reporting
CHOSEN := $(or $(SERVICE),$(SERVICES))

VENV := .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
PYTEST := $(PY) -m pytest
LOCAL := $(PY) -m deploy.local
export UV := $(or $(shell command -v uv 2>/dev/null),$(CURDIR)/.tools/uv)

STATIC := format lint imports types
SUITES := tests/architecture tests/unit tests/integration tests/contract tests/e2e

.PHONY: help install run demo-library run-clean test check format fix lint imports types unit isolate integration contract e2e \
	compose-check snapshots lock dlq-list dlq-replay replay bench-sync bench-crawl bench-single bench-materials

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9%-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Install what is missing: uv, the virtual environment, the pinned requirements

$(INSTALLED): requirements/all.txt
	@sh deploy/local/install.sh

# --- The embedded stack ------------------------------------------------------------------------------------------

run: $(INSTALLED) ## Start everything and play the main job once; PORT=… moves every port (default 8080)
	@exec $(LOCAL) run --port $(PORT) --with-parent

demo-library: $(INSTALLED) ## Play a material's way from draft to the city's shared shelf, on the running stack
	@$(PY) -m deploy.demo library

run-clean: $(INSTALLED) ## Remove the state of the stopped stack (.run/)
	@$(LOCAL) clean

dlq-list: $(INSTALLED) ## Show dead letters; SERVICE=… for one service
	@for service in $(CHOSEN); do echo "$$service:"; $(LOCAL) ops $$service dlq-list || exit 1; done

dlq-replay: $(INSTALLED) ## Apply dead letters again; SERVICE=… for one service, POSITION=… for one letter of it
	@for service in $(CHOSEN); do $(LOCAL) ops $$service dlq-replay $(if $(POSITION),--position $(POSITION)) || exit 1; done

replay: $(INSTALLED) ## Publish events again from SINCE=2026-01-31T08:00:00+07:00 on; SERVICE=… for one service
	@test -n "$(SINCE)" || { echo "SINCE is missing: make replay SINCE=2026-01-31T08:00:00+07:00 SERVICE=sync" >&2; exit 2; }
	@for service in $(CHOSEN); do $(LOCAL) ops $$service replay --since "$(SINCE)" || exit 1; done

# --- Quality, fast to slow ---------------------------------------------------------------------------------------

test: $(STATIC) isolate compose-check ## Everything CI runs, on throw-away servers of its own
	$(PYTEST) -n 2 --dist loadfile $(SUITES)

check: $(STATIC) unit isolate compose-check integration contract e2e ## The same step by step, fast to slow

format: $(INSTALLED) ## Is the code formatted? (`make fix` does it)
	$(VENV)/bin/ruff format --check .

fix: $(INSTALLED) ## Format, and mend what the linter can mend
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

lint: $(INSTALLED) ## Linter, and the limits on the size of files and functions
	$(VENV)/bin/ruff check .
	$(PY) -m tests.architecture.sizes

imports: $(INSTALLED) ## Who may import whom
	$(VENV)/bin/lint-imports

types: $(INSTALLED) ## mypy, strict
	$(VENV)/bin/mypy

unit: $(INSTALLED) ## Tests without servers, and those of the architecture
	$(PYTEST) tests/architecture tests/unit

isolate: $(INSTALLED) ## Each service starts with only its own folder, shared/ and its own requirements
	$(PY) -m tests.architecture.isolate

integration: $(INSTALLED) ## Tests against real PostgreSQL and nats-server
	$(PYTEST) -n 2 --dist loadfile tests/integration

contract: $(INSTALLED) ## OpenAPI, event schemas and migrations against their snapshots
	$(PYTEST) tests/contract

e2e: $(INSTALLED) ## The main job through the whole system
	$(PYTEST) tests/e2e

compose-check: $(INSTALLED) ## deploy/compose.yaml and deploy/Dockerfile, offline
	$(PY) -m tests.architecture.compose
	$(VENV)/bin/hadolint deploy/Dockerfile

snapshots: $(INSTALLED) ## Write the snapshots of OpenAPI and events anew, to be reviewed as a diff
	$(PY) -m tests.contract.snapshots

lock: $(INSTALLED) ## Pin all dependencies anew after a change of a pyproject.toml; UPGRADE=1 takes the newest
	sh requirements/lock.sh $(if $(UPGRADE),--upgrade)

# --- Figures -----------------------------------------------------------------------------------------------------

bench-sync: $(INSTALLED) ## What an import costs against a plain COPY, in one run; ROWS=… ROUNDS=… for smaller ones
	$(PY) -m tests.load.sync --rows $(or $(ROWS),1000000) --rounds $(or $(ROUNDS),3)

bench-single: $(INSTALLED) ## One record by PUT against one upsert, with 1 and with 32 clients; WRITES=… ROUNDS=…
	$(PY) -m tests.load.single --writes $(or $(WRITES),400) --rounds $(or $(ROUNDS),3)

bench-materials: $(INSTALLED) ## Search, review, harvest, 2 GB up and down against their limits; ITEMS=… ROUNDS=… MEGABYTES=…
	$(PY) -m tests.load.materials --items $(or $(ITEMS),200000) --rounds $(or $(ROUNDS),3) --megabytes $(or $(MEGABYTES),2048)

bench-crawl: $(INSTALLED) ## Reading every user page by page against one COPY; USERS=… ROUNDS=… for smaller ones
	$(PY) -m tests.load.crawl --users $(or $(USERS),1100000) --rounds $(or $(ROUNDS),3)
