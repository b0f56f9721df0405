"""Staff change a user: his markup, his staff flag, whether he is active. Whoever changes rights ends the sessions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update

from shared.chassis import outbox
from shared.chassis.database import Database
from shared.contracts.errors import ValidationFailed
from shared.contracts.money import percent_text
from shared.contracts.users.errors import UserNotFound
from users import events, rules
from users.commands.sessions import end_sessions
from users.models import sessions, users


def set_user_markup(db: Database, *, user_id: str, percentage: Decimal | None, now: datetime) -> Any:
    """The user's row afterwards. Raises UserNotFound, ValidationFailed."""
    problem = rules.markup_problem(percentage) if percentage is not None else None
    if problem is not None:
        raise ValidationFailed.of("markup_percentage", "out_of_range", problem)
    return _change(db, user_id, {"markup_percentage": percentage}, None, now)


def set_staff(db: Database, *, user_id: str, is_staff: bool, now: datetime) -> Any:
    """The user's row afterwards; all his sessions end, since their tokens carry the old rights. Raises UserNotFound."""
    return _change(db, user_id, {"is_staff": is_staff}, "staff_changed", now)


def set_active(db: Database, *, user_id: str, is_active: bool, now: datetime) -> Any:
    """The user's row afterwards; one who is deactivated loses all sessions. Raises UserNotFound."""
    return _change(db, user_id, {"is_active": is_active}, "deactivated", now)


def _change(db: Database, user_id: str, wanted: dict[str, Any], ends: str | None, now: datetime) -> Any:
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
        if ends is not None:
            end_sessions(tx, sessions.c.user_id == user_id, ends, now)
        return changed


def _plain(value: Any) -> Any:
    return percent_text(value) if isinstance(value, Decimal) else value
