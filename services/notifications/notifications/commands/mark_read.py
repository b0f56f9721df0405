"""Somebody has read a notification."""

from __future__ import annotations

from datetime import datetime

from notifications import queries
from notifications.models import states
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.notifications.rpc import NotificationView


def mark_read(db: Database, caller: Context, *, notification_id: str, now: datetime) -> NotificationView:
    """Again: the same. One to all of staff is read for all. Raises NotificationNotFound, Unauthorized."""
    recipients = queries.recipients_of(caller)
    with db.transaction() as tx:
        states.lock(tx, recipients)
        states.mark_read(tx, recipients, notification_id, now=now)
        return queries.to_view(queries.find_shown(tx, recipients, notification_id))
