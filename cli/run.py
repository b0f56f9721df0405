"""Run one service in the foreground, or several processes of it."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys

from cli import common
from shared.devstack.registry import SERVICES
from shared.settings import production


def main(argv: list[str]) -> int:
    """The service's own exit code."""
    options = argparse.ArgumentParser(prog="nexus run", description=__doc__)
    options.add_argument("service", choices=list(SERVICES))
    options.add_argument("--replicas", type=int, default=1, metavar="N")
    chosen = options.parse_args(argv)
    if problems := production.problems(signs=True):
        return common.fail("; ".join(problems))
    if chosen.replicas > 1:
        return _replicas(chosen.service, chosen.replicas)
    from shared.chassis import runner

    return runner.run(SERVICES[chosen.service])


def _replicas(service: str, count: int) -> int:
    name = os.environ.get("PROCESS_NAME", service)
    children = [
        subprocess.Popen(
            [sys.executable, sys.argv[0], "run", service], env={**os.environ, "PROCESS_NAME": f"{name}-{number}"}
        )
        for number in range(1, count + 1)
    ]

    def pass_on(number: int, _frame: object) -> None:
        for child in children:
            child.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    # One that ends takes the others along: whoever supervises starts all again.
    code, first = 0, True
    while any(child.poll() is None for child in children):
        _, status = os.wait()
        if first:
            code, first = os.waitstatus_to_exitcode(status), False
            pass_on(signal.SIGTERM, None)
    return code
