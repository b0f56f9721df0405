"""What staff do to a user whom a service has not heard of: is there no such user, or has the news not arrived?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.endpoint import Call
from shared.contracts.errors import NotReady, ServiceError
from shared.contracts.users.errors import UserNotFound


async def ask_for_user(
    call: Call, service: str, method: str, arguments: Mapping[str, Any], *, user_id: str | None
) -> Any:
    """`call.ask`, where NotReady may be about `user_id`: users is asked whether there is such a user.

    Raises UserNotFound when there is none; NotReady stays when there is one, or when users cannot tell.
    """
    try:
        return await call.ask(service, method, arguments)
    except NotReady:
        if user_id is not None:
            try:
                await call.ask("users", "get_user", {"user_id": user_id})
            except UserNotFound as absent:
                raise absent from None
            except ServiceError:
                pass
        raise
