"""What users told us: the newest version wins, whatever the order of arrival. Names stand in a table of their own.

The row of a user is also what is locked to decide about him in turn.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import Connection, text

from shared.chassis.database import Database
from shared.contracts.envelope import Received
from shared.contracts.users.events import UserRegistered, UserUpdated

_KEEP: Final = text(
    "WITH told AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:referrers AS uuid[]), CAST(:versions AS bigint[]),"
    " CAST(:names AS text[])) AS t (user_id, referrer_id, version, username)),"
    " kept AS (INSERT INTO user_copies AS c (user_id, referrer_id, version)"
    " SELECT user_id, referrer_id, version FROM told ORDER BY user_id"
    " ON CONFLICT (user_id) DO UPDATE SET referrer_id = COALESCE(c.referrer_id, excluded.referrer_id),"
    " version = excluded.version WHERE excluded.version > c.version RETURNING c.user_id)"
    " INSERT INTO user_names (user_id, username) SELECT user_id, username FROM told JOIN kept USING (user_id)"
    " WHERE username IS NOT NULL ON CONFLICT (user_id) DO UPDATE SET username = excluded.username"
)
_IS_KNOWN: Final = text("SELECT EXISTS (SELECT FROM user_copies WHERE user_id = CAST(:user_id AS uuid))")
_LOCK: Final = (
    "SELECT CAST(user_id AS text) AS user_id, CAST(referrer_id AS text) AS referrer_id FROM user_copies"
    " WHERE user_id = ANY(CAST(:ids AS uuid[])) ORDER BY user_copies.user_id FOR"
)
_LOCK_ALONE: Final = text(f"{_LOCK} UPDATE")
_LOCK_SHARED: Final = text(f"{_LOCK} SHARE")


def keep_users(db: Database, told: Sequence[Received[UserRegistered | UserUpdated]]) -> None:
    """Takes over what is newer than what is here."""
    newest: dict[str, Received[UserRegistered | UserUpdated]] = {}
    for event in told:
        known = newest.get(event.data.user_id)
        if known is None or event.subject_version > known.subject_version:
            newest[event.data.user_id] = event
    values = {
        "ids": list(newest),
        "referrers": [event.data.referrer_id for event in newest.values()],
        "versions": [event.subject_version for event in newest.values()],
        "names": [event.personal.get("username") for event in newest.values()],
    }
    with db.transaction() as tx:
        tx.execute(_KEEP, values)


def is_known(tx: Connection, user_id: str) -> bool:
    """Whether anything has been heard of the user."""
    return bool(tx.execute(_IS_KNOWN, {"user_id": user_id}).scalar_one())


def lock(tx: Connection, user_ids: Collection[str]) -> dict[str, str | None]:
    """The referrers of those users who are known; nobody else decides about these until the transaction ends."""
    return {row.user_id: row.referrer_id for row in tx.execute(_LOCK_ALONE, {"ids": list(user_ids)})}


def lock_shared(tx: Connection, user_ids: Collection[str]) -> None:
    """Waits for whoever has locked one of these users, and keeps others from it until the transaction ends."""
    tx.execute(_LOCK_SHARED, {"ids": list(user_ids)})
