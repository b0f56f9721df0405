"""From runs to rows: medians, ratios, and the table that people read."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.bench.scenarios import UNITS

_PLAIN = (
    "rate",
    "p50",
    "p99",
    "done_p50",
    "done_p99",
    "after_expiry_p50",
    "after_expiry_p99",
    "cpu_ms_total",
    "drain_s",
)
_ALSO = ("actions", "generator_cores", "other_cores", "loop_us", "most_unsettled", "looks")
_BY_NAME = ("cpu_ms", "memory_mb", "most_waiting")
RATIOS = ("rate", "p50", "p99", "cpu_ms_total", "memory_mb_total")
"""Not of `done`: only one of them has a contract's duration in it."""

Figures = Mapping[str, Any]


def medians(runs: Sequence[Figures]) -> dict[str, Any]:
    """Of the complete runs; a run in which an effect never came has measured nothing."""
    complete = [run for run in runs if run["complete"]]
    found: dict[str, Any] = {
        "runs": len(complete),
        "incomplete_runs": len(runs) - len(complete),
        "errors": dict(sum((Counter(run["errors"]) for run in runs), Counter())),
        "repeated": sum(run["repeated"] for run in runs),
    }
    for key in (*_PLAIN, *_ALSO):
        if values := [run[key] for run in complete if key in run]:
            found[key] = round(statistics.median(values), 3)
    for key in _BY_NAME if complete else ():
        names = dict.fromkeys(name for run in complete for name in run[key])
        found[key] = {name: round(statistics.median(run[key].get(name, 0) for run in complete), 3) for name in names}
    if complete:
        found["memory_mb_total"] = round(sum(found["memory_mb"].values()), 1)
        found["rate_range"] = [min(run["rate"] for run in complete), max(run["rate"] for run in complete)]
    return found


def row(scenario: str, clients: int, runs: Mapping[str, Sequence[Figures]]) -> dict[str, Any]:
    """One scenario at one concurrency: what each target did, and the first divided by the second."""
    targets = {name: medians(figures) for name, figures in runs.items()}
    found = {"scenario": scenario, "clients": clients, "unit": UNITS.get(scenario, "requests"), "targets": targets}
    if len(targets) == 2:
        ours, theirs = targets.values()
        found["ratio"] = {key: round(ours[key] / theirs[key], 3) for key in RATIOS if ours.get(key) and theirs.get(key)}
    return found


_COLUMNS = (
    ("rate", "per s"),
    ("p50", "p50 ms"),
    ("p99", "p99 ms"),
    ("done_p50", "done p50"),
    ("done_p99", "done p99"),
    ("cpu_ms_total", "CPU ms"),
    ("memory_mb_total", "MB"),
)


def table(rows: Sequence[Figures]) -> str:
    """Rates are those of `unit`; p50 and p99 those of requests; CPU is that of one unit, of all processes."""
    lines = [f"{'scenario':<11}{'clients':>7}  {'target':<10}" + "".join(f"{title:>10}" for _, title in _COLUMNS)]
    for one in rows:
        label = f"{one['scenario']:<11}{one['clients']:>7}  "
        for name, figures in one["targets"].items():
            lines.append(label + f"{name:<10}" + _cells(figures, 1) + _remarks(figures))
            label = " " * len(label)
        if ratio := one.get("ratio"):
            lines.append(label + f"{'ratio':<10}" + _cells(ratio, 2))
    lines += ["", "CPU ms by process"]
    for one in rows:
        for name, figures in one["targets"].items():
            parts = "  ".join(f"{part} {ms:.2f}" for part, ms in figures.get("cpu_ms", {}).items() if ms >= 0.005)
            lines.append(f"{one['scenario']:<11}{one['clients']:>7}  {name:<10}{parts}")
    return "\n".join(lines)


def _cells(figures: Figures, digits: int) -> str:
    return "".join(f"{figures[key]:>10.{digits}f}" if key in figures else f"{'-':>10}" for key, _ in _COLUMNS)


def _remarks(figures: Figures) -> str:
    found = []
    if "after_expiry_p50" in figures:
        found.append(f"after expiry {figures['after_expiry_p50']:.0f}/{figures['after_expiry_p99']:.0f}")
    if waiting := max(figures.get("most_waiting", {}).values(), default=0):
        found.append(f"{waiting:.0f} waiting")
    found += [f"{count} x {what}" for what, count in figures["errors"].items()]
    if figures["repeated"]:
        found.append(f"{figures['repeated']} repeated")
    if figures["incomplete_runs"]:
        found.append(f"{figures['incomplete_runs']} runs NOT COMPLETE")
    if figures.get("other_cores", 0) > 0.3:
        found.append(f"others used {figures['other_cores']:.1f} cores")
    return "  " + ", ".join(found) if found else ""
