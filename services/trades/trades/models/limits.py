"""Limits, halts, and what an account has done by day."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from trades.models.columns import id_column, metadata, minor, time_column, word

account_limits = Table(
    "account_limits",
    metadata,
    id_column("account_id", key=True),
    Column("set_by", Text, primary_key=True),
    minor("stake_min", null=True),
    minor("stake_max", null=True),
    minor("payout_max", null=True),
    Column("open_trades_max", Integer),
    minor("stake_per_day", null=True),
    minor("loss_per_day", null=True),
    minor("stop_loss", null=True),
    minor("take_profit", null=True),
    Column("consecutive_losses", Integer),
    Column("cool_down_seconds", Integer),
    Column("pending", JSONB, nullable=False, server_default=text("'{}'")),
    Column("version", Integer, nullable=False),
    id_column("updated_by"),
    time_column("updated_at"),
    CheckConstraint(
        "CASE set_by WHEN 'staff'"
        " THEN num_nonnulls(stop_loss, take_profit, consecutive_losses, cool_down_seconds) = 0 AND pending = '{}'"
        " WHEN 'self' THEN num_nonnulls(stake_min, payout_max) = 0 ELSE false END",
        name="account_limits_whose",
    ),
    CheckConstraint(
        "least(stake_min, stake_max, payout_max, stake_per_day, loss_per_day, stop_loss, take_profit) >= 0"
        " AND open_trades_max >= 0",
        name="account_limits_amounts",
    ),
    CheckConstraint(
        "num_nonnulls(consecutive_losses, cool_down_seconds) <> 1 AND consecutive_losses > 0 AND cool_down_seconds > 0",
        name="account_limits_cool_down",
    ),
)
"""Of each account the house's (`staff`) and the trader's own (`self`), numbered together by `version`; NULL: no limit.
`pending` has the trader's looser ones that wait for their time: `{name: {"value": …, "at": …}}`. Rows never go, so that
whoever is limited waits for whoever is, too."""

self_exclusions = Table(
    "self_exclusions",
    metadata,
    id_column("user_id", key=True),
    time_column("until"),
    time_column("updated_at"),
)
"""Traders who have shut themselves out, of all their accounts."""

halts = Table(
    "halts",
    metadata,
    id_column("id", key=True),
    word("symbol"),
    word("reason"),
    id_column("halted_by"),
    time_column("halted_at"),
    id_column("resumed_by", null=True),
    time_column("resumed_at", null=True),
    CheckConstraint("num_nonnulls(resumed_by, resumed_at) <> 1", name="halts_resumed"),
    Index("halts_standing", "symbol", unique=True, postgresql_where=text("resumed_at IS NULL")),
)
"""`symbol` is * for all of them."""

account_days = Table(
    "account_days",
    metadata,
    id_column("account_id", key=True),
    Column("day", Date, primary_key=True),
    id_column("user_id"),
    word("account_type"),
    word("currency"),
    minor("staked"),
    Column("open_trades", Integer, nullable=False),
    minor("at_risk"),
    Column("settled", Integer, nullable=False),
    Column("won", Integer, nullable=False),
    Column("lost", Integer, nullable=False),
    minor("settled_stake"),
    minor("settled_markup"),
    minor("payout"),
    minor("profit"),
    minor("biggest_win"),
    minor("biggest_loss"),
    Index("account_days_of_user", "user_id", "day"),
    info={"writer": "function"},
)
"""Counted from `trades` by triggers. Of trades asked for on that day: `staked`, and while they are not over
`open_trades` and `at_risk` (their cost). Of those closed on it: how many, with a profit, with a loss, and their sums;
`biggest_loss` is negative. What is REJECTED or CANCELLED is in none of it."""
