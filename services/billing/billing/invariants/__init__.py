"""What must always be true of our tables, as SQL that `verify` runs in one snapshot as `nexus_verify`.

`INVARIANTS`: each query returns (id, detail) of what violates it, so nothing when all is well. `CLAIMS` and `FACTS`:
(key, value) pairs; a claim must find the same pair among the facts of the same name in another service.
"""

from __future__ import annotations

from typing import Final

from billing.invariants.dealings import DEALINGS
from billing.invariants.entries import ENTRIES
from billing.invariants.pairs import CLAIMS, FACTS
from shared.chassis.invariants import Invariant

INVARIANTS: Final = tuple(
    Invariant(name=sentence, sql=sql, explain=f"{sentence.capitalize()}.")
    for sentence, sql in {**ENTRIES, **DEALINGS}.items()
)

__all__ = ["CLAIMS", "FACTS", "INVARIANTS"]
