"""Show the logs of a stack: of one process, or the end of each."""

from __future__ import annotations

from cli import common
from shared.devstack.logs import tail


def main(argv: list[str]) -> int:
    """Exit 1 when there is no such log."""
    options = common.parser("logs", __doc__)
    options.add_argument("process", nargs="?", help="such as trades, relay, gateway-1, rabbitmq, supervisor")
    options.add_argument("-n", "--lines", type=int, default=None, help="how many lines (default 200; 10 each for all)")
    chosen = options.parse_args(argv)
    files = sorted(chosen.state.logs.glob("*.log"))
    if chosen.process is None:
        for file in files:
            print(f"==> {file.stem} <==\n{tail(file, chosen.lines or 10)}\n")
        return 0 if files else common.fail("there are no logs yet")
    matching = [file for file in files if file.stem == chosen.process or file.stem.startswith(f"{chosen.process}-")]
    if not matching:
        return common.fail(f"no log of {chosen.process}", "one of: " + ", ".join(file.stem for file in files))
    for file in matching:
        print(tail(file, chosen.lines or 200))
    return 0
