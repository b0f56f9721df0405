"""A user is deactivated, or let in again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.chassis.database import Database
from users.commands.change_user import change_user


def set_active(db: Database, *, user_id: str, is_active: bool, now: datetime) -> Any:
    """The user's row afterwards; a change ends all his sessions. Raises UserNotFound."""
    return change_user(db, user_id=user_id, wanted={"is_active": is_active}, now=now, ends_sessions="deactivated")
