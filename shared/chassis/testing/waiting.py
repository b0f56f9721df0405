"""Waiting until something is so, never for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(predicate: Callable[[], T], timeout: float = 10, *, every: float = 0.05) -> T:
    """The first true answer. Raises AssertionError with the last one after `timeout` seconds."""
    until = time.monotonic() + timeout
    while not (answer := predicate()):
        if time.monotonic() > until:
            raise AssertionError(f"still {answer!r} after {timeout:g} s")
        time.sleep(every)
    return answer
