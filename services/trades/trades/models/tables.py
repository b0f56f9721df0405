"""Trades, and what is beside them in the same commits."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.chassis.idempotency import idempotency_table
from shared.chassis.outbox import outbox_table
from trades.models.columns import id_column, metadata, minor, time_column, word

outbox = outbox_table(metadata)
idempotency = idempotency_table(metadata)

trades = Table(
    "trades",
    metadata,
    id_column("id", key=True),
    id_column("user_id"),
    id_column("account_id"),
    word("account_type"),
    word("currency"),
    word("symbol"),
    word("contract_type"),
    word("direction"),
    minor("stake"),
    minor("markup_applied"),
    minor("held"),
    minor("potential_payout"),
    minor("payout", null=True),
    minor("profit", null=True),
    Column("commission_applied", BigInteger, nullable=False, server_default=text("0")),
    Column("markup_percent", Numeric(5, 2), nullable=False),
    word("markup_source"),
    id_column("rule_id", null=True),
    Column("rule_version", Integer),
    id_column("affiliate_id", null=True),
    id_column("code_id", null=True),
    word("proposal_id", null=True),
    word("transaction_id", null=True),
    word("contract_id", null=True),
    Column("duration_seconds", Integer, nullable=False),
    Column("duration", Integer, nullable=False),
    word("duration_unit"),
    Column("entry_spot", Numeric),
    Column("exit_spot", Numeric),
    time_column("opened_at", null=True),
    time_column("starts_at", null=True),
    time_column("expires_at", null=True),
    time_column("closed_at", null=True),
    word("status"),
    word("reason", null=True),
    Column("rejection", JSONB(none_as_null=True)),
    time_column("opening_deadline"),
    time_column("claimed_at", null=True),
    word("correlation_id"),
    id_column("opened_event_id", null=True),
    Column("version", Integer, nullable=False),
    time_column("created_at"),
    time_column("updated_at"),
    word("settled_status", null=True),
    minor("settled_payout", null=True),
    word("void_reason", null=True),
    time_column("voided_at", null=True),
    id_column("voided_by", null=True),
    word("barrier", null=True),
    Column("sold_commission", Numeric),
    CheckConstraint(
        "status IN ('PENDING', 'OPEN', 'CLOSED', 'WON', 'LOST', 'CANCELLED', 'REJECTED')", name="trades_status"
    ),
    CheckConstraint("account_type IN ('DEMO', 'REAL')", name="trades_account_type"),
    CheckConstraint(
        "(contract_type, direction) IN (('CALL', 'RISE'), ('PUT', 'FALL'), ('CALLE', 'RISE'), ('PUTE', 'FALL'))",
        name="trades_contract_type",
    ),
    CheckConstraint(
        "barrier IS NULL OR contract_type IN ('CALL', 'PUT')"
        r" AND barrier ~ '^[+-]?(0|[1-9][0-9]{0,9})(\.[0-9]{1,8})?$'",
        name="trades_barrier",
    ),
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
    CheckConstraint(
        "CASE WHEN reason = 'sold' THEN coalesce(settled_status, status) = 'CLOSED'"
        " AND coalesce(settled_payout, payout) <= potential_payout AND num_nonnulls(entry_spot, exit_spot) = 2"
        " AND closed_at > starts_at AND closed_at < expires_at ELSE sold_commission IS NULL END",
        name="trades_sold",
    ),
    Index("trades_of_user", "user_id", "id"),
    Index("trades_of_account", "account_id", "id"),
    Index("trades_pending", "opening_deadline", postgresql_where=text("status = 'PENDING'")),
    Index("trades_due", "expires_at", postgresql_where=text("status = 'OPEN'")),
    Index(
        "trades_results",
        "account_id",
        "closed_at",
        "id",
        postgresql_where=text("status IN ('WON', 'LOST', 'CLOSED')"),
    ),
    Index("trades_cancelled", "id", postgresql_where=text("status = 'CANCELLED'")),
    Index("trades_proposal_id", "proposal_id", postgresql_where=text("proposal_id IS NOT NULL")),
    Index("trades_transaction_id", "transaction_id", postgresql_where=text("transaction_id IS NOT NULL")),
    Index("trades_contract_id", "contract_id", unique=True, postgresql_where=text("contract_id IS NOT NULL")),
)
"""`held` is what the hold reserves: stake and markup. `starts_at` is the entry tick's instant, `expires_at` the end.
`opening_deadline` is when the sweeper may claim a PENDING trade (`claimed_at`), after which it cannot be opened.
`rejection` is the refusal as it is told again; `correlation_id` and `opened_event_id` link the result to the
opening. A CANCELLED trade keeps in `settled_status`, `settled_payout` and `reason` the result that it had, if it had
one; `commission_applied` is the sum of its applied awards. A sold one has `closed_at` and `exit_spot` of its sale, and
in `sold_commission` the share of the payout that its price was lessened by."""

applied_awards = Table(
    "applied_awards",
    metadata,
    id_column("award_id", key=True),
    Column("sign", SmallInteger, primary_key=True, autoincrement=False),
    Column("trade_id", Uuid(as_uuid=False), ForeignKey("trades.id"), nullable=False),
    minor("amount"),
    CheckConstraint("sign IN (1, -1)", name="applied_awards_sign"),
    CheckConstraint("amount > 0", name="applied_awards_amount"),
    info={"append_only": True},
)
"""What affiliates earned (`sign` 1) and what was taken back (-1), each award at most once of both."""
