"""Computing off the hub: real threads for what would keep every other greenthread waiting."""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import Semaphore
from typing import TypeVar, cast

from shared.chassis.context import current
from shared.contracts.errors import DeadlineExceeded

T = TypeVar("T")


class Offload:
    """At most `threads` computations at a time, in real threads under eventlet, else in the caller's own.

    The functions must release the interpreter's lock for as long as they compute, and touch nothing of the service.
    """

    def __init__(self, threads: int) -> None:
        self._free = Semaphore(threads)
        self._tpool = _tpool(threads)

    def run(self, function: Callable[[], T]) -> T:
        """The function's result. Raises DeadlineExceeded when the caller's time is up before its turn comes."""
        asked = current()
        if not self._free.acquire(timeout=asked.time_left()):
            raise DeadlineExceeded
        try:
            asked.check_deadline()
            if self._tpool is None:
                return function()
            return cast("T", self._tpool(function))
        finally:
            self._free.release()


def _tpool(threads: int) -> Callable[..., object] | None:
    eventlet = sys.modules.get("eventlet")
    if eventlet is None or not eventlet.patcher.is_monkey_patched("thread"):
        return None
    from eventlet import tpool

    # Its default of 20 would let as many threads keep the memory that one computation needed.
    tpool.set_num_threads(threads)
    execute: Callable[..., object] = tpool.execute
    return execute
