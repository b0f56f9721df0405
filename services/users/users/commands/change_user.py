"""What the commands that staff change a user with share: the row, the event, and the end of his sessions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update

from shared.chassis import outbox
from shared.chassis.database import Database
from shared.contracts.money import percent_text
from shared.contracts.users.errors import UserNotFound
from users import events
from users.commands.sessions import end_sessions
from users.models import sessions, users


def change_user(
    db: Database, *, user_id: str, wanted: dict[str, Any], now: datetime, ends_sessions: str | None = None
) -> Any:
    """The user's row afterwards; nothing is written or told when it is so already. Raises UserNotFound.

    `ends_sessions` is the reason with which all his sessions end: whoever changes rights ends the tokens that carry
    the old ones.
    """
    with db.transaction() as tx:
        user = tx.execute(select(users).where(users.c.id == user_id).with_for_update()).one_or_none()
        if user is None:
            raise UserNotFound()
        new = {name: value for name, value in wanted.items() if getattr(user, name) != value}
        if not new:
            return user
        changed = tx.execute(
            update(users)
            .where(users.c.id == user_id)
            .values(**new, version=users.c.version + 1, updated_at=now)
            .returning(users)
        ).one()
        before = {name: _plain(getattr(user, name)) for name in new}
        after = {name: _plain(value) for name, value in new.items()}
        outbox.add(
            tx,
            events.user_updated(changed, before, after),
            subject=user_id,
            subject_version=changed.version,
            personal=events.personal(changed),
        )
        if ends_sessions is not None:
            end_sessions(tx, sessions.c.user_id == user_id, ends_sessions, now)
        return changed


def _plain(value: Any) -> Any:
    return percent_text(value) if isinstance(value, Decimal) else value
