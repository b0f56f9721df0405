"""Halts: one stands for a symbol at a time, and one for everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

EVERYTHING: Final = "*"
"""The symbol of a halt of them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """Trading is halted; `symbol` None: altogether."""

    id: str
    symbol: str | None
    reason: str
    since: datetime

    @classmethod
    def of(cls, id_: str, symbol: str, reason: str, since: datetime) -> Halt:
        """From the columns of a row."""
        return cls(id=id_, symbol=None if symbol == EVERYTHING else symbol, reason=reason, since=since)


_COLUMNS: Final = "CAST(id AS text) AS id, symbol, reason, halted_at"
_STANDING = text(f'SELECT {_COLUMNS} FROM halts WHERE resumed_at IS NULL ORDER BY symbol COLLATE "C"')
_ONE = text(f"SELECT {_COLUMNS} FROM halts WHERE resumed_at IS NULL AND symbol = :symbol")
_HALT = text(
    "INSERT INTO halts (id, symbol, reason, halted_by, halted_at)"
    " VALUES (CAST(:id AS uuid), :symbol, :reason, CAST(:by AS uuid), :now)"
    f" ON CONFLICT (symbol) WHERE resumed_at IS NULL DO NOTHING RETURNING {_COLUMNS}"
)
_RESUME = text(
    "UPDATE halts SET resumed_by = CAST(:by AS uuid), resumed_at = :now"
    f" WHERE symbol = :symbol AND resumed_at IS NULL RETURNING {_COLUMNS}"
)


def standing(tx: Connection) -> list[Halt]:
    """Those that are not over."""
    return [Halt.of(*row) for row in tx.execute(_STANDING)]


def halt(tx: Connection, *, halt_id: str, symbol: str | None, reason: str, by: str, now: datetime) -> tuple[Halt, bool]:
    """The halt that stands from now on, and whether it is this one."""
    named: dict[str, Any] = {"id": halt_id, "symbol": symbol or EVERYTHING, "reason": reason, "by": by, "now": now}
    while True:
        made = tx.execute(_HALT, named).one_or_none()
        found = made or tx.execute(_ONE, named).one_or_none()
        # Between the two statements the other one may have ended.
        if found is not None:
            return Halt.of(*found), made is not None


def resume(tx: Connection, *, symbol: str | None, by: str, now: datetime) -> Halt | None:
    """Ends the halt of a symbol, or of everything; None when there was none."""
    row = tx.execute(_RESUME, {"symbol": symbol or EVERYTHING, "by": by, "now": now}).one_or_none()
    return None if row is None else Halt.of(*row)
