"""The tables of billing. Constraints, triggers and functions that guard them are in migrations/sql.

Of a hold the legal changes are HELD → SETTLED and HELD → RELEASED, of a statement line PENDING → COMPLETED and
PENDING → FAILED; entries and ledger transactions never change.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.chassis.idempotency import idempotency_table
from shared.chassis.outbox import outbox_table

metadata = MetaData()

WRITTEN_BY_FUNCTION: Final = {"append_only": True, "writer": "function"}
"""The service's role may only read: the ledger's functions write."""

_ID = Uuid(as_uuid=False)
_TIME = DateTime(timezone=True)
_NOW_XACT = text("((pg_current_xact_id())::text)::bigint")

accounts = Table(
    "accounts",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("purpose", Text),
    Column("environment", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("user_id", _ID),
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
    Column("created_at", _TIME, nullable=False),
    Column("updated_at", _TIME, nullable=False),
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
    Column("id", _ID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("request_hash", LargeBinary, nullable=False),
    Column("environment", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reverses", _ID, ForeignKey("ledger_tx.id", name="ledger_tx_reverses_fkey")),
    Column("correlation_id", Text),
    Column("created_at", _TIME, nullable=False),
    Column("xact", BigInteger, nullable=False, server_default=_NOW_XACT),
    UniqueConstraint("kind", "ref", name="ledger_tx_kind_ref"),
    UniqueConstraint("reverses", name="ledger_tx_reverses"),
    info=WRITTEN_BY_FUNCTION,
)

postings = Table(
    "postings",
    metadata,
    Column("tx_id", _ID, primary_key=True),
    Column("line", SmallInteger, primary_key=True),
    Column("account_id", _ID, nullable=False),
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

holds = Table(
    "holds",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, ForeignKey("accounts.id", name="holds_account_id_fkey")),
    Column("user_id", _ID),
    Column("amount", BigInteger),
    Column("state", Text, nullable=False),
    Column("placed_at", _TIME),
    Column("resolved_at", _TIME),
    Column("reason", Text),
    Index("holds_of_account", "account_id", postgresql_where=text("state = 'HELD'::text")),
    info=WRITTEN_BY_FUNCTION,
)

_UNFINISHED = text("status <> 'COMPLETED'::text")
_RARE = text("tx_type <> ALL (ARRAY['TRADE_STAKE'::text, 'MARKUP'::text, 'TRADE_PAYOUT'::text])")

transactions = Table(
    "transactions",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("user_id", _ID, nullable=False),
    Column("account_id", _ID, nullable=False),
    Column("tx_type", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reference", Text),
    Column("status", Text, nullable=False),
    Column("balance_after", BigInteger),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("ledger_tx_id", _ID),
    Column("line", SmallInteger),
    Column("created_at", _TIME, nullable=False),
    Index(
        "transactions_posting",
        "ledger_tx_id",
        "line",
        unique=True,
        postgresql_where=text("ledger_tx_id IS NOT NULL"),
    ),
    Index("transactions_of_account", "account_id", "id"),
    Index("transactions_of_user", "user_id", "id"),
    Index("transactions_of_account_rare", "account_id", "tx_type", "id", postgresql_where=_RARE),
    Index("transactions_of_user_rare", "user_id", "tx_type", "id", postgresql_where=_RARE),
    Index("transactions_rare", "tx_type", "id", postgresql_where=_RARE),
    Index("transactions_of_account_unfinished", "account_id", "status", "id", postgresql_where=_UNFINISHED),
    Index("transactions_of_user_unfinished", "user_id", "status", "id", postgresql_where=_UNFINISHED),
    Index("transactions_unfinished", "status", "id", postgresql_where=_UNFINISHED),
    info=WRITTEN_BY_FUNCTION,
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("account_id", _ID, ForeignKey("accounts.id", name="checkpoints_account_id_fkey"), primary_key=True),
    Column("upto", BigInteger, nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("updated_at", _TIME, nullable=False),
    info=WRITTEN_BY_FUNCTION,
)

user_copies = Table(
    "user_copies",
    metadata,
    Column("user_id", _ID, primary_key=True),
    Column("is_active", Boolean, nullable=False),
    Column("is_frozen", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
)

user_names = Table(
    "user_names",
    metadata,
    Column("user_id", _ID, primary_key=True),
    Column("username", Text, nullable=False),
    info={"personal": True},
)

outbox = outbox_table(metadata)
idempotency = idempotency_table(metadata)
