"""A request as it came in, and what has been found out about who sends it."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from gateway.auth import Identity
from gateway.body import Receive
from shared.chassis.context import Context, Idempotency
from shared.utils.ids import new_id

Scope = MutableMapping[str, Any]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)


@dataclass(slots=True)
class Request:
    """`method` is GET for HEAD too, `path` has no trailing slash; `identity` comes with the token's verification."""

    method: str
    path: str
    query_string: bytes
    headers: dict[bytes, bytes]
    client: str
    receive: Receive
    id: str
    correlation_id: str
    identity: Identity | None = None

    @classmethod
    def of(cls, scope: Scope, receive: Receive) -> Request:
        """From what the server hands over."""
        headers = dict(scope["headers"])
        return cls(
            method="GET" if scope["method"] == "HEAD" else scope["method"],
            path=scope["path"].rstrip("/") or "/",
            query_string=scope["query_string"],
            headers=headers,
            client=scope["client"][0] if scope.get("client") else "",
            receive=receive,
            id=_request_id(headers.get(b"x-request-id")),
            correlation_id=new_id(),
        )

    @property
    def user_id(self) -> str | None:
        """Whoever the token names; also when he is refused."""
        return self.identity.user_id if self.identity else None

    def header(self, name: bytes) -> str | None:
        """A header's text."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def context(self, *, deadline: float | None = None, idempotency: Idempotency | None = None) -> Context:
        """Who asks, from where and until when, for the services."""
        identity = self.identity
        return Context(
            user_id=identity.user_id if identity else None,
            roles=identity.roles if identity else (),
            kind="anonymous" if identity is None else "staff" if identity.is_staff else "user",
            session_id=identity.session_id if identity else None,
            correlation_id=self.correlation_id,
            deadline=deadline,
            ip=self.client,
            user_agent=(self.header(b"user-agent") or "")[:256] or None,
            request_id=self.id,
            idempotency=idempotency,
        )


def _request_id(given: bytes | None) -> str:
    text = given.decode("latin-1") if given is not None else ""
    return text if _REQUEST_ID.fullmatch(text) else new_id()
