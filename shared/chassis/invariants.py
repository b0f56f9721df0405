"""How a service says what must always be true of its tables; `verify` reads it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Invariant:
    """`sql` gives the ids that break it, as text in the first column: none when all is well."""

    name: str
    sql: str
    explain: str
