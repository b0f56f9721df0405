"""A member of staff is made, from the command line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.chassis.database import Database
from shared.utils.ids import new_id
from users import rules
from users.commands.make_user import check_fields, make_user
from users.passwords import hash_password


def create_staff(db: Database, *, username: str, email: str, password: str, now: datetime) -> Any:
    """The user's row. Raises ValidationFailed."""
    email, password = rules.normal_email(email), rules.normal_password(password)
    check_fields(username, email, password)
    password_hash = hash_password(password)
    with db.transaction() as tx:
        return make_user(
            tx, user_id=new_id(), username=username, email=email, password_hash=password_hash, is_staff=True, now=now
        )
