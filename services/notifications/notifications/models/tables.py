"""The tables of notifications. Constraints and triggers that guard them are in migrations/sql."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    Index,
    MetaData,
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

STAFF: Final = "00000000-0000-0000-0000-000000000000"
"""The recipient of what is told to all of staff; its `user_id` is null."""

_ID = Uuid(as_uuid=False)
_TIME = DateTime(timezone=True)

counters = Table(
    "counters",
    metadata,
    Column("recipient_id", _ID, primary_key=True),
    Column("last_number", BigInteger, nullable=False, server_default=text("0")),
    Column("unread", BigInteger, nullable=False, server_default=text("0")),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("user_id", _ID),
    Column("recipient_id", _ID, Computed(f"COALESCE(user_id, '{STAFF}'::uuid)", persisted=True), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("fact", Text, nullable=False),
    Column("event_id", _ID),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("is_read", Boolean, nullable=False, server_default=text("false")),
    Column("read_at", _TIME),
    Column("deleted_at", _TIME),
    Column("created_at", _TIME, nullable=False),
    UniqueConstraint("recipient_id", "number", name="notifications_number"),
    UniqueConstraint("kind", "fact", "recipient_id", name="notifications_fact"),
    Index("notifications_shown", "recipient_id", "is_read", "id", postgresql_where=text("deleted_at IS NULL")),
)

user_copies = Table(
    "user_copies",
    metadata,
    Column("user_id", _ID, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

user_contacts = Table(
    "user_contacts",
    metadata,
    Column("user_id", _ID, primary_key=True),
    Column("username", Text),
    Column("email", Text),
    info={"personal": True},
)

outbox = outbox_table(metadata)
idempotency = idempotency_table(metadata)
