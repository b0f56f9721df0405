"""What users told us: the newest version wins, whatever the order of arrival. Names stand in a table of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, text

from shared.chassis.database import Database
from shared.contracts.envelope import Received
from shared.contracts.users.events import UserRegistered, UserUpdated

_KEEP: Final = text(
    "WITH told AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:active AS boolean[]), CAST(:frozen AS boolean[]),"
    " CAST(:versions AS bigint[]), CAST(:names AS text[])) AS t (user_id, is_active, is_frozen, version, username)),"
    " kept AS (INSERT INTO user_copies AS c (user_id, is_active, is_frozen, version)"
    " SELECT user_id, is_active, is_frozen, version FROM told ORDER BY user_id"
    " ON CONFLICT (user_id) DO UPDATE SET is_active = excluded.is_active, is_frozen = excluded.is_frozen,"
    " version = excluded.version WHERE excluded.version > c.version RETURNING c.user_id),"
    " named AS (INSERT INTO user_names (user_id, username) SELECT user_id, username FROM told JOIN kept USING (user_id)"
    " WHERE username IS NOT NULL ON CONFLICT (user_id) DO UPDATE SET username = excluded.username)"
    " SELECT CAST(user_id AS text) FROM kept"
)
_FROZEN: Final = text("SELECT is_frozen FROM user_copies WHERE user_id = CAST(:id AS uuid)")


def is_frozen(tx: Connection, user_id: str) -> bool | None:
    """Whether the copy says so; None where no copy has come."""
    return tx.execute(_FROZEN, {"id": user_id}).scalar_one_or_none()


def keep_users(
    db: Database, told: Sequence[Received[UserRegistered | UserUpdated]]
) -> list[Received[UserRegistered | UserUpdated]]:
    """Takes over what is newer than what is here, and returns that."""
    newest: dict[str, Received[UserRegistered | UserUpdated]] = {}
    for event in told:
        known = newest.get(event.data.user_id)
        if known is None or event.envelope.subject_version > known.envelope.subject_version:
            newest[event.data.user_id] = event
    values = {
        "ids": list(newest),
        "active": [event.data.is_active for event in newest.values()],
        "frozen": [event.data.is_frozen for event in newest.values()],
        "versions": [event.envelope.subject_version for event in newest.values()],
        "names": [event.personal.get("username") for event in newest.values()],
    }
    with db.transaction() as tx:
        kept = set(tx.execute(_KEEP, values).scalars())
    return [event for user_id, event in newest.items() if user_id in kept]
