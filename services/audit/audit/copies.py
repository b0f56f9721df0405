"""What users told us: the newest version wins, whatever the order of arrival. Names stand in a table of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from shared.chassis.database import Database
from shared.contracts.envelope import Received
from shared.contracts.users.events import UserRegistered, UserUpdated

_KEEP: Final = text(
    "WITH told AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS bigint[]), CAST(:names AS text[]))"
    " AS t (user_id, version, username)),"
    " kept AS (INSERT INTO user_copies AS c (user_id, version) SELECT user_id, version FROM told ORDER BY user_id"
    " ON CONFLICT (user_id) DO UPDATE SET version = excluded.version WHERE excluded.version > c.version"
    " RETURNING c.user_id)"
    " INSERT INTO user_names (user_id, username) SELECT user_id, username FROM told JOIN kept USING (user_id)"
    " WHERE username IS NOT NULL ON CONFLICT (user_id) DO UPDATE SET username = excluded.username"
)


def keep_users(db: Database, told: Sequence[Received[UserRegistered] | Received[UserUpdated]]) -> None:
    """Takes over what is newer than what is here."""
    newest: dict[str, Received[UserRegistered] | Received[UserUpdated]] = {}
    for event in told:
        known = newest.get(event.data.user_id)
        if known is None or event.subject_version > known.subject_version:
            newest[event.data.user_id] = event
    values = {
        "ids": list(newest),
        "versions": [event.subject_version for event in newest.values()],
        "names": [event.personal.get("username") for event in newest.values()],
    }
    with db.transaction() as tx:
        tx.execute(_KEEP, values)
