"""Refusals that users owns."""

from __future__ import annotations

from shared.contracts.errors import ServiceError


class InvalidCredentials(ServiceError):
    """Unknown user, wrong password, inactive or frozen user: they look the same from outside."""

    status, code, title = 401, "invalid_credentials", "Username or password is wrong"


class InvalidToken(ServiceError):
    """The token is malformed, expired, revoked or was used before."""

    status, code, title = 401, "invalid_token", "Token is not valid"


class LoginLocked(ServiceError):
    """Too many failures; `extra["retry_after"]` says for how many seconds."""

    status, code, title = 429, "login_locked", "Too many failed attempts"


class UserNotFound(ServiceError):
    """There is no such user."""

    status, code, title = 404, "user_not_found", "No such user"
