"""An award, or its reversal, as queries and events handle it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, text

from shared.utils.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """A row of `awards`; `amount` in minor units, negative for a reversal, which names the award it `reverses`."""

    id: str
    commission_rule_id: str | None
    rule_version: int | None
    owner_id: str
    user_id: str
    amount: int
    currency: str
    kind: str
    level: int
    reference: str
    metadata: dict[str, Any]
    reverses: str | None
    created_at: datetime

    @classmethod
    def of(cls, row: RowMapping) -> Award:
        """From a row with the columns in `COLUMNS`."""
        return cls(**row)


_IDS: Final = ("id", "commission_rule_id", "owner_id", "user_id", "reference", "reverses")
# Ids are text here: the driver would make objects of them.
COLUMNS: Final = ", ".join(
    f"CAST(awards.{item.name} AS text) AS {item.name}" if item.name in _IDS else f"awards.{item.name}"
    for item in fields(Award)
)
_REVERSE = text(
    "INSERT INTO awards (id, commission_rule_id, rule_version, owner_id, user_id, amount, currency, kind, level, sign,"
    " reference, metadata, reverses, created_at)"
    " SELECT told.id, a.commission_rule_id, a.rule_version, a.owner_id, a.user_id, -a.amount, a.currency, a.kind,"
    " a.level, -1, a.reference, a.metadata || jsonb_build_object('reason', CAST(:reason AS text)), a.id, :now"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:trades AS uuid[])) AS told (id, trade_id)"
    " JOIN awards AS a ON a.reference = told.trade_id AND a.kind = 'MARKUP' AND a.sign = 1 ORDER BY a.id"
    # Without a target: whichever of its unique keys a mirror that is written at the same time takes first.
    f" ON CONFLICT DO NOTHING RETURNING {COLUMNS}"
)


def reverse_markups(tx: Connection, trade_ids: Sequence[str], *, reason: str, now: datetime) -> list[Award]:
    """Writes the mirror of each award of these trades that has none yet, and returns those mirrors."""
    if not trade_ids:
        return []
    values = {"ids": [new_id() for _ in trade_ids], "trades": list(trade_ids), "reason": reason, "now": now}
    return [Award.of(row) for row in tx.execute(_REVERSE, values).mappings()]
