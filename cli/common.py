"""What verbs share: the option --state, and finding a running stack."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TextIO

from shared.devstack.state import State, read_json

ROOT = Path(__file__).resolve().parents[1]
GOOD, BAD, WARNING, BOLD = "32", "31", "33", "1"
SIDE_BY_SIDE: Final = ("36", "32", "33", "35", "34", "96", "92", "93", "95", "94")
"""Colours for things side by side, one after the other."""


def parser(verb: str, doc: str | None) -> argparse.ArgumentParser:
    """A parser with --state; the default is NEXUS_STATE or `.nexus` in the project."""
    made = argparse.ArgumentParser(prog=f"nexus {verb}", description=doc)
    made.add_argument(
        "--state",
        type=lambda text: State(Path(text).absolute()),
        default=State(Path(os.environ.get("NEXUS_STATE") or ROOT / ".nexus").absolute()),
        metavar="DIR",
        help="the folder of the stack's data, logs and passwords (default .nexus)",
    )
    return made


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """`text` in a colour where `stream` (standard output) is a terminal; NO_COLOR (no-color.org) switches it off."""
    shown = (stream or sys.stdout).isatty() and not os.environ.get("NO_COLOR")
    return f"\033[{colour}m{text}\033[0m" if shown else text


def fail(text: str, next_step: str = "") -> int:
    """Says what is wrong and what to do about it; the exit code 1."""
    print(f"{paint('nexus:', BAD, sys.stderr)} {text}", file=sys.stderr)
    if next_step:
        print(f"       next: {next_step}", file=sys.stderr)
    return 1


def named(processes: Iterable[str], name: str) -> list[str]:
    """The processes that `name` means: itself, or all of its workers; never the supervisor."""
    return [p for p in processes if (name in (p, p.rpartition("-")[0])) and p != "supervisor"]


def running(state: State) -> dict[str, Any] | None:
    """What the supervisor of `state` says, or None when none runs."""
    known = read_json(state.supervisor)
    if not isinstance(known, dict):
        return None
    try:
        command = Path(f"/proc/{known['pid']}/cmdline").read_bytes()
    except OSError:
        return None
    # The number may be another process's by now.
    return known if b"manage.py" in command else None
