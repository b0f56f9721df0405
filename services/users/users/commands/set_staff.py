"""A user becomes staff, or is it no more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.chassis.database import Database
from users.commands.change_user import change_user


def set_staff(db: Database, *, user_id: str, is_staff: bool, now: datetime) -> Any:
    """The user's row afterwards; a change ends all his sessions. Raises UserNotFound."""
    return change_user(db, user_id=user_id, wanted={"is_staff": is_staff}, now=now, ends_sessions="staff_changed")
