"""What others told us, and the tables of the chassis."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Table, Text

from billing.models.columns import ID, metadata
from shared.chassis.idempotency import idempotency_table
from shared.chassis.outbox import outbox_table

user_copies = Table(
    "user_copies",
    metadata,
    Column("user_id", ID, primary_key=True),
    Column("is_active", Boolean, nullable=False),
    Column("is_frozen", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
)

user_names = Table(
    "user_names",
    metadata,
    Column("user_id", ID, primary_key=True),
    Column("username", Text, nullable=False),
    info={"personal": True},
)

outbox = outbox_table(metadata)
idempotency = idempotency_table(metadata)
