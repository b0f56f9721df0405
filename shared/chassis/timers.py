"""Sweeps: work that is due by a deadline in a row. Memory holds only a hint of when to look next."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from logging import getLogger
from typing import Any, TypeVar

import eventlet
from eventlet.event import Event
from nameko.extensions import Entrypoint

from shared.chassis.context import Context, use
from shared.chassis.retry import run_again

log = getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])
_AFTER_ERROR = 1.0


class Sweep(Entrypoint):
    """Runs a method over and over, never twice at a time in one process.

    The method returns the time (seconds since the epoch) at which it wants to run next, or None for the interval;
    `hint(at)` makes that earlier. It must find its work by rows and skip those that others have locked.
    """

    def __init__(self, interval: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.interval = interval
        self._next = 0.0
        self._stopping = Event()
        self._thread: Any = None

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._loop, identifier=f"sweep {self.method_name}")

    def stop(self) -> None:
        if not self._stopping.ready():
            self._stopping.send()
        if self._thread is not None:
            self._thread.wait()

    def kill(self) -> None:
        if self._thread is not None:
            self._thread.kill()

    def hint(self, at: float) -> None:
        """There is something to do at `at` (seconds since the epoch), if not before."""
        self._next = min(self._next, at)

    def run(self, worker_ctx: Any, method: Callable[[], float | None]) -> float | None:
        with use(Context(kind="system")):
            return run_again(method)

    def _loop(self) -> None:
        while not self._stopping.ready():
            self._next = time.time() + self.interval
            done = Event()
            self.container.spawn_worker(self, (), {}, handle_result=partial(self._done, done))
            wanted, failed = done.wait()
            if failed:
                self._pause(time.time() + _AFTER_ERROR)
            else:
                self._next = min(self._next, wanted if wanted is not None else self._next)
                self._pause(None)

    def _done(self, done: Event, worker_ctx: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        done.send((result, exc_info is not None))
        return result, exc_info

    def _pause(self, until: float | None) -> None:
        # Short naps: a hint or the end may come at any moment, and the wall clock may jump.
        while not self._stopping.ready():
            left = (self._next if until is None else until) - time.time()
            if left <= 0:
                return
            eventlet.sleep(min(left, 0.05, self.interval))


def sweep(*, interval: float) -> Callable[[F], F]:
    """Makes a method of a service a sweep that runs at least every `interval` seconds."""
    decorated: Callable[[F], F] = Sweep.decorator(interval)
    return decorated
