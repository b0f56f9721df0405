"""The tables of trades."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.chassis.idempotency import idempotency_table
from shared.chassis.outbox import outbox_table

metadata = MetaData()
outbox = outbox_table(metadata)
idempotency = idempotency_table(metadata)


def _id(name: str, *, key: bool = False, null: bool = False) -> Column[Any]:
    return Column(name, Uuid(as_uuid=False), primary_key=key, nullable=null)


def _time(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=null)


def _word(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=null)


def _minor(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, BigInteger, nullable=null)


trades = Table(
    "trades",
    metadata,
    _id("id", key=True),
    _id("user_id"),
    _id("account_id"),
    _word("account_type"),
    _word("currency"),
    _word("symbol"),
    _word("contract_type"),
    _word("direction"),
    _minor("stake"),
    _minor("markup_applied"),
    _minor("held"),
    _minor("potential_payout"),
    _minor("payout", null=True),
    _minor("profit", null=True),
    Column("commission_applied", BigInteger, nullable=False, server_default=text("0")),
    Column("markup_percent", Numeric(5, 2), nullable=False),
    _word("markup_source"),
    _id("rule_id", null=True),
    Column("rule_version", Integer),
    _id("affiliate_id", null=True),
    _id("code_id", null=True),
    _word("proposal_id", null=True),
    _word("transaction_id", null=True),
    _word("contract_id", null=True),
    Column("duration_seconds", Integer, nullable=False),
    Column("duration", Integer, nullable=False),
    _word("duration_unit"),
    Column("entry_spot", Numeric),
    Column("exit_spot", Numeric),
    _time("opened_at", null=True),
    _time("starts_at", null=True),
    _time("expires_at", null=True),
    _time("closed_at", null=True),
    _word("status"),
    _word("reason", null=True),
    Column("rejection", JSONB(none_as_null=True)),
    _time("opening_deadline"),
    _time("claimed_at", null=True),
    _word("correlation_id"),
    _id("opened_event_id", null=True),
    Column("version", Integer, nullable=False),
    _time("created_at"),
    _time("updated_at"),
    _word("settled_status", null=True),
    _minor("settled_payout", null=True),
    _word("void_reason", null=True),
    _time("voided_at", null=True),
    _id("voided_by", null=True),
    CheckConstraint(
        "status IN ('PENDING', 'OPEN', 'CLOSED', 'WON', 'LOST', 'CANCELLED', 'REJECTED')", name="trades_status"
    ),
    CheckConstraint("account_type IN ('DEMO', 'REAL')", name="trades_account_type"),
    CheckConstraint("(contract_type, direction) IN (('CALL', 'RISE'), ('PUT', 'FALL'))", name="trades_contract_type"),
    CheckConstraint(
        "stake > 0 AND markup_applied >= 0 AND held >= stake + markup_applied AND potential_payout > stake"
        " AND commission_applied >= 0",
        name="trades_amounts",
    ),
    CheckConstraint(
        "markup_percent BETWEEN 0 AND 5 AND markup_source IN ('account', 'code', 'rule', 'affiliate', 'platform')",
        name="trades_rate",
    ),
    CheckConstraint(
        "duration_seconds BETWEEN 1 AND 31536000 AND duration > 0 AND duration_unit IN ('t', 's', 'm', 'h', 'd')",
        name="trades_duration",
    ),
    CheckConstraint("(status = 'REJECTED') = (rejection IS NOT NULL)", name="trades_rejection"),
    CheckConstraint(
        "num_nonnulls(contract_id, transaction_id, opened_at, starts_at, expires_at, opened_event_id)"
        " = CASE WHEN status IN ('PENDING', 'REJECTED') THEN 0 ELSE 6 END",
        name="trades_bought",
    ),
    CheckConstraint(
        "(closed_at IS NOT NULL) = (status IN ('WON', 'LOST', 'CLOSED', 'CANCELLED'))", name="trades_closed_at"
    ),
    CheckConstraint(
        "CASE WHEN status IN ('WON', 'LOST', 'CLOSED') THEN num_nonnulls(payout, profit, reason) = 3"
        " AND profit = payout - stake - markup_applied AND reason IN ('expired', 'sold', 'staff')"
        " AND CASE status WHEN 'WON' THEN payout = potential_payout WHEN 'LOST' THEN payout = 0"
        " ELSE payout >= 0 AND (reason = 'sold' OR payout NOT IN (0, potential_payout)) END"
        " WHEN status = 'CANCELLED' THEN true"
        " ELSE num_nonnulls(payout, profit, reason) = 0 END",
        name="trades_result",
    ),
    CheckConstraint(
        "CASE WHEN status <> 'CANCELLED'"
        " THEN num_nonnulls(settled_status, settled_payout, void_reason, voided_at, voided_by) = 0"
        " ELSE num_nonnulls(void_reason, voided_at, voided_by, profit) = 4 AND payout IS NULL AND profit = 0"
        " AND num_nonnulls(settled_status, settled_payout, reason)"
        " = CASE WHEN settled_status IS NULL THEN 0 ELSE 3 END"
        " AND CASE settled_status WHEN 'WON' THEN settled_payout = potential_payout"
        " WHEN 'LOST' THEN settled_payout = 0 WHEN 'CLOSED' THEN settled_payout >= 0"
        " ELSE settled_status IS NULL END END",
        name="trades_voided",
    ),
    Index("trades_of_user", "user_id", "id"),
    Index("trades_of_account", "account_id", "id"),
    Index("trades_pending", "opening_deadline", postgresql_where=text("status = 'PENDING'")),
    Index("trades_due", "expires_at", postgresql_where=text("status = 'OPEN'")),
    Index("trades_cancelled", "id", postgresql_where=text("status = 'CANCELLED'")),
    Index("trades_proposal_id", "proposal_id", postgresql_where=text("proposal_id IS NOT NULL")),
    Index("trades_transaction_id", "transaction_id", postgresql_where=text("transaction_id IS NOT NULL")),
    Index("trades_contract_id", "contract_id", unique=True, postgresql_where=text("contract_id IS NOT NULL")),
)
"""`held` is what the hold reserves: stake and markup. `starts_at` is the entry tick's instant, `expires_at` the end.
`opening_deadline` is when the sweeper may claim a PENDING trade (`claimed_at`), after which it cannot be opened.
`rejection` is the refusal as it is told again; `correlation_id` and `opened_event_id` link the result to the
opening. A CANCELLED trade keeps in `settled_status`, `settled_payout` and `reason` the result that it had, if it had
one; `commission_applied` is the sum of its applied awards."""

applied_awards = Table(
    "applied_awards",
    metadata,
    _id("award_id", key=True),
    Column("sign", SmallInteger, primary_key=True, autoincrement=False),
    Column("trade_id", Uuid(as_uuid=False), ForeignKey("trades.id"), nullable=False),
    _minor("amount"),
    CheckConstraint("sign IN (1, -1)", name="applied_awards_sign"),
    CheckConstraint("amount > 0", name="applied_awards_amount"),
    info={"append_only": True},
)
"""What affiliates earned (`sign` 1) and what was taken back (-1), each award at most once of both."""

user_copies = Table(
    "user_copies",
    metadata,
    _id("user_id", key=True),
    Column("is_active", Boolean, nullable=False),
    Column("is_frozen", Boolean, nullable=False),
    _id("referrer_id", null=True),
    _id("code_id", null=True),
    Column("markup_percentage", Numeric(5, 2)),
    Column("version", BigInteger, nullable=False),
)
account_copies = Table(
    "account_copies",
    metadata,
    _id("account_id", key=True),
    _id("user_id"),
    _word("account_type"),
    _word("currency"),
    Column("markup_percentage", Numeric(5, 2)),
    Column("version", BigInteger, nullable=False),
)
code_copies = Table(
    "code_copies",
    metadata,
    _id("code_id", key=True),
    _id("owner_id"),
    Column("markup_percent", Numeric(5, 2)),
    Column("version", BigInteger, nullable=False),
)
rule_copies = Table(
    "rule_copies",
    metadata,
    _id("owner_id", key=True),
    _id("rule_id"),
    Column("rule_version", Integer, nullable=False),
    Column("markup_percent", Numeric(5, 2), nullable=False),
    Column("version", BigInteger, nullable=False),
)
market_hours = Table(
    "market_hours",
    metadata,
    Column("hour", BigInteger, primary_key=True, autoincrement=False),
    Column("seed", LargeBinary, nullable=False),
    Column("commitment", LargeBinary, nullable=False),
    _time("created_at"),
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
