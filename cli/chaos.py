"""Kill and freeze processes at seeded moments under load, then check that nothing promised was lost.

Runs on a private stack of its own unless --state names a running one. A failure prints the seed and what happened when.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cli import common
from cli.stacks import RunningStack, a_stack

if TYPE_CHECKING:
    from client.traffic import Traffic
    from shared.devstack.faults import Suffered

Say = Callable[[str], None]

TRADERS, AFFILIATES = 6, 2
RECOVERY_SECONDS = 30.0
_WARM_UP_SECONDS = 3.0
_BETWEEN_SECONDS = 3.0


def main(argv: list[str]) -> int:
    """Exit 1 on any violation, a promise that was not kept, or a process that was not back within 30 s."""
    options = common.parser("chaos", __doc__)
    options.add_argument("--seconds", type=float, default=90.0, help="how long there are faults (default 90)")
    options.add_argument("--seed", type=int, default=None, help="of faults and traffic (default: a new one)")
    options.add_argument(
        "--outages", type=float, metavar="S", help="instead: each service is stopped for S seconds, one after the other"
    )
    options.add_argument("--json", action="store_true", help="for programs")
    chosen = options.parse_args(argv)
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed

    def say(text: str) -> None:
        if not chosen.json:
            print(f"nexus: {text}", flush=True)

    say(f"seed {seed}")
    named = "--state" in argv or any(a.startswith("--state=") for a in argv)
    with a_stack(chosen.state, say=say, private=not named) as stack:
        report = _run(stack, seconds=chosen.seconds, outages=chosen.outages, seed=seed, say=say)
    if chosen.json:
        print(json.dumps(report, indent=2))
    else:
        _show(report)
    return 0 if report["ok"] else 1


def _run(stack: RunningStack, *, seconds: float, outages: float | None, seed: int, say: Say) -> dict[str, Any]:
    from client.http import Http
    from client.person import Person
    from client.reckoning import reckon
    from client.traffic import Trader, Traffic, new_affiliate

    http = Http(stack.port)
    staff = Person(http, stack.staff["username"], stack.staff["password"])
    staff.log_in()
    affiliates = [new_affiliate(http, staff) for _ in range(AFFILIATES)]
    traders = [Trader.ready(http, staff, affiliates[n % AFFILIATES]) for n in range(TRADERS)]
    _until_quoted(traders)
    begun = time.monotonic()

    def clock() -> float:
        return time.monotonic() - begun

    with Traffic(traders, staff, seed=seed, clock=clock) as traffic:
        time.sleep(_WARM_UP_SECONDS)
        suffered: list[Suffered] = []
        needless: list[str] = []
        if outages is None:
            suffered = _faults(stack, seconds, seed, clock, say)
        else:
            suffered, needless = _outages(stack, traffic, outages, clock, say)
    say("the faults are over; waiting for everything to come to rest")
    broken = [*needless, *reckon(traffic, affiliates)]
    verified = stack.verify()
    http.close()
    return _report(seed, traffic, suffered, broken, verified)


def _until_quoted(traders: Any) -> None:
    """Rules travel to trades by events; from here on every trade on a real account has its markup."""
    from client.traffic import MARKUP_PERCENT

    for trader in traders:
        person, until = trader.person, time.monotonic() + 20
        while time.monotonic() < until:
            quote = person.do("POST", "/trades/quotes", person.terms(trader.real))
            if quote["markup_percent"] == str(MARKUP_PERCENT):
                break
            time.sleep(0.1)


def _faults(stack: RunningStack, seconds: float, seed: int, clock: Callable[[], float], say: Say) -> list[Suffered]:
    from shared.devstack.faults import sequence, suffer

    names = [p["name"] for p in stack.status()["processes"] if p["kind"] != "supervisor"]
    suffered: list[Suffered] = []
    until = clock() + seconds
    for fault in sequence(seed, names):
        time.sleep(min(fault.gap, max(0.0, until - clock())))
        if clock() >= until:
            break
        one = suffer(fault, stack.status, clock=clock, patience=RECOVERY_SECONDS)
        suffered.append(one)
        back = f"all healthy after {one.recovery:.1f} s" if one.recovery is not None else "NOT BACK"
        frozen = f" for {fault.seconds:.1f} s" if fault.seconds else ""
        say(f"{one.begun:6.1f} s  {fault.kind} {fault.process}{frozen}: {back}")
        if one.recovered is None:
            break
    return suffered


NEEDS = {
    "open": {"trades", "billing"},
    "void": {"trades"},
    "close": {"trades"},
    "deposit": {"billing"},
    "complete": {"billing"},
}
"""What each request cannot be answered without; everything else may be away."""


def _outages(
    stack: RunningStack, traffic: Traffic, seconds: float, clock: Callable[[], float], say: Say
) -> tuple[list[Suffered], list[str]]:
    """Stops each service in turn; second: requests that were refused though they do not need it."""
    from shared.devstack.faults import Fault, Suffered
    from shared.devstack.registry import SERVICES

    suffered, needless = [], []
    for service in SERVICES:
        begun = clock()
        stack.must("stop", service)
        time.sleep(seconds)
        ended = clock()
        refused = traffic.refused_between(begun, ended)
        opened = traffic.opened_between(begun, ended)
        stack.must("start", service)
        suffered.append(Suffered(Fault("stop", service, 0.0, ended - begun), begun, clock()))
        say(f"{begun:6.1f} s  {service} away for {ended - begun:.1f} s: {opened} opened, refused {dict(refused)}")
        needless += [f"{n} x {w} refused without {service}" for w, n in refused.items() if service not in NEEDS[w]]
        time.sleep(_BETWEEN_SECONDS)
    return suffered, needless


def _report(
    seed: int, traffic: Traffic, suffered: list[Suffered], broken: list[str], verified: dict[str, Any]
) -> dict[str, Any]:
    recoveries = sorted(one.recovery for one in suffered if one.recovery is not None)
    late = [f"{s.fault.process} was not back within {RECOVERY_SECONDS:g} s" for s in suffered if s.recovered is None]
    statuses: Counter[str] = sum((t.journal.statuses() for t in traffic.traders), Counter())
    violations = [f"{v['service']}.{v['name']} {v['id']}: {v['detail']}" for v in verified["violations"]]
    during = sum(traffic.opened_between(s.begun, s.recovered or s.begun) for s in suffered)
    return {
        "ok": bool(suffered) and verified["ok"] and not (violations or broken or late),
        "seed": seed,
        "faults": dict(Counter(f"{s.fault.kind} {s.fault.process}" for s in suffered)),
        "faults_by_kind": dict(Counter(s.fault.kind for s in suffered)),
        "trades_opened": sum(len(t.journal.of("open")) for t in traffic.traders),
        "trades_opened_during_faults": during,
        "answers": dict(statuses.most_common()),
        "recovery_seconds": _percentiles(recoveries),
        "violations": [*violations, *broken, *late],
        "pending": verified.get("pending", {}),
        "timeline": [
            {
                "at": round(s.begun, 2),
                "kind": s.fault.kind,
                "process": s.fault.process,
                "frozen": s.fault.seconds,
                "recovery": None if s.recovery is None else round(s.recovery, 2),
            }
            for s in suffered
        ],
    }


def _percentiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    cuts = statistics.quantiles(values, n=100, method="inclusive") if len(values) > 1 else values * 99
    return {"p50": round(cuts[49], 2), "p99": round(cuts[98], 2), "max": round(values[-1], 2)}


def _show(report: dict[str, Any]) -> None:
    kinds = ", ".join(f"{count} x {kind}" for kind, count in report["faults_by_kind"].items())
    print(f"\n  faults      {kinds}")
    for name, count in sorted(report["faults"].items()):
        print(f"              {count} x {name}")
    print(
        f"  trades      {report['trades_opened']} opened, {report['trades_opened_during_faults']} of them during faults"
    )
    print(f"  answers     {report['answers']}")
    print(f"  recovery    {report['recovery_seconds']} s")
    print(f"  violations  {len(report['violations'])}")
    for violation in report["violations"][:50]:
        print(f"    {violation}")
    if not report["ok"]:
        print(f"\nnexus: FAILED with --seed {report['seed']}; what happened when:", file=sys.stderr)
        for event in report["timeline"]:
            print(f"  {event}", file=sys.stderr)
