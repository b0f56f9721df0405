"""`gunicorn config.wsgi:application`: the same application behind WSGI, without WebSocket."""

from __future__ import annotations

import asyncio
import atexit
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from a2wsgi import ASGIMiddleware

from config.asgi import application as asgi

_STOP_SECONDS = 5.0


class _Life:
    """WSGI servers know no start and end of an application: this says both, on the loop that serves its requests."""

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._app, self._loop = app, loop
        self._end = asyncio.Event()
        self._begun = False
        self._running: Future[None] = asyncio.run_coroutine_threadsafe(self._run(), loop)
        atexit.register(self.stop)

    def stop(self) -> None:
        """Lets go of the broker; waits for it a moment."""
        self._loop.call_soon_threadsafe(self._end.set)
        with suppress(Exception):
            self._running.result(_STOP_SECONDS)

    async def _run(self) -> None:
        await self._app({"type": "lifespan", "asgi": {"version": "3.0"}}, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        if not self._begun:
            self._begun = True
            return {"type": "lifespan.startup"}
        await self._end.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Any) -> None:
        """What the application answers changes nothing here: it serves at once, connected or not."""


application = ASGIMiddleware(asgi)
_life = _Life(asgi, application.loop)
