"""What must always be true of our tables, as SQL that `verify` runs in one snapshot as `nexus_verify`.

`INVARIANTS`: each query gives the id and some detail of what violates it, so nothing when all is well. `CLAIMS` and
`FACTS`: (key, value) pairs; a claim must find the same pair among the facts of the same name in another service.
"""

from __future__ import annotations

from typing import Final

from trades.invariants import counts, dealings
from trades.invariants.dealings import CLAIMS, FACTS

__all__ = ["CLAIMS", "FACTS", "INVARIANTS"]

INVARIANTS: Final = (*dealings.INVARIANTS, *counts.INVARIANTS)
