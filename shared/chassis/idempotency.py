"""Clients' idempotency keys, kept for ever beside the row that they made, in the same commit."""

from __future__ import annotations

from sqlalchemy import Column, Connection, DateTime, MetaData, Table, Text, Uuid, func, text

from shared.chassis.context import Idempotency
from shared.contracts.errors import IdempotencyMismatch

NOBODY = "00000000-0000-0000-0000-000000000000"
"""Stands for the user of requests that need no login."""


def idempotency_table(metadata: MetaData) -> Table:
    """The table `idempotency` of a service."""
    return Table(
        "idempotency",
        metadata,
        Column("user_id", Uuid(as_uuid=False), primary_key=True),
        Column("route", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("request_hash", Text, nullable=False),
        Column("subject_id", Uuid(as_uuid=False), nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )


_FIND = text(
    "SELECT subject_id, request_hash FROM idempotency"
    " WHERE user_id = CAST(:user_id AS uuid) AND route = :route AND key = :key"
)
_REMEMBER = text(
    "INSERT INTO idempotency (user_id, route, key, request_hash, subject_id)"
    " VALUES (CAST(:user_id AS uuid), :route, :key, :request_hash, CAST(:subject_id AS uuid)) ON CONFLICT DO NOTHING"
)


def find(tx: Connection, user_id: str | None, asked: Idempotency) -> str | None:
    """The id of what the key made, or None when it is new. Raises IdempotencyMismatch for another request."""
    row = tx.execute(_FIND, {"user_id": user_id or NOBODY, "route": asked.route, "key": asked.key}).one_or_none()
    return None if row is None else check(str(row.subject_id), row.request_hash, asked)


def check(subject_id: str, request_hash: str, asked: Idempotency) -> str:
    """The id of what a key has made. Raises IdempotencyMismatch when another request has made it."""
    if request_hash != asked.request_hash:
        raise IdempotencyMismatch()
    return subject_id


def remember(tx: Connection, user_id: str | None, asked: Idempotency, subject_id: str) -> bool:
    """Takes the key for `subject_id`; False when somebody was first (a race waits for that one's commit)."""
    values = {
        "user_id": user_id or NOBODY,
        "route": asked.route,
        "key": asked.key,
        "request_hash": asked.request_hash,
        "subject_id": subject_id,
    }
    return tx.execute(_REMEMBER, values).rowcount == 1
