"""Calling services from a program that is neither asyncio nor a service: a shell, a test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from shared.chassis.context import Context
from shared.chassis.rpc.aio import AsyncRpc

T = TypeVar("T")


class SyncRpc:
    """The asyncio client on a thread of its own."""

    def __init__(self, url: str, *, name: str = "gateway") -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._rpc = self._run(self._connect(url, name))

    def call(
        self, service: str, method: str, /, *, ctx: Context | None = None, timeout: float = 5, **arguments: Any
    ) -> Any:
        """The method's result; raises what the method raised."""
        return self._run(self._rpc.call(service, method, arguments, ctx=ctx or Context(), timeout=timeout))

    def close(self) -> None:
        self._run(self._rpc.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _connect(self, url: str, name: str) -> AsyncRpc:
        rpc = AsyncRpc(url, name=name)
        await rpc.start(wait=5)
        return rpc

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)
