"""Stop one process of a running stack: it ends what it is doing and stays away until `start`, or the next `up`."""

from __future__ import annotations

import time

from cli import common
from cli.status import status

SECONDS = 60.0
STOPPABLE = ("service", "relay", "gateway")


def main(argv: list[str]) -> int:
    """Returns when it has ended."""
    options = common.parser("stop", __doc__)
    options.add_argument("process", help="its name in `status`; `gateway` means all workers")
    chosen = options.parse_args(argv)
    present = status(chosen.state)["processes"]
    names = common.named((p["name"] for p in present if p["kind"] in STOPPABLE), chosen.process)
    if not names:
        return common.fail(f"no service, relay or gateway {chosen.process} is running", "./nexus status lists them")
    for name in names:
        chosen.state.stop(name)
    until = time.monotonic() + SECONDS
    while any(p["name"] in names and p["pid"] for p in status(chosen.state)["processes"]):
        if time.monotonic() > until:
            return common.fail(f"{chosen.process} has not ended after {SECONDS:g} s")
        time.sleep(0.1)
    print(f"nexus: {', '.join(names)} stopped")
    return 0
