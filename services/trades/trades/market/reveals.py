"""What may be told of the market's hours: commitments from the start, seeds once their hour is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text

from shared.chassis.database import Database
from trades.market.engine import hour_of

# What is not over must not even leave the database.
_PUBLISHED = text(
    "SELECT hour, commitment, created_at, CASE WHEN hour < :present THEN seed END AS seed FROM market_hours"
    " WHERE hour BETWEEN :first AND :last ORDER BY hour DESC LIMIT :limit"
)
_REVEALED = text(
    "SELECT h.hour, h.commitment, h.created_at, h.seed, l.opening"
    " FROM market_hours h JOIN market_levels l ON l.hour = h.hour AND l.symbol = :symbol"
    " WHERE h.hour BETWEEN :first AND :last AND h.hour < :present ORDER BY h.hour"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """An hour as everybody may know it: its commitment, when that was made, and its seed if it is over."""

    hour: int
    commitment: bytes
    committed_at: datetime
    seed: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """An hour that is over, for one symbol: all that its prices follow from."""

    hour: int
    commitment: bytes
    committed_at: datetime
    seed: bytes
    opening: Decimal


def published(db: Database, *, first: int, last: int, limit: int, now: datetime) -> list[Published]:
    """The hours from `first` to `last`, also the one that has not begun; the newest `limit` of them, newest first."""
    values = {"first": first, "last": last, "present": hour_of(now), "limit": limit}
    with db.read() as tx:
        rows = tx.execute(_PUBLISHED, values).all()
    return [
        Published(
            hour=row.hour,
            commitment=bytes(row.commitment),
            committed_at=row.created_at,
            seed=None if row.seed is None else bytes(row.seed),
        )
        for row in rows
    ]


def revealed(db: Database, *, symbol: str, first: int, last: int, now: datetime) -> list[Revealed]:
    """Those of the hours from `first` to `last` that are over and have the symbol, in their order."""
    values = {"symbol": symbol, "first": first, "last": last, "present": hour_of(now)}
    with db.read() as tx:
        rows = tx.execute(_REVEALED, values).all()
    return [
        Revealed(
            hour=row.hour,
            commitment=bytes(row.commitment),
            committed_at=row.created_at,
            seed=bytes(row.seed),
            opening=row.opening,
        )
        for row in rows
    ]
