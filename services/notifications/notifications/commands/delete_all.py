"""Somebody wants everything gone."""

from __future__ import annotations

from datetime import datetime

from notifications.models import states
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.notifications.rpc import CountAnswer


def delete_all(db: Database, caller: Context, *, now: datetime) -> CountAnswer:
    """All of the caller's own, `MANY` a commit; those to all of staff stay. Raises Unauthorized."""
    user_id, count = caller.require_user(), 0
    while True:
        with db.transaction() as tx:
            states.lock(tx, [user_id])
            done = states.delete_many(tx, user_id, now=now)
        count += done
        if done < states.MANY:
            return CountAnswer(count=count)
