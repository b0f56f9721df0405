"""Argon2id, off the hub: hashing takes tens of milliseconds and would hold up every other greenthread."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from shared.chassis.offload import Offload
from shared.settings.env import env

# Each hash takes its memory for as long as it runs.
_threads = Offload(4)


@cache
def _hasher() -> PasswordHasher:
    # OWASP's minimum (Password Storage Cheat Sheet): 19 MiB, two passes, one lane. Memory in KiB.
    return PasswordHasher(
        time_cost=env.get_int("ARGON2_TIME_COST", 2),
        memory_cost=env.get_int("ARGON2_MEMORY_KIB", 19_456),
        parallelism=1,
    )


@cache
def _nobodys_hash() -> str:
    return _hasher().hash("nobody has this password")


def hash_password(password: str) -> str:
    """The hash, with its parameters and salt in it."""
    return _threads.run(lambda: _hasher().hash(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is right; for an unknown user (None) it takes as long and says no."""

    def verify() -> bool:
        try:
            return _hasher().verify(password_hash or _nobodys_hash(), password) and password_hash is not None
        except (Argon2Error, InvalidHashError):
            return False

    return _threads.run(verify)


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than those of now."""
    return _hasher().check_needs_rehash(password_hash)
