"""The scenarios, and one run of one of them: so many clients, each asking again as soon as it is answered."""

from __future__ import annotations

import asyncio
import itertools
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.bench.backlog import Backlog, Places
from benchmarks.bench.processes import Meter, Used
from benchmarks.bench.target import Tally, Target

SCENARIOS: Final = {
    "read": ("read",),
    "dashboard": ("dashboard",),
    "open": ("open",),
    "lifecycle": ("lifecycle",),
    # Eight requests in ten read where a lifecycle is two requests.
    "mixed": ("read", "dashboard", "read", "dashboard", "read", "dashboard", "read", "dashboard", "lifecycle"),
}
UNITS: Final = {"lifecycle": "lifecycles", "mixed": "actions"}
"""What is counted; requests otherwise."""


@dataclass(frozen=True)
class Run:
    """One measured run; `missing` effects make it worth nothing."""

    actions: int
    seconds: float
    """Until the last answer, or with lifecycles until the last effect."""
    drain: float
    """From the last answer to the last effect."""
    tally: Tally
    used: Used
    waiting: dict[str, int]
    missing: list[str]

    @property
    def complete(self) -> bool:
        return not self.missing and self.actions > 0

    def figures(self) -> dict[str, Any]:
        """Times in ms, CPU in ms for each action, memory in MB."""
        requests = self.tally.requests
        cpu = {name: 1000 * seconds / self.actions for name, seconds in self.used.cpu.items()} if self.actions else {}
        return {
            "complete": self.complete,
            "missing": self.missing[:5],
            "actions": self.actions,
            "seconds": round(self.seconds, 2),
            "rate": round(self.actions / self.seconds, 1),
            **_spread("", requests),
            **_spread("done_", self.tally.lifecycles),
            **_spread("after_expiry_", self.tally.after_expiry),
            "cpu_ms": {name: round(ms, 3) for name, ms in cpu.items()},
            "cpu_ms_total": round(sum(cpu.values()), 3),
            "memory_mb": {name: round(mb, 1) for name, mb in self.used.memory.items()},
            "drain_s": round(self.drain, 2),
            "most_waiting": self.waiting,
            "most_unsettled": self.tally.most_unsettled,
            "errors": dict(self.tally.errors),
            "error_samples": self.tally.samples,
            "repeated": self.tally.repeated,
            "looks": self.tally.looks,
            "generator_cores": round(self.used.generator / self.used.seconds, 2),
            "other_cores": round(self.used.others / self.used.seconds, 2),
            "loop_us": round(self.used.loop_us),
        }


async def run(target: Target, scenario: str, *, clients: int, seconds: float, places: Places | None = None) -> Run:
    """Drives the target for so long, and until all effects show."""
    actions = SCENARIOS[scenario]
    await target.begin(lifecycles="lifecycle" in actions)
    turn = itertools.cycle(actions)
    traders = itertools.cycle(random.sample(target.traders, len(target.traders)))
    done = 0

    async def client() -> None:
        nonlocal done
        while time.perf_counter() < end:
            # Not `done += await …`, which would read it before it waits.
            good = await getattr(target, next(turn))(next(traders))
            done += good

    async with Backlog(places) as backlog, Meter(target.groups) as meter:
        begun = time.perf_counter()
        end = begun + seconds
        await asyncio.gather(*(client() for _ in range(clients)))
        answered = time.perf_counter()
        missing = await target.finish()
        ended = time.perf_counter()
    took = (ended if "lifecycle" in actions else answered) - begun
    return Run(done, took, ended - answered, target.tally, meter.used, backlog.most, missing)


def _spread(prefix: str, seconds: Sequence[float]) -> dict[str, float]:
    if len(seconds) < 2:
        return {}
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {f"{prefix}p50": round(1000 * cuts[49], 2), f"{prefix}p99": round(1000 * cuts[98], 2)}
