#!/usr/bin/env bash
# Prints a random value for every secret that docker-compose.yml has a default for: (umask 077; docker/secrets.sh >.env)
set -euo pipefail
cd "$(dirname "$0")/.."
echo NEXUS_ENV=prod
grep -oE '\$\{[A-Z_]+:?-dev-only\}' docker-compose.yml | sed -E 's/^\$\{([A-Z_]+).*/\1/' | LC_ALL=C sort -u |
  while read -r name; do
    printf '%s=%s\n' "$name" "$(head -c 24 /dev/urandom | base64 | tr '+/' '-_')"
  done
