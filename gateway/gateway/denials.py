"""Denied access is told to audit: beside the request, which neither waits for it nor fails with it."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

from gateway.endpoint import Endpoint
from gateway.errors import SessionEnded
from gateway.limits import RateLimit
from gateway.request import Request
from shared.chassis.context import Context
from shared.chassis.rpc.aio import AsyncRpc
from shared.contracts.errors import ServiceError, TooManyRequests
from shared.utils.ids import new_id
from shared.utils.logger import get_logger
from shared.utils.time import get_utc_now, to_rfc3339

log = get_logger(__name__)

CAPACITY = 1000
"""Records that wait while audit is away; then the oldest goes."""
_CALL_SECONDS = 2.0
_RETRY_SECONDS = 0.5
_FLUSH_SECONDS = 1.0
_REPORT_SECONDS = 10.0
# Not there, or (501) an older one that cannot record yet. Whatever else audit answers, it answers again.
_AWAY = frozenset({501, 503})


class Denials:
    """Kept in memory and delivered one after the other; the record's id makes a repetition harmless."""

    def __init__(self, rpc: AsyncRpc, per_minute: int) -> None:
        self._rpc = rpc
        self._limit = RateLimit(per_minute)
        self._queue: asyncio.Queue[tuple[Context, dict[str, Any]]] = asyncio.Queue(CAPACITY)
        self._task: asyncio.Task[None] | None = None
        self._left_out = 0
        self._reported = -_REPORT_SECONDS

    def note(self, error: ServiceError, endpoint: Endpoint, request: Request) -> None:
        """Keeps a refusal of rights for audit; other errors are none of its business."""
        if error.status != 403 and not isinstance(error, SessionEnded):
            return
        try:
            self._limit.take(request.user_id or request.client)
        except TooManyRequests:
            self._leave_out()
            return
        if self._queue.full():
            self._queue.get_nowait()
            self._queue.task_done()
            self._leave_out()
        self._queue.put_nowait((request.context(), _record(error, endpoint, request)))

    def start(self) -> None:
        """Begins to deliver."""
        self._task = asyncio.create_task(self._run(), name="denials")

    async def close(self) -> None:
        """Delivers what waits, for a second at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_SECONDS):
                await self._queue.join()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._queue.qsize() or self._left_out:
            log.warning("denials not recorded", count=self._queue.qsize() + self._left_out)

    async def _run(self) -> None:
        while True:
            context, record = await self._queue.get()
            try:
                await self._deliver(context, record)
            except asyncio.CancelledError:
                self._left_out += 1
                raise
            except Exception:
                log.exception("denial not recorded", record=record)
            finally:
                self._queue.task_done()

    async def _deliver(self, context: Context, record: dict[str, Any]) -> None:
        while True:
            try:
                await self._rpc.call("audit", "record", record, ctx=context, timeout=_CALL_SECONDS)
            except ServiceError as error:
                if error.status not in _AWAY:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    def _leave_out(self) -> None:
        self._left_out += 1
        if (now := time.monotonic()) - self._reported >= _REPORT_SECONDS:
            log.warning("denials not recorded", count=self._left_out)
            self._left_out, self._reported = 0, now


def _record(error: ServiceError, endpoint: Endpoint, request: Request) -> dict[str, Any]:
    return {
        "record_id": new_id(),
        "action": "ACCESS_DENIED",
        "description": error.title,
        "result": "denied",
        "subject_type": "route",
        "subject_id": f"{endpoint.method} {endpoint.path}",
        "occurred_at": to_rfc3339(get_utc_now()),
        "metadata": {"status": error.status, "code": error.code, "path": request.path},
    }
