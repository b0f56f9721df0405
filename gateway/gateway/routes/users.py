"""Users: oneself, and for staff anybody."""

from __future__ import annotations

from gateway.answer import Answer
from gateway.endpoint import Call, Endpoint
from gateway.schemas.bodies import MarkupBody
from shared.contracts.users.rpc import UserView


async def get_me(call: Call) -> Answer:
    """Whoever calls."""
    return await call.pass_on("users", "get_user", {"user_id": call.user_id})


async def get_user(call: Call) -> Answer:
    """Oneself, or anybody for staff."""
    return await call.pass_on("users", "get_user", {"user_id": call.path["user_id"]})


async def set_user_markup(call: Call) -> Answer:
    """Staff set a user's percentage."""
    arguments = {"user_id": call.path["user_id"], "markup_percentage": call.body.markup_percentage}
    return await call.pass_on("users", "set_user_markup", arguments)


ENDPOINTS = [
    Endpoint(method="GET", path="/api/v1/users/me", handler=get_me, summary="Who am I", tag="users", answer=UserView),
    Endpoint(
        method="GET",
        path="/api/v1/users/{user_id}",
        handler=get_user,
        summary="One user",
        tag="users",
        answer=UserView,
    ),
    Endpoint(
        method="PATCH",
        path="/api/v1/users/{user_id}",
        handler=set_user_markup,
        summary="Set a user's markup",
        tag="users",
        who="staff",
        body=MarkupBody,
        answer=UserView,
    ),
]
