"""Logs of the processes: each into its own bounded file, and in the foreground onto the screen with a prefix."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import IO

MAX_BYTES = 10 * 2**20
_COLOURS = ("36", "32", "33", "35", "34", "96", "92", "93", "95", "94")


class Log:
    """Takes the output of a process through a pipe and writes it to `<name>.log`, keeping one older file."""

    def __init__(self, folder: Path, name: str, *, show: bool, width: int = 10, colour: int = 0) -> None:
        self._path = folder / f"{name}.log"
        self._file = self._path.open("ab")
        self._show = show
        self._prefix = f"{name:<{width}} | "
        if show and sys.stdout.isatty():
            self._prefix = f"\033[{_COLOURS[colour % len(_COLOURS)]}m{self._prefix}\033[0m"
        read, self.input = os.pipe()
        self._thread = threading.Thread(target=self._copy, args=(os.fdopen(read, "rb"),), daemon=True)
        self._thread.start()

    def note(self, text: str) -> None:
        """A line of the supervisor's own about the process."""
        self._write(f"*** {text}\n".encode())

    def _copy(self, output: IO[bytes]) -> None:
        for line in output:
            self._write(line)

    def _write(self, line: bytes) -> None:
        self._file.write(line)
        self._file.flush()
        if self._file.tell() > MAX_BYTES:
            self._file.close()
            self._path.replace(self._path.with_suffix(".log.1"))
            self._file = self._path.open("ab")
        if self._show:
            sys.stdout.write(self._prefix + line.decode(errors="replace"))
            sys.stdout.flush()


def tail(path: Path, lines: int = 20) -> str:
    """The last lines of a log; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 64 * 1024))
            return b"\n".join(file.read().splitlines()[-lines:]).decode(errors="replace")
    except FileNotFoundError:
        return ""
