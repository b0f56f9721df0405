"""The worker's life: connect to the broker, listen, say how it is, close."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from gateway.answer import Send
from gateway.body import Receive
from gateway.denials import Denials
from gateway.revocations import Revocations
from shared.chassis.health_file import Report, write
from shared.chassis.rpc.aio import AsyncRpc
from shared.utils.logger import flush_logs


class Lifespan:
    """ASGI's lifespan protocol. The worker serves at once, connected or not: what needs a service answers 503."""

    def __init__(self, rpc: AsyncRpc, revocations: Revocations, denials: Denials) -> None:
        self._rpc, self._revocations, self._denials = rpc, revocations, denials

    async def __call__(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._revocations.start()
        await self._rpc.start()
        self._denials.start()
        health = asyncio.create_task(self._report())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        health.cancel()
        with suppress(asyncio.CancelledError):
            await health
        self._revocations.stop()
        await self._denials.close()
        await self._rpc.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _report(self) -> None:
        while True:
            problem = None if self._rpc.connected else "not connected"
            write(Report.of("gateway", {"broker": problem}))
            flush_logs()
            await asyncio.sleep(1)
