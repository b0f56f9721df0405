"""What must always be true of the tables of audit, as SQL that `verify` runs in one snapshot."""

from __future__ import annotations

from typing import Final

from shared.chassis.invariants import Invariant

INVARIANTS: Final[tuple[Invariant, ...]] = ()
CLAIMS: Final[dict[str, str]] = {}
FACTS: Final[dict[str, str]] = {}
