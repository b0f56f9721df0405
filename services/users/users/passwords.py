"""Argon2id, off the hub: hashing takes tens of milliseconds and would hold up every other greenthread."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from threading import BoundedSemaphore
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from shared.settings.env import env

T = TypeVar("T")

# Each hash takes its memory for as long as it runs.
_at_once = BoundedSemaphore(4)


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
    return _off_the_hub(lambda: _hasher().hash(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is right; for an unknown user (None) it takes as long and says no."""

    def verify() -> bool:
        try:
            return _hasher().verify(password_hash or _nobodys_hash(), password) and password_hash is not None
        except (Argon2Error, InvalidHashError):
            return False

    return _off_the_hub(verify)


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than those of now."""
    return _hasher().check_needs_rehash(password_hash)


def _off_the_hub(work: Callable[[], T]) -> T:
    with _at_once:
        eventlet = sys.modules.get("eventlet")
        if eventlet is None or not eventlet.patcher.is_monkey_patched("thread"):
            return work()
        from eventlet import tpool

        result: T = tpool.execute(work)
        return result
