"""The id of a user who is about to be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from sqlalchemy import text

from shared.chassis.context import Idempotency
from shared.chassis.database import Database
from shared.contracts.errors import ValidationFailed
from shared.utils.ids import new_id

_RESERVE: Final = text(
    "INSERT INTO registrations AS r (route, key, request_hash, user_id, created_at)"
    " VALUES (:route, :key, :request_hash, CAST(:user_id AS uuid), :now)"
    " ON CONFLICT (route, key, request_hash) DO UPDATE SET user_id = r.user_id RETURNING CAST(r.user_id AS text)"
)
_FORGET: Final = text("DELETE FROM registrations WHERE route = :route AND key = :key AND request_hash = :request_hash")


@contextmanager
def reserved_id(db: Database, asked: Idempotency | None, *, now: datetime) -> Iterator[str]:
    """A new id, or the one that the same request with the same key got before; one that is refused is forgotten."""
    if asked is None:
        yield new_id()
        return
    request = {"route": asked.route, "key": asked.key, "request_hash": asked.request_hash}
    with db.transaction() as tx:
        user_id = str(tx.execute(_RESERVE, {**request, "user_id": new_id(), "now": now}).scalar_one())
    try:
        yield user_id
    except ValidationFailed:
        with db.transaction() as tx:
            tx.execute(_FORGET, request)
        raise
