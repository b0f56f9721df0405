"""The market inside: hours and levels."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary, Numeric, Table, Text

from trades.models.columns import metadata, time_column

market_hours = Table(
    "market_hours",
    metadata,
    Column("hour", BigInteger, primary_key=True, autoincrement=False),
    Column("seed", LargeBinary, nullable=False),
    Column("commitment", LargeBinary, nullable=False),
    time_column("created_at"),
    CheckConstraint("commitment = sha256(seed)", name="market_hours_commitment"),
    info={"append_only": True},
)
market_levels = Table(
    "market_levels",
    metadata,
    Column("hour", BigInteger, primary_key=True, autoincrement=False),
    Column("symbol", Text, primary_key=True),
    Column("opening", Numeric, nullable=False),
    Column("closing", Numeric, nullable=False),
    CheckConstraint("opening > 0 AND closing > 0", name="market_levels_positive"),
    info={"append_only": True},
)
"""Hours are counted from the epoch. Seeds and levels of hours that are not over are secret."""
