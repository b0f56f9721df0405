"""Whether the worker lives, and whether everything behind it does."""

from __future__ import annotations

import asyncio
from typing import Any, TypedDict

from gateway.answer import Answer, json_answer
from gateway.endpoint import Call, Endpoint
from gateway.settings import SERVICES
from shared.contracts.errors import ServiceError

_CHECKS = ("database", "broker", "consumers", "relay")


class Live(TypedDict):
    """The worker answers."""

    status: str


class Ready(TypedDict):
    """Each service by its checks; `status` is "ready" or "unavailable"."""

    status: str
    services: dict[str, Any]


async def live(call: Call) -> Answer:
    """Asks nobody."""
    return json_answer({"status": "live"})


async def ready(call: Call) -> Answer:
    """Asks every service; 503 when one is missing or says that something of its own is."""
    found = dict(zip(SERVICES, await asyncio.gather(*(_ask(call, name) for name in SERVICES)), strict=True))
    whole = all(service["healthy"] for service in found.values())
    body = {"status": "ready" if whole else "unavailable", "services": found}
    return json_answer(body) if whole else json_answer(body, 503, (b"retry-after", b"1"))


async def _ask(call: Call, service: str) -> dict[str, Any]:
    try:
        report = await call.ask(service, "health")
    except ServiceError as error:
        return {"healthy": False, "problem": error.code, **dict.fromkeys(_CHECKS, False)}
    return {"healthy": report["healthy"], **{check: report["checks"].get(check, False) for check in _CHECKS}}


def _endpoint(path: str, handler: Any, summary: str, answer: Any) -> Endpoint:
    return Endpoint(
        method="GET",
        path=path,
        handler=handler,
        summary=summary,
        tag="health",
        who="anyone",
        answer=answer,
        seconds="health",
    )


ENDPOINTS = [
    endpoint
    for prefix in ("/api/v1/health", "/health")
    for endpoint in (
        _endpoint(f"{prefix}/live", live, "Does this worker answer", Live),
        _endpoint(f"{prefix}/ready", ready, "Is everything behind it well", Ready),
    )
]
