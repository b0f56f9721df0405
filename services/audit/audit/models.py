"""The tables of audit, and the text of an entry that is sealed. Entries, archive and seals never change.

Of what is written, only rows of `personal_data` and `user_names` may go (a person is erased), and those of `unsealed`
do once their entry is sealed.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
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

_APPEND_ONLY: Final = {"append_only": True}
_PERSONAL: Final = {"personal": True}
_ID = Uuid(as_uuid=False)
_TIME = DateTime(timezone=True)
_OF_USER = text("user_id IS NOT NULL")

entries = Table(
    "entries",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("event_id", _ID),
    Column("record_id", _ID),
    Column("action", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("user_id", _ID),
    Column("actor_user_id", _ID),
    Column("actor_role", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("causation_id", Text),
    Column("occurred_at", _TIME, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("metadata", JSONB, nullable=False),
    Column("personal_hash", LargeBinary),
    UniqueConstraint("event_id", name="entries_event_id"),
    Index("entries_record_id", "record_id", unique=True, postgresql_where=text("record_id IS NOT NULL")),
    Index("entries_of_action", "action", "id"),
    Index("entries_of_subject", "subject_id", "id"),
    Index("entries_of_user", "user_id", "id", postgresql_where=_OF_USER),
    Index("entries_of_user_action", "user_id", "action", "id", postgresql_where=_OF_USER),
    info=_APPEND_ONLY,
)

archive = Table(
    "archive",
    metadata,
    Column("event_id", _ID, primary_key=True),
    Column("source", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("subject_version", BigInteger, nullable=False),
    Column("occurred_at", _TIME, nullable=False),
    Column("envelope", Text, nullable=False),
    info=_APPEND_ONLY,
)

personal_data = Table(
    "personal_data",
    metadata,
    Column("entry_id", _ID, primary_key=True),
    Column("user_id", _ID),
    Column("salt", LargeBinary, nullable=False),
    Column("personal", JSONB, nullable=False),
    Index("personal_data_of_user", "user_id", postgresql_where=_OF_USER),
    info=_PERSONAL,
)

unsealed = Table("unsealed", metadata, Column("entry_id", _ID, primary_key=True))

seals = Table(
    "seals",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_id", _ID, nullable=False),
    Column("prev", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    UniqueConstraint("entry_id", name="seals_entry_id"),
    info=_APPEND_ONLY,
)

seal_heads = Table(
    "seal_heads",
    metadata,
    Column(
        "upto",
        BigInteger,
        ForeignKey("seals.number", name="seal_heads_upto_fkey"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("hash", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("sealed_at", _TIME, nullable=False),
    info=_APPEND_ONLY,
)

user_copies = Table(
    "user_copies",
    metadata,
    Column("user_id", _ID, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

user_names = Table(
    "user_names",
    metadata,
    Column("user_id", _ID, primary_key=True),
    Column("username", Text, nullable=False),
    info=_PERSONAL,
)

outbox = outbox_table(metadata)
idempotency = idempotency_table(metadata)

_INSTANT: Final = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

CONTENT: Final = f"""sha256(convert_to(jsonb_build_array(
    e.id, e.event_id, e.record_id, e.action, e.description, e.user_id, e.actor_user_id, e.actor_role, e.actor_kind,
    e.subject_type, e.subject_id, e.result, e.correlation_id, e.causation_id,
    {_INSTANT.format("e.occurred_at")}, {_INSTANT.format("e.created_at")}, e.metadata,
    encode(e.personal_hash, 'hex'), encode(sha256(convert_to(a.envelope, 'UTF8')), 'hex')
)::text, 'UTF8'))"""
"""The hash of an entry `e` and of its row `a` in the archive, in SQL: the same in every session, whatever it sets."""

SALT_BYTES: Final = 32
"""Random bytes that personal data is hashed with."""

PERSONAL_HASH: Final = "sha256(p.salt || convert_to(p.personal::text, 'UTF8'))"
"""The hash of personal data `p`, a row with `salt` and `personal`, in SQL."""
