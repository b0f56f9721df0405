"""Somebody wants a notification gone."""

from __future__ import annotations

from datetime import datetime

from notifications import queries
from notifications.models import states
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.notifications.errors import NotificationNotFound


def delete(db: Database, caller: Context, *, notification_id: str, now: datetime) -> None:
    """Empties it; the fact stays told. One to all of staff goes for all. Raises NotificationNotFound, Unauthorized."""
    recipients = queries.recipients_of(caller)
    with db.transaction() as tx:
        states.lock(tx, recipients)
        if not states.delete(tx, recipients, notification_id, now=now):
            raise NotificationNotFound()
