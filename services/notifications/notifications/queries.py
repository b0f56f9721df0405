"""What can be asked: one's own, and for staff also what is told to all of staff. The rest looks like none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from sqlalchemy import Connection, RowMapping, text

from notifications.models import STAFF
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.chassis.pagination import Listing
from shared.contracts.errors import NotReady
from shared.contracts.notifications.errors import NotificationNotFound
from shared.contracts.notifications.rpc import NotificationPage, NotificationView
from shared.utils.time import to_rfc3339

_COLUMNS: Final = (
    "CAST(n.id AS text) AS id, CAST(n.user_id AS text) AS user_id, n.title, n.body, n.level, n.is_read, n.data,"
    " n.created_at"
)
_ONE = text(f"SELECT {_COLUMNS} FROM notifications AS n WHERE n.id = CAST(:id AS uuid)")
_SHOWN = text(
    f"SELECT {_COLUMNS} FROM notifications AS n WHERE n.id = CAST(:id AS uuid)"
    " AND n.recipient_id = ANY(CAST(:recipients AS uuid[])) AND n.deleted_at IS NULL"
)
# One walk of the index for each recipient and state, each in the list's own order.
_PAGE: Final = (
    f"SELECT {_COLUMNS} FROM unnest(CAST(:recipients AS uuid[])) AS r (recipient_id),"
    " unnest(CAST(:states AS boolean[])) AS s (is_read), LATERAL (SELECT * FROM notifications AS mine"
    " WHERE mine.recipient_id = r.recipient_id AND mine.is_read = s.is_read AND mine.deleted_at IS NULL{after}"
    " ORDER BY mine.id DESC LIMIT :rows) AS n ORDER BY n.id DESC LIMIT :rows"
)
_UNREAD = text("SELECT unread FROM counters WHERE recipient_id = CAST(:user AS uuid)")
_KNOWN = text("SELECT EXISTS (SELECT FROM user_copies WHERE user_id = CAST(:user AS uuid))")


def recipients_of(caller: Context) -> list[str]:
    """As whom the caller is told: himself, and staff as all of staff too. Raises Unauthorized."""
    own = caller.require_user()
    return [own, STAFF] if caller.is_staff else [own]


def get_notification(db: Database, caller: Context, notification_id: str) -> NotificationView:
    """Raises NotificationNotFound, Unauthorized."""
    with db.read() as tx:
        return to_view(find_shown(tx, recipients_of(caller), notification_id))


def list_notifications(
    db: Database, caller: Context, *, unread: bool | None, limit: int, after: str | None
) -> NotificationPage:
    """The newest first; unread ones, read ones, or (None) both. Raises Unauthorized, ValidationFailed on `after`."""
    listing = Listing("notifications", caller.require_user(), {"unread": unread})
    values: dict[str, Any] = {
        "recipients": recipients_of(caller),
        "states": [False, True] if unread is None else [not unread],
        "rows": limit + 1,
    }
    if after is not None:
        (values["id"],) = listing.position(after)
    statement = _PAGE.format(after="" if after is None else " AND mine.id < CAST(:id AS uuid)")
    with db.read() as tx:
        rows = tx.execute(text(statement), values).mappings().all()
    return cast("NotificationPage", listing.page(rows, limit, position=lambda row: (row["id"],), view=to_view))


def count_unread(db: Database, caller: Context) -> int:
    """The caller's own, without those to all of staff. Raises Unauthorized."""
    with db.read() as tx:
        return int(tx.execute(_UNREAD, {"user": caller.require_user()}).scalar() or 0)


def find(tx: Connection, notification_id: str) -> RowMapping:
    """A notification that is there, whoever's it is; emptied when it has been deleted."""
    return tx.execute(_ONE, {"id": notification_id}).mappings().one()


def find_shown(tx: Connection, recipients: Sequence[str], notification_id: str) -> RowMapping:
    """One of theirs. Raises NotificationNotFound, also for a deleted one."""
    values = {"id": notification_id, "recipients": list(recipients)}
    found = tx.execute(_SHOWN, values).mappings().one_or_none()
    if found is None:
        raise NotificationNotFound()
    return found


def require_known(tx: Connection, user_id: str) -> None:
    """Raises NotReady for a user that has not been heard of."""
    if not tx.execute(_KNOWN, {"user": user_id}).scalar_one():
        raise NotReady("no such user has been heard of yet")


def to_view(notification: RowMapping) -> NotificationView:
    """The public form of a notification."""
    return NotificationView(
        id=notification["id"],
        user_id=notification["user_id"],
        title=notification["title"],
        body=notification["body"],
        level=notification["level"],
        is_read=notification["is_read"],
        data=notification["data"],
        created_at=to_rfc3339(notification["created_at"]),
    )
