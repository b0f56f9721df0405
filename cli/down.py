"""Stop a stack. Its data stay and the next `up` goes on with them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from cli import common

SECONDS = 120.0


def main(argv: list[str]) -> int:
    """Returns when everything has ended."""
    chosen = common.parser("down", __doc__).parse_args(argv)
    known = common.running(chosen.state)
    if known is None:
        print("nexus: nothing is running")
        return 0
    pid = known["pid"]
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + SECONDS
    while Path(f"/proc/{pid}").exists() and not _zombie(pid):
        if time.monotonic() > until:
            # Its processes die with it.
            os.kill(pid, signal.SIGKILL)
            return common.fail(f"not stopped in {SECONDS:g} s: killed")
        time.sleep(0.05)
    print("nexus: stopped")
    return 0


def _zombie(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return text[text.rindex(")") + 2] == "Z"
