"""Restart one process of a stack: it gets SIGTERM, ends what it is doing, and is started again."""

from __future__ import annotations

import os
import signal
import time

from cli import common
from cli.status import status
from shared.devstack.state import State

SECONDS = 90.0


def main(argv: list[str]) -> int:
    """Returns when the new process is healthy."""
    options = common.parser("restart", __doc__)
    options.add_argument("process", help="its name in `status`; `gateway` means all workers")
    chosen = options.parse_args(argv)
    before = {process["name"]: process for process in status(chosen.state)["processes"]}
    names = common.named(before, chosen.process)
    if not names:
        return common.fail(f"no process {chosen.process} is running", "./nexus status lists them")
    for name in names:
        if before[name]["pid"]:
            stop = signal.SIGINT if before[name]["kind"] == "database" else signal.SIGTERM
            os.kill(before[name]["pid"], stop)
        if not _back(chosen.state, name, before[name]["pid"]):
            return common.fail(f"{name} is not healthy after {SECONDS:g} s", f"./nexus logs {name}")
        print(f"nexus: {name} restarted")
    return 0


def _back(state: State, name: str, old: int | None) -> bool:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        present = next((p for p in status(state)["processes"] if p["name"] == name), None)
        if present and present["pid"] != old and present["healthy"]:
            return True
        time.sleep(0.2)
    return False
