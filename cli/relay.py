"""Run the relay, which publishes what services have written to their outboxes."""

from __future__ import annotations

import argparse

from cli import common
from shared.devstack.registry import SERVICES
from shared.settings import production


def main(argv: list[str]) -> int:
    """Runs until SIGTERM."""
    options = argparse.ArgumentParser(prog="nexus relay", description=__doc__)
    options.add_argument("services", nargs="*", default=list(SERVICES), metavar="SERVICE", help="default: all")
    chosen = options.parse_args(argv)
    if unknown := set(chosen.services) - set(SERVICES):
        options.error(f"no such service: {', '.join(sorted(unknown))}")
    if problems := production.problems(signs=False):
        return common.fail("; ".join(problems))
    from shared.chassis.relay.process import main as relay
    from shared.utils.logger import configure_logging

    configure_logging("relay")
    return relay(chosen.services)
