"""Measure a private stack over HTTP, with --peer beside the monolith: rates, latencies, CPU of each process, memory.

Both run at once and are driven in turn. A lifecycle is a trade from its opening until its result, ledger entries,
commission, notifications and audit entries all show. --parts measures single parts beside their targets instead.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli import common
from cli.stacks import NoStack, RunningStack, a_stack
from shared.utils.time import get_utc_now, to_rfc3339

if TYPE_CHECKING:
    from benchmarks.bench.target import Target

_SCENARIOS = "read,dashboard,open,lifecycle,mixed"


def main(argv: list[str]) -> int:
    """Exit 1 if an effect never came, a request failed, or the books do not add up afterwards."""
    options = common.parser("bench", __doc__)
    options.add_argument("--peer", type=Path, metavar="DIR", help="the folder with the monolith to measure beside")
    options.add_argument("--scenarios", type=_names, default=_SCENARIOS, help=f"some of {_SCENARIOS}")
    options.add_argument("--concurrency", type=_numbers, default="8,32", help="clients at once (default 8,32)")
    options.add_argument("--users", type=int, default=40, metavar="N", help="traders (default 40)")
    options.add_argument("--duration", type=float, default=10.0, metavar="S", help="seconds of each run (default 10)")
    options.add_argument("--repeat", type=int, default=3, metavar="N", help="runs; their medians count (default 3)")
    options.add_argument("--parts", action="store_true", help="a call, an event, a posting, a request instead")
    options.add_argument(
        "--out", type=Path, metavar="FILE", help="also write everything as JSON, and a picture beside it"
    )
    options.add_argument("--json", action="store_true", help="for programs")
    chosen = options.parse_args(argv)
    sys.path.insert(0, str(common.ROOT))
    # A shell's own level would change what is measured.
    os.environ["LOG_LEVEL"] = "INFO"
    report: dict[str, Any] = {"at": to_rfc3339(get_utc_now()), "command": shlex.join(["./nexus", "bench", *argv])}
    try:
        report |= _parts() if chosen.parts else _whole(chosen, named="--state" in " ".join(argv))
    except NoStack as error:
        return common.fail(str(error))
    if chosen.out is not None:
        _write(chosen.out, report)
    print(json.dumps(report, indent=2) if chosen.json else _table(report))
    return 0 if report["ok"] else 1


def _whole(chosen: argparse.Namespace, *, named: bool) -> dict[str, Any]:
    from benchmarks.bench.backlog import Places
    from benchmarks.bench.comparison import Stuck, compare
    from benchmarks.bench.machine import database_settings, machine

    facts = machine()
    with a_stack(chosen.state, say=_say, private=not named) as stack, ExitStack() as others:
        status = stack.status()
        targets: list[Target] = [_nexus(stack, status)]
        if chosen.peer is not None:
            targets += others.enter_context(_peer(chosen.peer, chosen.state.folder / "peer"))
        for target in targets:
            _say(f"{target.name}: {chosen.users} traders register")
            target.prepare(chosen.users)
        try:
            rows = asyncio.run(
                compare(
                    targets,
                    scenarios=chosen.scenarios,
                    concurrency=chosen.concurrency,
                    seconds=chosen.duration,
                    repeat=chosen.repeat,
                    places=Places.of(status),
                    say=_say,
                )
            )
        except Stuck as error:
            raise NoStack(str(error)) from None
        finally:
            for target in targets:
                target.close()
        verified = stack.verify()
        settings = database_settings(status["postgres"]["admin_url"])
    done = all(
        run["complete"] and not run["errors"] for row in rows for runs in row["all_runs"].values() for run in runs
    )
    workers = sum(process["kind"] == "gateway" for process in status["processes"])
    return {
        "ok": done and verified["ok"],
        "machine": facts,
        "settings": {
            "seconds": chosen.duration,
            "users": chosen.users,
            "gateway_workers": workers,
            "postgres": settings,
        },
        "rows": rows,
        "verify": {"ok": verified["ok"], "violations": verified["violations"]},
    }


def _nexus(stack: RunningStack, status: dict[str, Any]) -> Target:
    from benchmarks.bench.nexus import Nexus

    # The supervisor belongs to development, and what it started would count twice.
    groups = {process["name"]: process["pid"] for process in status["processes"] if process["kind"] != "supervisor"}
    return Nexus(stack.port, groups, stack.staff)


@contextmanager
def _peer(folder: Path, state: Path) -> Iterator[list[Target]]:
    """The monolith, or nothing where it cannot be had."""
    from benchmarks.bench.monolith import Monolith
    from benchmarks.bench.peer import NoPeer, a_monolith

    with ExitStack() as running:
        try:
            peer = running.enter_context(a_monolith(folder.absolute(), state, say=_say))
        except NoPeer as error:
            _say(f"going on without the peer: {error}")
            yield []
        else:
            yield [Monolith(peer.port, peer.groups)]


def _parts() -> dict[str, Any]:
    from benchmarks.bench.parts import PartFailed, measure_parts
    from cli.test import servers

    with servers() as names:
        try:
            return measure_parts(names, say=_say)
        except PartFailed as error:
            raise NoStack(str(error)) from None


def _table(report: dict[str, Any]) -> str:
    from benchmarks.bench import parts
    from benchmarks.bench import report as tables

    if "parts" in report:
        return parts.table(report["parts"])
    facts, verified = report["machine"], report["verify"]
    return "\n".join(
        [
            f"\n{facts['cores']} cores, {facts['model']}, {facts['loop_us']:g} us for the loop\n",
            tables.table(report["rows"]),
            f"\nverify: {'everything adds up' if verified['ok'] else verified['violations'][:5]}",
        ]
    )


def _write(path: Path, report: dict[str, Any]) -> None:
    from benchmarks.bench import picture

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")
    if "rows" in report:
        path.with_suffix(".svg").write_text(picture.draw(picture.panels(report["rows"])))


def _names(text: str) -> list[str]:
    if unknown := set(names := text.split(",")) - set(_SCENARIOS.split(",")):
        raise argparse.ArgumentTypeError(f"no such scenario: {', '.join(sorted(unknown))}")
    return names


def _numbers(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]


def _say(text: str) -> None:
    print(f"nexus: {text}", file=sys.stderr, flush=True)
