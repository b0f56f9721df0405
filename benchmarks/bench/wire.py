"""HTTP/1.1 for a load generator: as little of it as a loaded machine can be asked to spend on asking.

wire = Wire(port)
status, body = await wire.send(request("GET", "/trades?limit=20", bearer=token))
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

SECONDS = 30.0
"""A server that says nothing for so long has not answered."""


class Broken(Exception):
    """There was no answer: what became of the request is unknown."""


def request(method: str, path: str, *, bearer: str, body: Any = None, key: str | None = None) -> bytes:
    """The bytes of a request below `/api/v1`."""
    lines = [f"{method} /api/v1{path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    lines.append(f"Authorization: Bearer {bearer}")
    if key is not None:
        lines.append(f"Idempotency-Key: {key}")
    data = b""
    if body is not None:
        data = json.dumps(body).encode()
        lines.append("Content-Type: application/json")
    if method != "GET":
        lines.append(f"Content-Length: {len(data)}")
    return "\r\n".join([*lines, "", ""]).encode() + data


class Wire:
    """Requests to `127.0.0.1:{port}`, on as many connections as there are requests under way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[_Connection] = []

    async def send(self, raw: bytes) -> tuple[int, bytes]:
        """Status and body. Raises Broken."""
        connection = self._idle.pop() if self._idle else await self._connect()
        try:
            async with asyncio.timeout(SECONDS):
                answer = await connection.ask(raw)
        except TimeoutError:
            connection.close()
            raise Broken(f"no answer in {SECONDS:g} s") from None
        if connection.open:
            self._idle.append(connection)
        return answer

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(lambda: _Connection(loop, self._idle), "127.0.0.1", self._port)
        except OSError as error:
            raise Broken(str(error)) from error
        return connection

    def close(self) -> None:
        """Ends the idle connections: the next run begins on new ones."""
        for connection in [*self._idle]:
            connection.close()
        self._idle.clear()


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, idle: list[_Connection]) -> None:
        self._loop, self._pool = loop, idle
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self._data = b""
        self._ends = 0
        self._begins = 0
        self.open = True

    def ask(self, raw: bytes) -> asyncio.Future[tuple[int, bytes]]:
        """The answer to come; Broken when the connection ends first."""
        self._waiting = self._loop.create_future()
        if self._transport is None:
            self._waiting.set_exception(Broken("the connection had ended"))
        else:
            self._transport.write(raw)
        return self._waiting

    def close(self) -> None:
        self.open = False
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # TCP gives no other
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data = self._data + data if self._data else data
        if not self._ends:
            self._read_head()
        if self._ends and len(self._data) >= self._ends:
            self._answer()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open, self._transport = False, None
        if self in self._pool:
            self._pool.remove(self)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Broken(f"the connection ended: {exc}"))

    def _read_head(self) -> None:
        head, found, _ = self._data.partition(b"\r\n\r\n")
        if not found:
            return
        head = head.lower()
        _, length, rest = head.partition(b"\r\ncontent-length:")
        self._begins = len(head) + 4
        # Both servers say how long their answers are; an answer without a length has no body (204).
        self._ends = self._begins + (int(rest.partition(b"\r\n")[0]) if length else 0)
        if b"\r\nconnection: close" in head:
            self.open = False

    def _answer(self) -> None:
        answer = int(self._data[9:12]), self._data[self._begins : self._ends]
        self._data, self._ends = b"", 0
        if not self.open and self._transport is not None:
            self._transport.close()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(answer)
