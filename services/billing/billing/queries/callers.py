"""Whose rows a caller may see."""

from __future__ import annotations

from shared.chassis.context import Context
from shared.contracts.errors import Forbidden


def whose(caller: Context, user_id: str | None) -> str | None:
    """The user whose rows the caller may list, None for everybody's. Raises Unauthorized, Forbidden."""
    own = caller.require_user()
    if caller.is_staff:
        return user_id
    if user_id not in (None, own):
        raise Forbidden()
    return own
