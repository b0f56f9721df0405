.DEFAULT_GOAL := help
.PHONY: help setup up down test fast lint fmt types docs check ci lock

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: ## install what the project needs
	./nexus help >/dev/null

up: ## start a stack in the background
	./nexus up --detach

down: ## stop it
	./nexus down

test: ## all tests
	./nexus test

fast: ## the tests without whole stacks
	./nexus test -m "not stack"

lint: ## ruff and the import rules
	.venv/bin/ruff check .
	.venv/bin/lint-imports

fmt: ## format
	.venv/bin/ruff check --fix-only --quiet .
	.venv/bin/ruff format .

types: ## mypy, strict
	.venv/bin/mypy

docs: ## write the generated reference
	./nexus docs

check: lint types ## lint, types, documents, migrations
	./nexus docs --check
	./nexus check --migrations

ci: ## what runs before a change lands
	.ci/run

lock: ## make the lock files anew
	requirements/lock.sh
