#!/usr/bin/env bash
# Makes the lock files anew: hashes, no addresses. Run it after a change of a .in file or of the dependencies in a
# pyproject.toml. What a package is locked at is said once, by base.txt: services and gateway take their part of it.
set -euo pipefail
cd "$(dirname "$0")/.."

lock() {
  .venv/bin/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-annotate \
    --no-emit-index-url --no-emit-find-links "$@"
}

for name in base prod dev; do
  lock --output-file "requirements/$name.txt" "requirements/$name.in"
done
for folder in gateway services/*/; do
  lock --constraints requirements/base.txt --no-emit-package nexus-shared \
    --output-file "${folder%/}/requirements.txt" "${folder%/}/pyproject.toml"
done
! grep -n '://' requirements/*.txt gateway/requirements.txt services/*/requirements.txt
