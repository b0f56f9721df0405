"""Single parts beside their targets: the benchmarks above, each in a process of its own, on private servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.bench.machine import machine

_FOLDER: Final = Path(__file__).resolve().parents[1]
_SECONDS = 900


@dataclass(frozen=True)
class Part:
    """A figure and what it should be; `more` means that more is better."""

    what: str
    figure: float
    unit: str
    target: float
    more: bool = False

    @property
    def ok(self) -> bool:
        """Whether the target is met."""
        return self.figure >= self.target if self.more else self.figure <= self.target


class PartFailed(Exception):
    """A benchmark did not run; the text has the end of what it said."""


def measure_parts(servers: Mapping[str, str], *, say: Callable[[str], None]) -> dict[str, Any]:
    """All parts. `servers`: the addresses of private servers, as the tests have them. Raises PartFailed."""
    facts = machine()
    runs = {}
    for name, arguments in (
        ("rpc_hop", ["--json"]),
        ("gateway_request", []),
        ("events", ["--count", "5000"]),
        ("ledger", []),
    ):
        say(f"measuring {name.replace('_', ' ')}")
        runs[name] = _run(name, arguments, servers)
    found = parts(**runs)
    return {
        "ok": all(part.ok for part in found),
        "machine": facts,
        "parts": [{**asdict(part), "ok": part.ok} for part in found],
        "runs": runs,
    }


def parts(*, rpc_hop: Any, gateway_request: Any, events: Any, ledger: Any) -> list[Part]:
    """The figures that have targets, from what the benchmarks print."""
    hops = {(hop["hop"], hop["width"]): hop for hop in rpc_hop}
    raw, ours, client = (
        hops[name, 32] for name in ("raw kombu <- raw kombu", "chassis <- chassis", "chassis <- gateway")
    )
    above = round(gateway_request["gateway_ms"] - gateway_request["bare_ms"] - client["client_ms"], 3)
    house = ledger["postings on one house account"]
    return [
        Part("a call between services: CPU, beside raw kombu", round(ours["sum_ms"] / raw["sum_ms"], 2), "times", 1.3),
        Part("the gateway: CPU above a bare route and its part of the hop", above, "ms a request", 0.6),
        Part("a consumer: CPU of its process", events["handled in batches"]["own_ms"], "ms an event", 0.3),
        Part("postings on one house account", house["per_second"], "a second", 2500, more=True),
        Part("their transactions, p99", house["p99_ms"], "ms", 30),
        Part("a relay: from outbox to broker", events["relay"]["events_per_s"], "events a second", 5000, more=True),
    ]


def table(found: list[dict[str, Any]]) -> str:
    """For people."""
    lines = [f"{'':<64}{'measured':>12}{'target':>12}"]
    for part in found:
        bound = f"{'≥' if part['more'] else '≤'} {part['target']:g}"
        lines.append(
            f"{part['what']:<64}{part['figure']:>12.4g}{bound:>12}  {part['unit']}{'' if part['ok'] else '   MISSED'}"
        )
    return "\n".join(lines)


def _run(name: str, arguments: list[str], servers: Mapping[str, str]) -> Any:
    env = {**os.environ, **servers, "NEXUS_BENCH_AMQP": servers["NEXUS_TEST_AMQP"], "NEXUS_ENV": "test"}
    command = [sys.executable, "-W", "ignore", str(_FOLDER / f"{name}.py"), *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode != 0:
        raise PartFailed(f"{name}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)
