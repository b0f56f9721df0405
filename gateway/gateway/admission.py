"""Everything that is asked of a request before its handler runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from gateway.auth import Authenticator
from gateway.body import read_object
from gateway.endpoint import Call, Endpoint
from gateway.limits import RateLimit
from gateway.query import read_query
from gateway.request import Request
from gateway.revocations import Revocations
from gateway.settings import Settings
from shared.chassis.rpc.aio import AsyncRpc
from shared.contracts import schema
from shared.contracts.errors import Forbidden


class Admission:
    """Token, rate, rights, query, body and key: in this order, so that nobody's body is read for nothing."""

    def __init__(self, settings: Settings, rpc: AsyncRpc, revocations: Revocations) -> None:
        self._settings, self._rpc = settings, rpc
        self._auth = Authenticator(settings.public_keys, revocations)
        self._anonymous = RateLimit(settings.anonymous_per_minute)
        self._users = RateLimit(settings.user_per_minute)
        self._seconds = {
            "rpc": settings.rpc_seconds,
            "open": settings.open_seconds,
            "auth": settings.auth_seconds,
            "part": settings.part_seconds,
            "health": settings.health_seconds,
        }

    async def admit(self, request: Request, endpoint: Endpoint, values: Mapping[str, str]) -> Call:
        """What the handler works with. Its time begins when the body is there. Raises ServiceError, ClientLeft."""
        self._identify(request, endpoint)
        query = read_query(endpoint.query, request.query_string)
        raw: dict[str, Any] = {}
        if endpoint.has_body:
            raw = await read_object(
                request.receive,
                request.headers,
                limit=self._settings.body_bytes,
                seconds=self._settings.body_seconds,
                may_be_empty=endpoint.body_may_be_empty,
            )
        idempotency = endpoint.idempotency(request.header(b"idempotency-key"), values, raw)
        body = schema.load_closed(endpoint.body, raw) if endpoint.body is not None else None
        seconds = self._seconds[endpoint.seconds]
        context = request.context(deadline=time.time() + seconds, idempotency=idempotency)
        return Call(self._rpc, context, values, body, query, seconds)

    def _identify(self, request: Request, endpoint: Endpoint) -> None:
        if endpoint.who == "anyone":
            if endpoint.tag != "health":
                self._anonymous.take(request.client)
            return
        request.identity = identity = self._auth.identify(request.header(b"authorization"))
        self._auth.refuse_ended(identity)
        self._users.take(identity.user_id)
        if endpoint.who == "staff" and not identity.is_staff:
            raise Forbidden
