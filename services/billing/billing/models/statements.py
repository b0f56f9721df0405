"""Holds and statement lines.

Of a hold the legal changes are HELD → SETTLED and HELD → RELEASED, of a statement line PENDING → COMPLETED and
PENDING → FAILED.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, SmallInteger, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from billing.models.columns import ID, TIME, WRITTEN_BY_FUNCTION, metadata

holds = Table(
    "holds",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, ForeignKey("accounts.id", name="holds_account_id_fkey")),
    Column("user_id", ID),
    Column("amount", BigInteger),
    Column("state", Text, nullable=False),
    Column("placed_at", TIME),
    Column("resolved_at", TIME),
    Column("reason", Text),
    Index("holds_of_account", "account_id", postgresql_where=text("state = 'HELD'::text")),
    info=WRITTEN_BY_FUNCTION,
)

_UNFINISHED = text("status <> 'COMPLETED'::text")
_RARE = text("tx_type <> ALL (ARRAY['TRADE_STAKE'::text, 'MARKUP'::text, 'TRADE_PAYOUT'::text])")

transactions = Table(
    "transactions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, nullable=False),
    Column("account_id", ID, nullable=False),
    Column("tx_type", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reference", Text),
    Column("status", Text, nullable=False),
    Column("balance_after", BigInteger),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("ledger_tx_id", ID),
    Column("line", SmallInteger),
    Column("created_at", TIME, nullable=False),
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

first_deposits = Table(
    "first_deposits",
    metadata,
    Column("user_id", ID, primary_key=True),
    Column("transaction_id", ID, nullable=False),
    Column("completed_at", TIME, nullable=False),
    UniqueConstraint("transaction_id", name="first_deposits_transaction_id"),
    info=WRITTEN_BY_FUNCTION,
)
