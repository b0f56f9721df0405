"""All scenarios at all concurrencies, one target after the other, round after round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.bench.backlog import Places
from benchmarks.bench.report import row
from benchmarks.bench.scenarios import run
from benchmarks.bench.target import Target

WARM_UP_SECONDS = 2.0


class Stuck(Exception):
    """What must be there before anything is measured is not; the text says what."""


async def compare(
    targets: Sequence[Target],
    *,
    scenarios: Sequence[str],
    concurrency: Sequence[int],
    seconds: float,
    repeat: int,
    places: Places,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """A row for each scenario and concurrency, with all runs in it. Raises Stuck."""
    for target in targets:
        if missing := await target.prefill():
            raise Stuck(f"{target.name}: {', '.join(missing[:5])}")
    rows = []
    for scenario in scenarios:
        for clients in concurrency:
            runs: dict[str, list[dict[str, Any]]] = {target.name: [] for target in targets}
            for number in range(1 + repeat):
                for target in targets:
                    length = seconds if number else WARM_UP_SECONDS
                    say(
                        f"{scenario}, {clients} clients, {target.name}: "
                        + (f"run {number}" if number else "warming up")
                    )
                    watched = places if target.held else None
                    found = await run(target, scenario, clients=clients, seconds=length, places=watched)
                    if number:
                        runs[target.name].append(found.figures())
                    if missing := await target.tidy():
                        raise Stuck(f"{target.name}, after {scenario}: {', '.join(missing[:5])}")
            rows.append(row(scenario, clients, runs) | {"all_runs": runs})
    return rows
