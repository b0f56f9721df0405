"""Identifiers. Rows get UUIDv7; references that people read get prefixed ULIDs."""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final
from uuid import UUID

from uuid_utils import uuid7

Source = Callable[[], str]

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_lock = threading.Lock()
_last = (0, 0)


_source: ContextVar[Source | None] = ContextVar("nexus_ids", default=None)


@contextmanager
def use_ids(source: Source) -> Iterator[None]:
    """Puts another source of UUIDs in place for the block, also for what is made of them: tests that are repeated."""
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)


def new_id() -> str:
    """A new UUIDv7 (RFC 9562) in its canonical form; ids of one process sort by creation."""
    source = _source.get()
    return str(uuid7()) if source is None else source()


def generate_ulid() -> str:
    """A new ULID: 48 bits of milliseconds, 80 random bits, 26 characters of Crockford's base 32.

    Monotonic within a process: in one millisecond, or when the clock goes back, the last one is incremented.
    """
    global _last
    if (source := _source.get()) is not None:
        return _crockford(UUID(source()).int, 26)
    with _lock:
        now = time.time_ns() // 1_000_000
        millisecond, random = _last
        # The top bit stays free, so that increments never overflow into the milliseconds.
        fresh = (now, int.from_bytes(os.urandom(10), "big") >> 1)
        _last = fresh if now > millisecond else (millisecond, random + 1)
        value = (_last[0] << 80) | _last[1]
    return _crockford(value, 26)


def generate_proposal_id() -> str:
    """An id for a quote."""
    return f"prop_{generate_ulid()}"


def generate_transaction_id() -> str:
    """An id for a market transaction."""
    return f"tx_{generate_ulid()}"


def generate_affiliate_code(base_username: str) -> str:
    """A shareable code: up to 8 letters or digits of the name and 8 random characters, without I, L, O and U."""
    stem = re.sub(r"[^A-Z0-9]", "", base_username.upper())[:8]
    source = _source.get()
    return stem + _crockford(secrets.randbits(40) if source is None else UUID(source()).int, 8)


def _crockford(value: int, length: int) -> str:
    """The lowest bits in base 32."""
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(5 * (length - 1), -1, -5))
