"""Registering, and tokens."""

from __future__ import annotations

from typing import TypedDict

from gateway.answer import Answer, json_answer
from gateway.endpoint import Call, Endpoint
from gateway.headers import replayed
from shared.contracts import schema
from shared.contracts.users import rpc as users


class Nothing(TypedDict):
    """An empty object."""


async def register(call: Call) -> Answer:
    """Anybody may register."""
    found = await call.ask("users", "register", schema.dump(call.body))
    return json_answer(found["user"], 201, *replayed(found))


async def log_in(call: Call) -> Answer:
    """A pair of tokens for a name (or address) and a password."""
    return await call.pass_on("users", "log_in", schema.dump(call.body))


async def refresh(call: Call) -> Answer:
    """A new pair for a refresh token, once."""
    return await call.pass_on("users", "refresh", schema.dump(call.body))


async def verify(call: Call) -> Answer:
    """Whether a token is good."""
    return await call.pass_on("users", "verify_token", schema.dump(call.body))


async def log_out(call: Call) -> Answer:
    """Ends the session of a refresh token."""
    return await call.pass_on("users", "log_out", schema.dump(call.body))


def _open(path: str, handler: object, body: type, summary: str, answer: object, status: int = 200) -> Endpoint:
    return Endpoint(
        method="POST",
        path=f"/api/v1/auth/{path}",
        handler=handler,  # type: ignore[arg-type]  # one of the handlers above
        summary=summary,
        tag="auth",
        who="anyone",
        body=body,
        key="accepted",
        status=status,
        headers=("Idempotent-Replayed",) if status == 201 else (),
        answer=answer,
        seconds="auth",
    )


ENDPOINTS = [
    _open("register", register, users.RegisterRequest, "Register", users.UserView, 201),
    _open("token", log_in, users.LogInRequest, "Log in", users.TokensView),
    _open("token/refresh", refresh, users.RefreshRequest, "Exchange a refresh token", users.TokensView),
    _open("token/verify", verify, users.VerifyTokenRequest, "Check a token", Nothing),
    _open("logout", log_out, users.RefreshRequest, "End a session", Nothing),
]
