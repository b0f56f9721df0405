"""The tables of users."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)

from shared.chassis.idempotency import idempotency_table
from shared.chassis.outbox import outbox_table

DEVICE_LENGTH = 512
"""As many characters of a user agent are indexed."""

metadata = MetaData()


def _id() -> Uuid[str]:
    return Uuid(as_uuid=False)


users = Table(
    "users",
    metadata,
    Column("id", _id(), primary_key=True),
    Column("username", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("is_email_verified", Boolean, nullable=False, server_default=text("false")),
    Column("first_name", Text, nullable=False, server_default=text("''")),
    Column("last_name", Text, nullable=False, server_default=text("''")),
    Column("is_staff", Boolean, nullable=False, server_default=text("false")),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("is_frozen", Boolean, nullable=False, server_default=text("false")),
    Column("referred_by", _id(), ForeignKey("users.id", name="users_referred_by_fkey")),
    Column("referral_code", Text),
    Column("affiliate_code", Text, nullable=False),
    Column("markup_percentage", Numeric(5, 2)),
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("code_id", _id()),
    UniqueConstraint("affiliate_code", name="users_affiliate_code_key"),
    CheckConstraint("referred_by < id", name="users_referrer_older"),
    CheckConstraint("num_nulls(referred_by, referral_code, code_id) IN (0, 3)", name="users_referral_whole"),
    CheckConstraint("markup_percentage BETWEEN 0 AND 3", name="users_markup_percentage"),
)
Index("users_username_key", func.lower(users.c.username), unique=True)
Index("users_email_key", func.lower(users.c.email), unique=True)
Index("users_newest_active", users.c.created_at, postgresql_where=users.c.is_active)

registrations = Table(
    "registrations",
    metadata,
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", Text, primary_key=True),
    Column("user_id", _id(), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", _id(), primary_key=True),
    Column("user_id", _id(), ForeignKey("users.id", name="sessions_user_id_fkey"), nullable=False),
    Column("counter", Integer, nullable=False, server_default=text("0")),
    Column("salt", LargeBinary, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("rotated_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("access_until", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    Column("reason", Text),
    CheckConstraint("(revoked_at IS NULL) = (reason IS NULL)", name="sessions_revoked"),
)
Index("sessions_live", sessions.c.user_id, postgresql_where=sessions.c.revoked_at.is_(None))
Index("sessions_revoked_until", sessions.c.access_until, postgresql_where=sessions.c.revoked_at.is_not(None))

session_origins = Table(
    "session_origins",
    metadata,
    Column("session_id", _id(), ForeignKey("sessions.id", name="session_origins_session_id_fkey"), primary_key=True),
    Column("user_id", _id(), nullable=False),
    Column("ip", Text),
    Column("user_agent", Text),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    info={"personal": True},
)
Index("session_origins_device", session_origins.c.user_id, func.left(session_origins.c.user_agent, DEVICE_LENGTH))

login_failures = Table(
    "login_failures",
    metadata,
    Column("user_id", _id(), ForeignKey("users.id", name="login_failures_user_id_fkey"), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("locked_until", DateTime(timezone=True)),
    Column("failed_at", DateTime(timezone=True), nullable=False),
)

outbox = outbox_table(metadata)
idempotency = idempotency_table(metadata)
