.DEFAULT_GOAL := help
.PHONY: help setup up down demo chaos test fast lint fmt types docs check ci new-service new-migration lock

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Run it
setup: ## install what the project needs
	./nexus help >/dev/null

up: ## start a stack in the background
	./nexus up --detach

down: ## stop it
	./nexus down

demo: ## tell the whole story on it, to the last cent
	./nexus demo

chaos: ## kill and freeze its processes under load, then look whether anything is lost
	./nexus chaos

##@ Change it
new-service: ## a service that passes every check, to start from: make new-service n=alerts
	./nexus new-service $(n)

new-migration: ## the next migration of a service: make new-migration s=users m="Nicknames have a column"
	./nexus new-migration $(s) "$(m)"

fmt: ## format
	.venv/bin/ruff check --fix-only --quiet .
	.venv/bin/ruff format .

docs: ## write the documents that follow from the code
	./nexus docs

##@ Check it
fast: ## tests of what changed since the last commit, without whole stacks (of a branch: make fast since=main)
	./nexus test --changed $(or $(since),HEAD) -m "not stack"

test: ## all tests
	./nexus test

lint: ## ruff and the import rules
	.venv/bin/ruff check .
	.venv/bin/lint-imports

types: ## mypy, strict
	.venv/bin/mypy

check: lint types ## lint, types, documents, migrations
	./nexus docs --check
	./nexus check --migrations

ci: ## what must pass before a change lands
	.ci/run

##@ Rarely
lock: ## make the lock files anew
	requirements/lock.sh
