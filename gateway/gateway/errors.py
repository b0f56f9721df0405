"""Errors as problem+json (RFC 9457): the one place where a refusal becomes an HTTP answer."""

from __future__ import annotations

from http import HTTPStatus
from importlib import import_module

import orjson

from gateway.answer import Answer
from shared.contracts.errors import ServiceError
from shared.contracts.users.errors import InvalidToken

# An owner's refusal is rendered with its own title once its class is known here.
for _owner in ("audit", "billing", "commission", "notifications", "referrals", "trades", "users"):
    import_module(f"shared.contracts.{_owner}.errors")


class PayloadTooLarge(ServiceError):
    """The body has more bytes than any request of ours needs."""

    status, code, title = 413, "payload_too_large", "Body too large"


class UnsupportedMediaType(ServiceError):
    """The body is not declared as JSON."""

    status, code, title = 415, "unsupported_media_type", "Content-Type must be application/json"


class RequestTimeout(ServiceError):
    """The body did not arrive in time."""

    status, code, title = 408, "request_timeout", "Body did not arrive in time"


class RouteNotFound(ServiceError):
    """There is no such path."""

    status, code, title = 404, "route_not_found", "No such path"


class MethodNotAllowed(ServiceError):
    """The path exists, the method does not; `extra["allow"]` lists those that do."""

    status, code, title = 405, "method_not_allowed", "Method not allowed"


class SessionEnded(InvalidToken):
    """A good token whose session has ended since, or whose user is frozen; the client is told what any bad token is."""


class MissingIdempotencyKey(ServiceError):
    """The route needs an Idempotency-Key."""

    status, code, title = 400, "idempotency_key_required", "Idempotency-Key header is required"


class InvalidIdempotencyKey(ServiceError):
    """The key is not 16 to 64 of A-Z a-z 0-9 _ -."""

    status, code, title = 400, "idempotency_key_invalid", "Idempotency-Key must be 16 to 64 of A-Z a-z 0-9 _ -"


def problem(error: ServiceError, request_id: str) -> Answer:
    """The answer for an error."""
    extra = dict(error.extra)
    headers: list[tuple[bytes, bytes]] = []
    if error.status in (429, 503):
        after = extra.pop("retry_after", 1)
        headers.append((b"retry-after", str(after).encode()))
    if error.status == 401:
        hint = b"" if error.code == "unauthorized" else b', error="invalid_token"'
        headers.append((b"www-authenticate", b'Bearer realm="nexus"' + hint))
    if error.status == 405:
        headers.append((b"allow", ", ".join(extra.pop("allow", [])).encode()))
    if extra.pop("close", False):
        headers.append((b"connection", b"close"))
    body = {
        **extra,
        "type": f"urn:nexus:error:{error.code}",
        "title": error.title or HTTPStatus(error.status).phrase,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "errors": error.errors,
        "request_id": request_id,
    }
    return Answer(error.status, orjson.dumps(body), b"application/problem+json", headers)
