#!/usr/bin/env bash
# Makes the lock files anew: hashes, no addresses. Run it after a change of a .in file.
set -euo pipefail
cd "$(dirname "$0")"
for name in base prod dev; do
  ../.venv/bin/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-annotate \
    --no-emit-index-url --no-emit-find-links --output-file "$name.txt" "$name.in"
done
! grep -n '://' ./*.txt
