"""uvicorn's protocol with the deadlines that it lacks: a client that is silent or drips its header is let go."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


def protocol_class(*, header_seconds: float, header_bytes: int) -> type[HttpToolsProtocol]:
    """A protocol that gives a client `header_seconds` for a whole header, from connecting or from its first byte."""

    class DeadlineProtocol(HttpToolsProtocol):
        """One connection."""

        _deadline: asyncio.TimerHandle | None = None
        _head = 0
        _in_head = True

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._arm()

        def connection_lost(self, exc: Exception | None) -> None:
            self._disarm()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._in_head:
                self._head += len(data)
            super().data_received(data)
            if self._in_head and self._head > header_bytes and not self.transport.is_closing():
                self.send_400_response("Header too large.")

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._in_head = True
            if self._deadline is None:
                self._arm()

        def on_headers_complete(self) -> None:
            self._disarm()
            self._in_head, self._head = False, 0
            if sum(len(name) + len(value) for name, value in self.headers) > header_bytes:
                self.send_400_response("Header too large.")
                return
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            super().on_message_complete()
            self._in_head, self._head = True, 0

        def _arm(self) -> None:
            self._deadline = self.loop.call_later(header_seconds, self._too_late)

        def _disarm(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _too_late(self) -> None:
            self._deadline = None
            if not self.transport.is_closing():
                self.transport.abort()

    return DeadlineProtocol
