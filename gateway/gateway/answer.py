"""An answer, ready to be sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import orjson

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

_ALWAYS: list[Header] = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
]


@dataclass(slots=True)
class Answer:
    """Status, body and headers. Without a content type there is no content either."""

    status: int
    body: bytes
    content_type: bytes | None = b"application/json"
    headers: list[Header] = field(default_factory=list)

    async def send(self, send: Send, request_id: str, *, with_body: bool = True) -> None:
        """Writes it; a HEAD request gets everything but the body."""
        headers = [(b"x-request-id", request_id.encode()), *_ALWAYS, *self.headers]
        if self.content_type is not None:
            length = str(len(self.body)).encode()
            headers += [(b"content-type", self.content_type), (b"content-length", length)]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body if with_body else b""})


def json_answer(value: Any, status: int = 200, *headers: Header) -> Answer:
    """A JSON answer."""
    return Answer(status, orjson.dumps(value), headers=list(headers))


def text_answer(json: bytes) -> Answer:
    """An answer of JSON that is written already."""
    return Answer(200, json)


def no_content() -> Answer:
    """Done, and nothing to say."""
    return Answer(204, b"", content_type=None)
