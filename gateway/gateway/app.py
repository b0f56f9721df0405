"""The ASGI application: finds the route, checks everything that can be checked here, and renders what comes back."""

from __future__ import annotations

import re
import time
from collections.abc import MutableMapping
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

from gateway.answer import Send
from gateway.auth import Authenticator, Identity
from gateway.body import ClientLeft, Receive, read_object
from gateway.documents import Documents
from gateway.endpoint import Call, Endpoint, check_ids
from gateway.errors import MethodNotAllowed, RouteNotFound, problem
from gateway.lifespan import Lifespan
from gateway.limits import RateLimit
from gateway.query import read_query
from gateway.revocations import Revocations
from gateway.routes import ENDPOINTS
from gateway.settings import Settings, load
from shared.chassis.context import Context
from shared.chassis.rpc.aio import AsyncRpc
from shared.contracts import schema
from shared.contracts.errors import Forbidden, InternalError, ServiceError
from shared.utils.ids import new_id
from shared.utils.logger import get_logger

log = get_logger("gateway.access")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
_LOCALHOST = r"https?://(localhost|127\.0\.0\.1)(:\d+)?"
Scope = MutableMapping[str, Any]


class Gateway:
    """Raw ASGI; one object serves all requests of a worker."""

    def __init__(self, settings: Settings, rpc: AsyncRpc) -> None:
        self._settings, self._rpc = settings, rpc
        self._revocations = Revocations(rpc)
        self._auth = Authenticator(settings.public_keys, self._revocations)
        self._anonymous = RateLimit(settings.anonymous_per_minute)
        self._users = RateLimit(settings.user_per_minute)
        self._fixed = {(e.method, e.path): e for e in ENDPOINTS if not e.parameters}
        self._patterns = [e for e in ENDPOINTS if e.parameters]
        self._seconds = {"rpc": settings.rpc_seconds, "open": settings.open_seconds, "auth": settings.auth_seconds}
        self._documents = Documents(ENDPOINTS)
        self._lifespan = Lifespan(rpc, self._revocations)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        headers = dict(scope["headers"])
        request_id = _request_id(headers.get(b"x-request-id"))
        path = scope["path"].rstrip("/") or "/"
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        route, user_id = path, None
        try:
            answer = self._documents.find(method, path)
            if answer is None:
                endpoint, values = self._find(method, path)
                route = endpoint.path
                call = await self._check(endpoint, values, scope, receive, headers, request_id)
                user_id = call.context.user_id
                answer = await endpoint.handler(call)
        except ClientLeft:
            return
        except ServiceError as error:
            answer = problem(error, request_id)
        except Exception:
            get_logger(__name__).exception("request failed", route=route, request_id=request_id)
            answer = problem(InternalError(), request_id)
        await answer.send(send, request_id, with_body=scope["method"] != "HEAD")
        log.info(
            "request",
            method=scope["method"],
            route=route if answer.status != 404 else "-",
            status=answer.status,
            ms=round((time.perf_counter() - begun) * 1000, 1),
            request_id=request_id,
            user_id=user_id,
        )

    def _find(self, method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
        endpoint = self._fixed.get((method, path))
        if endpoint is not None:
            return endpoint, {}
        allowed = {known for known, fixed in self._fixed if fixed == path}
        for candidate in self._patterns:
            if not (match := candidate.pattern.fullmatch(path)):
                continue
            if candidate.method == method:
                values = match.groupdict()
                check_ids(values)
                return candidate, values
            allowed.add(candidate.method)
        if not allowed:
            raise RouteNotFound
        raise MethodNotAllowed(extra={"allow": sorted(allowed | ({"HEAD"} if "GET" in allowed else set()))})

    async def _check(
        self,
        endpoint: Endpoint,
        values: dict[str, str],
        scope: Scope,
        receive: Receive,
        headers: dict[bytes, bytes],
        request_id: str,
    ) -> Call:
        client = scope["client"][0] if scope.get("client") else ""
        identity = self._identify(endpoint, headers, client)
        query = read_query(endpoint.query, scope["query_string"])
        body: Any = None
        raw: dict[str, Any] = {}
        if endpoint.has_body:
            raw = await read_object(
                receive,
                headers,
                limit=self._settings.body_bytes,
                seconds=self._settings.body_seconds,
                may_be_empty=endpoint.body_may_be_empty,
            )
        key = headers.get(b"idempotency-key")
        idempotency = endpoint.idempotency(key.decode("latin-1") if key is not None else None, values, raw)
        if endpoint.body is not None:
            body = schema.load_closed(endpoint.body, raw)
        agent = headers.get(b"user-agent", b"").decode("latin-1")[:256]
        context = Context(
            user_id=identity.user_id if identity else None,
            roles=identity.roles if identity else (),
            kind="anonymous" if identity is None else "staff" if identity.is_staff else "user",
            session_id=identity.session_id if identity else None,
            correlation_id=new_id(),
            ip=client,
            user_agent=agent or None,
            request_id=request_id,
            idempotency=idempotency,
        )
        return Call(self._rpc, context, values, body, query, self._seconds[endpoint.seconds])

    def _identify(self, endpoint: Endpoint, headers: dict[bytes, bytes], client: str) -> Identity | None:
        if endpoint.who == "anyone":
            if endpoint.tag != "health":
                self._anonymous.take(client)
            return None
        identity = self._auth.identify(headers.get(b"authorization"))
        self._users.take(identity.user_id)
        if endpoint.who == "staff" and not identity.is_staff:
            raise Forbidden
        return identity


def _request_id(given: bytes | None) -> str:
    text = given.decode("latin-1") if given is not None else ""
    return text if _REQUEST_ID.fullmatch(text) else new_id()


def build(settings: Settings) -> ASGIApp:
    """The application with its middleware."""
    app: Any = Gateway(settings, AsyncRpc(settings.amqp_url))
    if settings.allowed_hosts and "*" not in settings.allowed_hosts:
        app = TrustedHostMiddleware(app, allowed_hosts=settings.allowed_hosts)
    return CORSMiddleware(
        app,
        allow_origins=settings.cors_origins,
        allow_origin_regex=_LOCALHOST if settings.cors_localhost else None,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "X-Request-ID"],
        expose_headers=["X-Request-ID", "Idempotent-Replayed", "Location", "Retry-After"],
        max_age=600,
    )


def __getattr__(name: str) -> Any:
    # Made when a server asks for it, so that importing this module needs no settings.
    if name == "application":
        return build(load())
    raise AttributeError(name)
