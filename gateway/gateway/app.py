"""The ASGI application: finds the route, has the request checked, calls the handler, and renders what comes back."""

from __future__ import annotations

import time
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

from gateway.admission import Admission
from gateway.answer import Send
from gateway.body import ClientLeft, Receive
from gateway.denials import Denials
from gateway.documents import Documents
from gateway.endpoint import Endpoint
from gateway.errors import problem
from gateway.lifespan import Lifespan
from gateway.request import Request, Scope
from gateway.revocations import Revocations
from gateway.router import Router
from gateway.routes import ENDPOINTS
from gateway.settings import Settings, load
from shared.chassis.rpc.aio import AsyncRpc
from shared.contracts.errors import InternalError, ServiceError
from shared.utils.logger import get_logger

log = get_logger("gateway.access")

_LOCALHOST = r"https?://(localhost|127\.0\.0\.1)(:\d+)?"


class Gateway:
    """Raw ASGI; one object serves all requests of a worker."""

    def __init__(self, settings: Settings, rpc: AsyncRpc) -> None:
        revocations = Revocations(rpc)
        self._documents = Documents(ENDPOINTS)
        self._router = Router(ENDPOINTS)
        self._admission = Admission(settings, rpc, revocations)
        self._denials = Denials(rpc, settings.denials_per_minute)
        self._lifespan = Lifespan(rpc, revocations, self._denials)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        request = Request.of(scope, receive)
        endpoint: Endpoint | None = None
        try:
            document = self._documents.find(request.method, request.path)
            if document is None:
                endpoint, values = self._router.find(request.method, request.path)
                answer = await endpoint.handler(await self._admission.admit(request, endpoint, values))
            else:
                answer = document
        except ClientLeft:
            return
        except ServiceError as error:
            answer = problem(error, request.id)
            if endpoint is not None:
                self._denials.note(error, endpoint, request)
        except Exception:
            get_logger(__name__).exception("request failed", path=request.path, request_id=request.id)
            answer = problem(InternalError(), request.id)
        await answer.send(send, request.id, with_body=scope["method"] != "HEAD")
        log.info(
            "request",
            method=scope["method"],
            route=endpoint.path if endpoint is not None else "-",
            status=answer.status,
            ms=round((time.perf_counter() - begun) * 1000, 1),
            request_id=request.id,
            user_id=request.user_id,
        )


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
