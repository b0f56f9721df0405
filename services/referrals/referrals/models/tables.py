"""The tables of referrals."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
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


def _flag(name: str) -> Column[Any]:
    return Column(name, Boolean, nullable=False, server_default=text("false"))


referral_codes = Table(
    "referral_codes",
    metadata,
    _id("id", key=True),
    Column("code", Text, nullable=False),
    Column("kind", Text, nullable=False),
    _id("owner_id"),
    Column("uses", BigInteger, nullable=False, server_default=text("0")),
    Column("max_uses", BigInteger),
    _time("expires_at", null=True),
    _flag("disabled"),
    Column("markup_percent", Numeric(5, 2)),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'")),
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    _flag("announced"),
    _time("created_at"),
    _time("updated_at"),
    UniqueConstraint("id", "owner_id", name="referral_codes_owned"),
    CheckConstraint("kind IN ('affiliate', 'further')", name="referral_codes_kind"),
    CheckConstraint("uses >= 0", name="referral_codes_uses"),
    CheckConstraint("max_uses > 0", name="referral_codes_max_uses"),
    CheckConstraint("markup_percent BETWEEN 0 AND 3", name="referral_codes_markup_percent"),
    Index("referral_codes_affiliate_key", "owner_id", unique=True, postgresql_where=text("kind = 'affiliate'")),
    Index("referral_codes_of_owner", "owner_id", "id"),
)
Index("referral_codes_code_key", func.lower(referral_codes.c.code), unique=True)
"""`uses` is counted by the trigger `count_uses`; `version` is that of the terms. What came from present state
that was sent again is not `announced`."""

_CONFIRMED = text("state = 'CONFIRMED'")
referrals = Table(
    "referrals",
    metadata,
    _id("id", key=True),
    _id("code_id", null=True),
    _id("owner_id", null=True),
    _id("referred_user_id"),
    Column("state", Text, nullable=False),
    _flag("commission_awarded"),
    _flag("announced"),
    _time("claimed_at", null=True),
    _time("confirmed_at", null=True),
    _time("created_at"),
    UniqueConstraint("referred_user_id", name="referrals_referred_user_id_key"),
    ForeignKeyConstraint(
        ["code_id", "owner_id"], ["referral_codes.id", "referral_codes.owner_id"], name="referrals_code_fkey"
    ),
    CheckConstraint("owner_id < referred_user_id", name="referrals_owner_older"),
    CheckConstraint("state IN ('CLAIMED', 'CONFIRMED', 'RETURNED', 'EXPECTED')", name="referrals_state"),
    CheckConstraint(
        "num_nonnulls(code_id, owner_id) = CASE state WHEN 'EXPECTED' THEN 0 ELSE 2 END", name="referrals_code_known"
    ),
    CheckConstraint("state NOT IN ('CLAIMED', 'RETURNED') OR claimed_at IS NOT NULL", name="referrals_claimed_at"),
    CheckConstraint("(state = 'CONFIRMED') = (confirmed_at IS NOT NULL)", name="referrals_confirmed_at"),
    Index("referrals_of_owner", "owner_id", "id", postgresql_where=_CONFIRMED),
    Index("referrals_of_code", "code_id", "id", postgresql_where=_CONFIRMED),
    Index("referrals_confirmed", "id", postgresql_where=_CONFIRMED),
    Index("referrals_claimed", "claimed_at", postgresql_where=text("state = 'CLAIMED'")),
)

user_copies = Table("user_copies", metadata, _id("user_id", key=True), Column("version", BigInteger, nullable=False))
user_names = Table(
    "user_names",
    metadata,
    _id("user_id", key=True),
    Column("username", Text, nullable=False),
    info={"personal": True},
)
