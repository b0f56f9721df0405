"""What may become of a notification: told -> read, and from either of them -> deleted, which empties it.

Every change is made under the lock of its recipient's counter. So numbers have no gap, the unread count is exact, and
whether a fact has been told already is certain where it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from notifications.models.tables import STAFF
from notifications.rules import Notice
from shared.chassis import wire

MANY: Final = 1000
"""How many of a recipient's are changed in one transaction: batches that tell him wait for it meanwhile."""

# The condition is never true: a counter that is there is locked, in the order of ids, and not written.
_LOCK = text(
    "INSERT INTO counters AS c (recipient_id) SELECT * FROM unnest(CAST(:recipients AS uuid[]))"
    " ON CONFLICT (recipient_id) DO UPDATE SET unread = c.unread WHERE false"
)
_DELIVER = text(
    "WITH told AS (SELECT *, COALESCE(user_id, CAST(:staff AS uuid)) AS recipient_id"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:users AS uuid[]), CAST(:kinds AS text[]), CAST(:facts AS text[]),"
    " CAST(:events AS uuid[]), CAST(:titles AS text[]), CAST(:bodies AS text[]), CAST(:levels AS text[]),"
    " CAST(:data AS jsonb[])) WITH ORDINALITY AS t (id, user_id, kind, fact, event_id, title, body, level, data, n)),"
    " fresh AS (SELECT told.*, row_number() OVER (PARTITION BY recipient_id ORDER BY n) AS nth FROM told"
    " WHERE NOT EXISTS (SELECT FROM notifications AS old"
    " WHERE (old.kind, old.fact, old.recipient_id) = (told.kind, told.fact, told.recipient_id))),"
    " counted AS (UPDATE counters AS c SET last_number = c.last_number + f.added, unread = c.unread + f.added"
    " FROM (SELECT recipient_id, count(*) AS added FROM fresh GROUP BY recipient_id) AS f"
    " WHERE c.recipient_id = f.recipient_id RETURNING c.recipient_id, c.last_number - f.added AS before)"
    " INSERT INTO notifications (id, user_id, number, kind, fact, event_id, title, body, level, data, created_at)"
    " SELECT id, user_id, before + nth, kind, fact, event_id, title, body, level, data, :now"
    " FROM fresh JOIN counted USING (recipient_id)"
)

_OF = "recipient_id = ANY(CAST(:recipients AS uuid[])) AND deleted_at IS NULL"
_ONE = f"id = CAST(:id AS uuid) AND {_OF}"
_READ = (
    "WITH done AS (UPDATE notifications SET is_read = true, read_at = :now WHERE {which} AND NOT is_read"
    " RETURNING recipient_id, 1 AS was_unread), "
)
_EMPTY = (
    "WITH done AS (UPDATE notifications SET deleted_at = :now, title = '', body = '', data = '{{}}' WHERE {which}"
    " RETURNING recipient_id, CASE WHEN is_read THEN 0 ELSE 1 END AS was_unread), "
)
_COUNT = (
    "counted AS (UPDATE counters AS c SET unread = c.unread - d.gone"
    " FROM (SELECT recipient_id, sum(was_unread) AS gone FROM done GROUP BY recipient_id) AS d"
    " WHERE c.recipient_id = d.recipient_id) SELECT count(*) FROM done"
)
_SOME_UNREAD = f"id IN (SELECT id FROM notifications WHERE {_OF} AND NOT is_read LIMIT :most)"
_SOME = f"id IN (SELECT id FROM notifications WHERE {_OF} LIMIT :most)"
_MARK_READ = text(_READ.format(which=_ONE) + _COUNT)
_MARK_MANY_READ = text(_READ.format(which=_SOME_UNREAD) + _COUNT)
_DELETE = text(_EMPTY.format(which=_ONE) + _COUNT)
_DELETE_MANY = text(_EMPTY.format(which=_SOME) + _COUNT)


@dataclass(frozen=True, slots=True)
class New:
    """A notification to be told, and the event that it comes from (none: a call)."""

    id: str
    notice: Notice
    event_id: str | None = None


def lock(tx: Connection, recipients: Iterable[str]) -> None:
    """Until the transaction ends nobody else changes anything of theirs; all in one order, so that none deadlock."""
    tx.execute(_LOCK, {"recipients": sorted(set(recipients))})


def deliver(tx: Connection, news: Sequence[New], *, now: datetime) -> None:
    """Tells each fact to its recipient unless he has been told, whatever has become of it, and numbers them on."""
    told: dict[tuple[str, str, str | None], New] = {}
    for one in news:
        told.setdefault((one.notice.kind, one.notice.fact, one.notice.user_id), one)
    rows = list(told.values())
    lock(tx, (row.notice.user_id or STAFF for row in rows))
    values = {
        "ids": [row.id for row in rows],
        "users": [row.notice.user_id for row in rows],
        "kinds": [row.notice.kind for row in rows],
        "facts": [row.notice.fact for row in rows],
        "events": [row.event_id for row in rows],
        "titles": [row.notice.title for row in rows],
        "bodies": [row.notice.body for row in rows],
        "levels": [row.notice.level for row in rows],
        "data": [wire.dumps(row.notice.data).decode() for row in rows],
        "staff": STAFF,
        "now": now,
    }
    tx.execute(_DELIVER, values)


def mark_read(tx: Connection, recipients: Sequence[str], notification_id: str, *, now: datetime) -> int:
    """1, or 0 when it is read already, deleted or not theirs. The recipients are locked."""
    values = {"recipients": list(recipients), "id": notification_id, "now": now}
    return int(tx.execute(_MARK_READ, values).scalar_one())


def mark_many_read(tx: Connection, recipient_id: str, *, now: datetime) -> int:
    """Up to `MANY` that are unread; says how many. The recipient is locked."""
    values = {"recipients": [recipient_id], "most": MANY, "now": now}
    return int(tx.execute(_MARK_MANY_READ, values).scalar_one())


def delete(tx: Connection, recipients: Sequence[str], notification_id: str, *, now: datetime) -> int:
    """1, or 0 when it is deleted already or not theirs. The recipients are locked."""
    values = {"recipients": list(recipients), "id": notification_id, "now": now}
    return int(tx.execute(_DELETE, values).scalar_one())


def delete_many(tx: Connection, recipient_id: str, *, now: datetime) -> int:
    """Up to `MANY`; says how many. The recipient is locked."""
    values = {"recipients": [recipient_id], "most": MANY, "now": now}
    return int(tx.execute(_DELETE_MANY, values).scalar_one())
