"""Staff set the percentage that a user's bots charge."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.chassis.database import Database
from shared.contracts.errors import ValidationFailed
from users import rules
from users.commands.change_user import change_user


def set_user_markup(db: Database, *, user_id: str, percentage: Decimal | None, now: datetime) -> Any:
    """The user's row afterwards; None takes the percentage away. Raises UserNotFound, ValidationFailed."""
    problem = rules.markup_problem(percentage) if percentage is not None else None
    if problem is not None:
        raise ValidationFailed.of("markup_percentage", "out_of_range", problem)
    return change_user(db, user_id=user_id, wanted={"markup_percentage": percentage}, now=now)
