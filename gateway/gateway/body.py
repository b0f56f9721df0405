"""Reading a body: bounded in size and time, strict JSON, an object."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gateway.errors import PayloadTooLarge, RequestTimeout, UnsupportedMediaType
from shared.chassis import wire
from shared.contracts.errors import MalformedRequest

# A body that is too large is read to its end up to here, so that the client gets to see the answer.
_DRAINED = 1024 * 1024

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class ClientLeft(Exception):
    """The connection was closed before the request was complete: nobody waits for an answer."""


async def read_object(
    receive: Receive, headers: dict[bytes, bytes], *, limit: int, seconds: float, may_be_empty: bool
) -> dict[str, Any]:
    """The request's JSON object; an empty body counts as {} where the route allows it, whatever its Content-Type.

    Raises PayloadTooLarge, RequestTimeout, UnsupportedMediaType, MalformedRequest, ClientLeft.
    """
    raw = await _read(receive, limit, seconds)
    if not raw and may_be_empty:
        return {}
    _check_type(headers.get(b"content-type", b""))
    try:
        value = wire.loads(raw)
    except wire.WireError as error:
        raise MalformedRequest(f"the body is not strict JSON: {error}") from None
    if not isinstance(value, dict):
        raise MalformedRequest("the body must be a JSON object")
    return value


async def _read(receive: Receive, limit: int, seconds: float) -> bytes:
    parts, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientLeft
                part = message.get("body", b"")
                size += len(part)
                if size <= limit:
                    parts.append(part)
                elif size > _DRAINED:
                    raise PayloadTooLarge(f"at most {limit} bytes", extra={"close": True})
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise RequestTimeout(extra={"close": True}) from None
    if size > limit:
        raise PayloadTooLarge(f"at most {limit} bytes")
    return b"".join(parts)


def _check_type(content_type: bytes) -> None:
    kind, _, parameters = content_type.decode("latin-1").lower().partition(";")
    charset = parameters.strip().removeprefix("charset=").strip('"')
    if kind.strip() != "application/json" or charset not in ("", "utf-8"):
        raise UnsupportedMediaType
