"""Throw a stack away: stop it, and remove its data, logs, keys and passwords. Asks first, unless --yes."""

from __future__ import annotations

import shutil
import sys

from cli import common, down
from shared.devstack.environment import named_postgres
from shared.devstack.state import State
from shared.settings.env import env


def main(argv: list[str]) -> int:
    """Exit 1 when it is not wanted, or is not ours to throw away."""
    options = common.parser("reset", __doc__)
    options.add_argument("--yes", action="store_true", help="do not ask")
    chosen = options.parse_args(argv)
    state: State = chosen.state
    if not state.folder.exists():
        print("nexus: there is nothing to throw away")
        return 0
    # A folder of ours, and not one that --state names by mistake.
    if state.credentials() is None:
        return common.fail(f"{state.folder} holds no stack", "look at what is in it, and remove it by hand")
    if env.get("NEXUS_ENV", "dev") == "prod" or named_postgres() or env.get("NEXUS_AMQP_URL"):
        return common.fail(
            "its databases or queues are on servers of yours (or this is prod)",
            "drop them there, then remove the folder",
        )
    if not chosen.yes and not _agreed(state):
        return common.fail("nothing was thrown away")
    if code := down.main(["--state", str(state.folder)]):
        return code
    shutil.rmtree(state.folder)
    print(f"nexus: {state.folder} is gone; ./nexus up makes a new one")
    return 0


def _agreed(state: State) -> bool:
    if not sys.stdin.isatty():
        print("nexus: nobody is there to ask; --yes means it", file=sys.stderr)
        return False
    return input(f"Throw away everything in {state.folder}: databases, keys, logs? [y/N] ").strip().lower() in (
        "y",
        "yes",
    )
