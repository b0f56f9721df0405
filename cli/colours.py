"""Colour on a terminal, and nowhere else; NO_COLOR (no-color.org) switches it off."""

from __future__ import annotations

import os
import sys
from typing import Final, TextIO

GOOD, BAD, WARNING, DIM = "32", "31", "33", "2"
NAMES: Final = ("36", "32", "33", "35", "34", "96", "92", "93", "95", "94")
"""For things side by side, one after the other."""


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """`text` in a colour where `stream` (standard output) is a terminal."""
    shown = (stream or sys.stdout).isatty() and not os.environ.get("NO_COLOR")
    return f"\033[{colour}m{text}\033[0m" if shown else text
