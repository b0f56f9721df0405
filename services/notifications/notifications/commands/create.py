"""Staff, or the system, tell somebody something."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from notifications import queries
from notifications.models import states
from notifications.rules import Notice
from shared.chassis import idempotency
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.notifications.rpc import NotificationView
from shared.utils.ids import new_id


def create(
    db: Database,
    caller: Context,
    *,
    user_id: str | None,
    title: str,
    body: str,
    level: str,
    data: Mapping[str, Any] | None,
    now: datetime,
) -> NotificationView:
    """To a user, or with `user_id` null to all of staff. With a key that was used before: that one as it is now.

    Raises Unauthorized, Forbidden, IdempotencyMismatch, NotReady for a user that has not been heard of.
    """
    if caller.kind != "system":
        caller.require_staff()
    asked, notification_id = caller.idempotency, new_id()
    with db.transaction() as tx:
        if asked is None or idempotency.remember(tx, caller.user_id, asked, notification_id):
            if user_id is not None:
                queries.require_known(tx, user_id)
            notice = Notice(
                user_id=user_id,
                kind="created",
                fact=notification_id,
                title=title,
                body=body,
                level=level,
                data=data or {},
            )
            states.deliver(tx, [states.New(notification_id, notice)], now=now)
        else:
            notification_id = cast("str", idempotency.find(tx, caller.user_id, asked))
        return queries.to_view(queries.find(tx, notification_id))
