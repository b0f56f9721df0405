"""Sweeps: work that is due by a deadline in a row. Memory holds only a hint of when to look next."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from logging import getLogger
from typing import Any, Protocol, TypeVar, cast

import eventlet
from eventlet.event import Event
from nameko.extensions import Entrypoint

from shared.chassis.context import Context, use
from shared.chassis.retry import run_again

log = getLogger(__name__)

S = TypeVar("S")
_AFTER_ERROR = 1.0
# Longest nap: a hint or the end may come at any moment, and the wall clock may jump.
_NAP = 0.05


class Swept(Protocol):
    """A sweep as the service's own methods see it: `self.settle_due.hint(at)`."""

    def __call__(self) -> float | None: ...

    def hint(self, at: float) -> None:
        """There is something to do at `at` (seconds since the epoch), if not before."""


class Alarm:
    """When a sweep is to look next; one for all instances of the service in this process.

    That is after a rest, by a clock that never goes back, or at a hint, by the wall clock: where that one is set back,
    hints are late and no sweep is.
    """

    def __init__(self) -> None:
        self._until, self._hinted = 0.0, math.inf

    def rest(self, seconds: float) -> None:
        """From now on, unless there is a hint."""
        self._until, self._hinted = time.monotonic() + seconds, math.inf

    def hint(self, at: float) -> None:
        self._hinted = min(self._hinted, at)

    def left(self) -> float:
        """Seconds until then; none left when it is not above zero."""
        return min(self._until - time.monotonic(), self._hinted - time.time())


class Sweep(Entrypoint):
    """Runs a method over and over, never twice at a time in one process; see `sweep`."""

    def __init__(self, interval: float, alarm: Alarm, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.interval, self.alarm = interval, alarm
        self._stopping = False
        self._thread: Any = None

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._loop, identifier=f"sweep {self.method_name}")

    def stop(self) -> None:
        self._stopping = True
        if self._thread is not None:
            self._thread.wait()

    def kill(self) -> None:
        if self._thread is not None:
            self._thread.kill()

    def run(self, worker_ctx: Any, method: Callable[[], float | None]) -> float | None:
        """In the greenthread of the worker, as the system, again when the database rolls it back."""
        with use(Context(kind="system")):
            return run_again(method)

    def _loop(self) -> None:
        while not self._stopping:
            # Before the work: a hint that comes while it runs is for the next round.
            self.alarm.rest(self.interval)
            done = Event()
            self.container.spawn_worker(self, (), {}, handle_result=partial(self._done, done))
            wanted, failed = done.wait()
            if failed:
                self.alarm.rest(_AFTER_ERROR)
            elif wanted is not None:
                self.alarm.hint(wanted)
            self._pause()

    def _done(self, done: Event, worker_ctx: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        done.send((result, exc_info is not None))
        return result, exc_info

    def _pause(self) -> None:
        while not self._stopping and (left := self.alarm.left()) > 0:
            eventlet.sleep(min(left, _NAP))


def sweep(*, interval: float) -> Callable[[Callable[[S], float | None]], Swept]:
    """Makes a method of a service a sweep that runs at least every `interval` seconds.

    The method must find its work by rows and skip those that others have locked. It returns the time (seconds since
    the epoch) at which it wants to run next, or None for the interval; `self.<method>.hint(at)` makes that earlier.
    """

    def decorate(method: Callable[[S], float | None]) -> Swept:
        alarm = Alarm()
        made = Sweep.decorator(interval, alarm)(method)
        made.hint = alarm.hint
        return cast("Swept", made)

    return decorate
