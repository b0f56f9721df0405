"""What prod refuses to start with: passwords that everybody can read, short keys, prices that can be foretold."""

from __future__ import annotations

import os
from collections.abc import Mapping

from shared.settings.env import EnvConfig

DEV_ONLY = "dev-only"
"""The password that docker-compose.yml gives where none was set."""
_KEY_LENGTH = 32


def problems(environ: Mapping[str, str] | None = None, *, signs: bool) -> list[str]:
    """What is wrong with the settings of a process, by variable and never by value; dev and test may have any.

    `signs`: whether the process needs SECRET_KEY.
    """
    told = os.environ if environ is None else environ
    settings = EnvConfig(told)
    name = settings.get("NEXUS_ENV", "dev")
    if name not in ("dev", "test", "prod"):
        return ["NEXUS_ENV must be dev, test or prod"]
    if name != "prod":
        return []
    found = [
        f"{name} holds the password that docker-compose.yml gives for development"
        for name, value in sorted(told.items())
        if DEV_ONLY in value
    ]
    if signs and len(settings.get("SECRET_KEY", "")) < _KEY_LENGTH:
        found.append(f"prod needs a SECRET_KEY of at least {_KEY_LENGTH} characters")
    if settings.get("MARKET_SEED"):
        found.append("MARKET_SEED makes prices predictable and is refused in prod")
    if settings.get("MARKET_FAULTS"):
        found.append("MARKET_FAULTS makes the market fail and is refused in prod")
    return found
