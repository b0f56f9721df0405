"""Start a process again that `stop` has stopped."""

from __future__ import annotations

import time

from cli import common
from cli.status import status

SECONDS = 60.0


def main(argv: list[str]) -> int:
    """Returns when it is healthy."""
    options = common.parser("start", __doc__)
    options.add_argument("process", help="its name in `status`; `gateway` means all workers")
    chosen = options.parse_args(argv)
    names = common.named((p["name"] for p in status(chosen.state)["processes"]), chosen.process)
    if not names:
        return common.fail(f"no process {chosen.process} is known", "./nexus status lists them")
    for name in names:
        chosen.state.start(name)
    until = time.monotonic() + SECONDS
    while not all(p["healthy"] for p in status(chosen.state)["processes"] if p["name"] in names):
        if time.monotonic() > until:
            return common.fail(f"{chosen.process} is not healthy after {SECONDS:g} s", f"./nexus logs {names[0]}")
        time.sleep(0.1)
    print(f"nexus: {', '.join(names)} started")
    return 0
