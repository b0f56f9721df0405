"""Faults on purpose: which process is killed or frozen, when, for how long; the same seed gives the same sequence."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["kill", "freeze", "stop"]

_KILLS = 0.7
_GAP_SECONDS = (1.0, 4.0)
_FREEZE_SECONDS = (1.0, 5.0)


@dataclass(frozen=True)
class Fault:
    """After `gap` seconds `process` is killed, or frozen (or stopped by the operator) for `seconds`."""

    kind: Kind
    process: str
    gap: float
    seconds: float


def sequence(seed: int, processes: Sequence[str]) -> Iterator[Fault]:
    """Faults without end: every process gets one before any gets the next, in an order of the seed's."""
    # Not for secrets: the point is that it can be repeated.
    chance = random.Random(seed)  # noqa: S311
    while True:
        order = sorted(processes)
        chance.shuffle(order)
        for process in order:
            kind: Kind = "kill" if chance.random() < _KILLS else "freeze"
            gap, seconds = chance.uniform(*_GAP_SECONDS), chance.uniform(*_FREEZE_SECONDS)
            yield Fault(kind, process, round(gap, 2), round(seconds, 2) if kind == "freeze" else 0.0)


@dataclass(frozen=True)
class Suffered:
    """A fault as it went: seconds since the beginning of the run; `recovered` is None when it did not."""

    fault: Fault
    begun: float
    recovered: float | None

    @property
    def recovery(self) -> float | None:
        """Seconds from the end of the fault (a kill ends at once) until everything was healthy."""
        return None if self.recovered is None else self.recovered - self.begun - self.fault.seconds


def suffer(
    fault: Fault, status: Callable[[], dict[str, Any]], *, clock: Callable[[], float], patience: float
) -> Suffered:
    """Does it, and waits until the whole stack is healthy again, `patience` seconds after its end at most."""
    pid = next(p["pid"] for p in status()["processes"] if p["name"] == fault.process)
    begun = clock()
    if fault.kind == "kill":
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    else:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(fault.seconds)
            os.kill(pid, signal.SIGCONT)
    until = clock() + patience
    while clock() < until:
        time.sleep(0.1)
        if _healthy(status(), fault, pid):
            return Suffered(fault, begun, clock())
    return Suffered(fault, begun, None)


def _healthy(found: dict[str, Any], fault: Fault, pid: int) -> bool:
    present = next((p["pid"] for p in found["processes"] if p["name"] == fault.process), None)
    replaced = fault.kind == "freeze" or present not in (None, pid)
    return bool(found["ready"] and replaced)
