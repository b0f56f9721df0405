"""Faults on demand, for tests: which of them a call of the market meets. `faulty.py` makes them.

Whether one strikes follows from the seed and from what is asked, of what and when: the same run meets the same ones,
whatever else goes on beside it, and in whichever process. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SECONDS: Final = {
    "delay": 0.2,
    "drop": 0.0,
    "duplicate": 0.0,
    "disconnect": 0.0,
    "price_moved": 0.0,
    "buy_unknown": 0.0,
    "late_result": 3.0,
}
"""Every fault there is, and how long it lasts unless it is told."""
_LASTS: Final = frozenset({"delay", "late_result"})
_ONE = re.compile(r"([a-z_]+)=([01]|0?\.[0-9]+)(?::([0-9]+)(ms|s))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How often it strikes (a share of one), and for how many seconds."""

    rate: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Those that are switched on, by name."""

    seed: str = ""
    rates: Mapping[str, Fault]

    def strikes(self, name: str, *subject: object) -> Fault | None:
        """The fault, when it strikes this subject."""
        fault = self.rates.get(name)
        return fault if fault is not None and self.chance(name, *subject) < fault.rate else None

    def chance(self, *subject: object) -> float:
        """From 0 up to 1, always the same for the same subject."""
        digest = hashlib.sha256(repr((self.seed, *subject)).encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


def faults(text: str) -> Faults:
    """Of `drop=0.05,delay=0.1:200ms,late_result=1:3s,seed=7`. Raises ValueError."""
    seed, rates = "", {}
    for part in (part.strip() for part in text.split(",")):
        if part.startswith("seed="):
            seed = part.removeprefix("seed=")
            continue
        found = _ONE.fullmatch(part)
        if found is None or found[1] not in SECONDS or (found[3] and found[1] not in _LASTS) or found[1] in rates:
            raise ValueError(f"not a fault with its share of one: {part!r}")
        seconds = int(found[3]) / (1000 if found[4] == "ms" else 1) if found[3] else SECONDS[found[1]]
        rates[found[1]] = Fault(rate=float(found[2]), seconds=seconds)
    return Faults(seed=seed, rates=rates)
