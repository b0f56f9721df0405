"""The tables of commission. Constraints and triggers that guard them are in migrations/sql.

Of a rule the legal change is to its next version; versions, decisions and awards never change.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
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
outbox = outbox_table(metadata)
idempotency = idempotency_table(metadata)


def _id(name: str, *more: Any, key: bool = False, null: bool = False) -> Column[Any]:
    return Column(name, Uuid(as_uuid=False), *more, primary_key=key, nullable=null)


def _time(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=False)


def _percent(name: str) -> Column[Any]:
    return Column(name, Numeric(5, 2), nullable=False)


rules = Table(
    "rules",
    metadata,
    _id("id", key=True),
    _id("owner_id"),
    _percent("referral_percent"),
    _percent("markup_percent"),
    Column("version", Integer, nullable=False),
    _time("created_at"),
    _time("updated_at"),
    UniqueConstraint("owner_id", name="rules_owner_id"),
)

rule_versions = Table(
    "rule_versions",
    metadata,
    _id("rule_id", ForeignKey("rules.id", name="rule_versions_rule_id_fkey"), key=True),
    Column("version", Integer, primary_key=True),
    _percent("referral_percent"),
    _percent("markup_percent"),
    _time("valid_from"),
    _id("set_by"),
    UniqueConstraint("rule_id", "valid_from", name="rule_versions_valid_from"),
    info={"append_only": True},
)

_RARE = text("kind <> 'MARKUP'::text")

awards = Table(
    "awards",
    metadata,
    _id("id", key=True),
    _id("commission_rule_id", null=True),
    Column("rule_version", Integer),
    _id("owner_id"),
    _id("user_id"),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("sign", SmallInteger, nullable=False),
    _id("reference"),
    Column("metadata", JSONB, nullable=False),
    _id("reverses", ForeignKey("awards.id", name="awards_reverses_fkey"), null=True),
    _time("created_at"),
    UniqueConstraint("reference", "kind", "level", "owner_id", "sign", name="awards_once"),
    Index("awards_reverses", "reverses", unique=True, postgresql_where=text("reverses IS NOT NULL")),
    Index("awards_of_owner", "owner_id", "id"),
    Index("awards_of_user", "user_id", "id"),
    Index("awards_of_owner_rare", "owner_id", "id", postgresql_where=_RARE),
    Index("awards_of_user_rare", "user_id", "id", postgresql_where=_RARE),
    Index("awards_rare", "id", postgresql_where=_RARE),
    info={"append_only": True},
)

decisions = Table(
    "decisions",
    metadata,
    Column("subject_kind", Text, primary_key=True),
    _id("subject_id", key=True),
    _id("user_id"),
    _id("owner_id", null=True),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    _id("award_id", ForeignKey("awards.id", name="decisions_award_id_fkey"), null=True),
    _time("occurred_at"),
    _time("decided_at"),
    Index(
        "decisions_one_first_deposit", "user_id", unique=True, postgresql_where=text("subject_kind = 'deposit'::text")
    ),
    info={"append_only": True},
)

user_copies = Table(
    "user_copies",
    metadata,
    _id("user_id", key=True),
    _id("referrer_id", null=True),
    Column("version", BigInteger, nullable=False),
)

user_names = Table(
    "user_names",
    metadata,
    _id("user_id", key=True),
    Column("username", Text, nullable=False),
    info={"personal": True},
)
