"""Accounts and the entries that change them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    ForeignKey,
    Index,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from billing.models.columns import ID, TIME, WRITTEN_BY_FUNCTION, metadata

_NOW_XACT = text("((pg_current_xact_id())::text)::bigint")

accounts = Table(
    "accounts",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("purpose", Text),
    Column("environment", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("user_id", ID),
    Column("account_type", Text),
    Column("deriv_account_id", Text),
    Column(
        "append_only",
        Boolean,
        Computed("(kind = ANY (ARRAY['house'::text, 'payable'::text]))", persisted=True),
        nullable=False,
    ),
    Column("balance", BigInteger, nullable=False, server_default=text("0")),
    Column("held", BigInteger, nullable=False, server_default=text("0")),
    Column("floor", BigInteger, nullable=False, server_default=text("0")),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    Column("is_default", Boolean, nullable=False, server_default=text("false")),
    Column("markup_percentage", Numeric(5, 2)),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("terms_version", BigInteger, nullable=False, server_default=text("1")),
    Column("created_at", TIME, nullable=False),
    Column("updated_at", TIME, nullable=False),
    Index("accounts_one_default", "user_id", unique=True, postgresql_where=text("is_default")),
    Index(
        "accounts_one_demo", "user_id", "currency", unique=True, postgresql_where=text("account_type = 'DEMO'::text")
    ),
    Index("accounts_deriv_account_id", "deriv_account_id", unique=True),
    Index(
        "accounts_one_house",
        "environment",
        "currency",
        "purpose",
        unique=True,
        postgresql_where=text("kind = 'house'::text"),
    ),
    Index(
        "accounts_one_per_owner",
        "user_id",
        "kind",
        "environment",
        "currency",
        unique=True,
        postgresql_where=text("kind = ANY (ARRAY['payable'::text, 'receivable'::text])"),
    ),
    Index("accounts_of_user", "user_id", "is_default", "id", postgresql_where=text("kind = 'client'::text")),
    info=WRITTEN_BY_FUNCTION,
)

ledger_tx = Table(
    "ledger_tx",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("request_hash", LargeBinary, nullable=False),
    Column("environment", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reverses", ID, ForeignKey("ledger_tx.id", name="ledger_tx_reverses_fkey")),
    Column("correlation_id", Text),
    Column("created_at", TIME, nullable=False),
    Column("xact", BigInteger, nullable=False, server_default=_NOW_XACT),
    UniqueConstraint("kind", "ref", name="ledger_tx_kind_ref"),
    UniqueConstraint("reverses", name="ledger_tx_reverses"),
    info=WRITTEN_BY_FUNCTION,
)

postings = Table(
    "postings",
    metadata,
    Column("tx_id", ID, primary_key=True),
    Column("line", SmallInteger, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("balance_after", BigInteger),
    Column("version", BigInteger),
    Column("xact", BigInteger, nullable=False, server_default=_NOW_XACT),
    Index(
        "postings_account_version",
        "account_id",
        "version",
        unique=True,
        postgresql_where=text("version IS NOT NULL"),
    ),
    Index(
        "postings_tail",
        "account_id",
        "xact",
        postgresql_include=["amount"],
        postgresql_where=text("version IS NULL"),
    ),
    info=WRITTEN_BY_FUNCTION,
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("account_id", ID, ForeignKey("accounts.id", name="checkpoints_account_id_fkey"), primary_key=True),
    Column("upto", BigInteger, nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("updated_at", TIME, nullable=False),
    info=WRITTEN_BY_FUNCTION,
)
