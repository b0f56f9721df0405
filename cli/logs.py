"""Show the logs of a stack: of one process, or the end of each; with -f what comes, until Ctrl-C."""

from __future__ import annotations

import time
from pathlib import Path

from cli import common
from cli.common import BOLD, SIDE_BY_SIDE, paint
from shared.devstack.logs import tail

_EVERY = 0.2


def main(argv: list[str]) -> int:
    """Exit 1 when there is no such log."""
    options = common.parser("logs", __doc__)
    options.add_argument("process", nargs="?", help="such as trades, relay, gateway-1, rabbitmq, supervisor")
    options.add_argument("-n", "--lines", type=int, default=None, help="how many lines (default 200; 10 each for all)")
    options.add_argument("-f", "--follow", action="store_true", help="go on with what is written from now on")
    chosen = options.parse_args(argv)
    files = sorted(chosen.state.logs.glob("*.log"))
    matching = [file for file in files if _is_of(file, chosen.process)]
    if not files:
        return common.fail("there are no logs yet", "./nexus up")
    if not matching:
        return common.fail(f"no log of {chosen.process}", "one of: " + ", ".join(file.stem for file in files))
    if chosen.follow:
        return _follow(chosen.state.logs, chosen.process, chosen.lines or 10)
    for file in matching:
        if chosen.process is None:
            print(paint(f"==> {file.stem} <==", BOLD))
        print(tail(file, chosen.lines or (10 if chosen.process is None else 200)))
        if chosen.process is None:
            print()
    return 0


def _is_of(file: Path, process: str | None) -> bool:
    return process is None or file.stem == process or file.stem.startswith(f"{process}-")


def _follow(folder: Path, process: str | None, lines: int) -> int:
    """Shows each line once, whatever is rotated away or comes later; ends with Ctrl-C."""
    followed: dict[str, Followed] = {}
    first = True
    while True:
        for file in sorted(folder.glob("*.log")):
            if _is_of(file, process) and file.stem not in followed:
                followed[file.stem] = Followed(file, len(followed), from_end=first)
                if first:
                    followed[file.stem].show(tail(file, lines).splitlines())
        first = False
        for one in followed.values():
            one.show(one.new_lines())
        time.sleep(_EVERY)


class Followed:
    """The file of one process, read from where it was left."""

    def __init__(self, path: Path, number: int, *, from_end: bool) -> None:
        self._path = path
        self._prefix = paint(f"{path.stem:<13} | ", SIDE_BY_SIDE[number % len(SIDE_BY_SIDE)])
        self._file = path.open("rb")
        self._rest = b""
        if from_end:
            self._file.seek(0, 2)

    def new_lines(self) -> list[str]:
        """Whole lines that have come, of the file that was rotated away, too."""
        found = self._file.read()
        if self._replaced():
            found += self._file.read()
            self._file.close()
            self._file = self._path.open("rb")
            found += self._file.read()
        *lines, self._rest = (self._rest + found).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def show(self, lines: list[str]) -> None:
        """Prints them with the process's name before each."""
        for line in lines:
            print(self._prefix + line, flush=True)

    def _replaced(self) -> bool:
        try:
            return self._path.stat().st_ino != _inode(self._file.fileno())
        except FileNotFoundError:
            return False


def _inode(descriptor: int) -> int:
    return Path(f"/proc/self/fd/{descriptor}").stat().st_ino
