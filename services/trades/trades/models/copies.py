"""What others told us: the newest version of each."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, Numeric, Table

from trades.models.columns import id_column, metadata, word

user_copies = Table(
    "user_copies",
    metadata,
    id_column("user_id", key=True),
    Column("is_active", Boolean, nullable=False),
    Column("is_frozen", Boolean, nullable=False),
    id_column("referrer_id", null=True),
    id_column("code_id", null=True),
    Column("markup_percentage", Numeric(5, 2)),
    Column("version", BigInteger, nullable=False),
)
account_copies = Table(
    "account_copies",
    metadata,
    id_column("account_id", key=True),
    id_column("user_id"),
    word("account_type"),
    word("currency"),
    Column("markup_percentage", Numeric(5, 2)),
    Column("version", BigInteger, nullable=False),
)
code_copies = Table(
    "code_copies",
    metadata,
    id_column("code_id", key=True),
    id_column("owner_id"),
    Column("markup_percent", Numeric(5, 2)),
    Column("version", BigInteger, nullable=False),
)
rule_copies = Table(
    "rule_copies",
    metadata,
    id_column("owner_id", key=True),
    id_column("rule_id"),
    Column("rule_version", Integer, nullable=False),
    Column("markup_percent", Numeric(5, 2), nullable=False),
    Column("version", BigInteger, nullable=False),
)
