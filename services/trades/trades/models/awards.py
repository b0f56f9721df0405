"""What affiliates earned from trades: each award counts once, and is taken back once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

# In the order of their ids, so that two batches cannot wait for each other.
_LOCK_TRADES = text(
    "SELECT CAST(id AS text) AS id, currency FROM trades WHERE id = ANY(CAST(:ids AS uuid[]))"
    " ORDER BY id FOR NO KEY UPDATE"
)
# The version stays: it numbers what trades tells of a trade, and this is told by commission.
_APPLY = text(
    "WITH new AS (INSERT INTO applied_awards (award_id, sign, trade_id, amount)"
    " SELECT * FROM unnest(CAST(:awards AS uuid[]), CAST(:signs AS smallint[]), CAST(:trades AS uuid[]),"
    " CAST(:amounts AS bigint[]))"
    " ON CONFLICT DO NOTHING RETURNING trade_id, sign * amount AS change),"
    " changed AS (SELECT trade_id, sum(change) AS change FROM new GROUP BY trade_id HAVING sum(change) <> 0)"
    " UPDATE trades SET commission_applied = commission_applied + changed.change, updated_at = :now"
    " FROM changed WHERE trades.id = changed.trade_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An award on a trade (`sign` 1) or its taking back (-1); `amount` in minor units of the trade's currency."""

    award_id: str
    sign: int
    trade_id: str
    amount: int


def lock_trades(tx: Connection, ids: Collection[str]) -> dict[str, str]:
    """The currencies of those trades that there are, by id; nobody else changes them until the transaction ends."""
    return {row.id: row.currency for row in tx.execute(_LOCK_TRADES, {"ids": list(ids)})}


def apply(tx: Connection, entries: Sequence[Entry], *, now: datetime) -> None:
    """Adds what is new to the trades' `commission_applied`; what has been applied before changes nothing."""
    values = {
        "awards": [entry.award_id for entry in entries],
        "signs": [entry.sign for entry in entries],
        "trades": [entry.trade_id for entry in entries],
        "amounts": [entry.amount for entry in entries],
        "now": now,
    }
    tx.execute(_APPLY, values)
