"""The load generator's HTTP, against a server that answers as the test says."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Sequence
from typing import Self

import pytest

from benchmarks.bench import wire
from benchmarks.bench.wire import Broken, Wire, request

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Gives each request the next of these answers, in these pieces; one without pieces ends the connection."""

    def __init__(self, answers: Sequence[Sequence[bytes]]) -> None:
        self._answers = iter(answers)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                with connection:
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while connection.recv(65536):
            pieces = next(self._answers)
            for piece in pieces:
                connection.sendall(piece)
            if not pieces or b"Connection: close" in pieces[0]:
                return


def talk(answers: Sequence[Sequence[bytes]], requests: int) -> tuple[list[tuple[int, bytes]], int]:
    """What so many requests, one after the other, are answered, and how many connections they took."""

    async def run(client: Wire) -> list[tuple[int, bytes]]:
        try:
            return [await client.send(request("GET", "/trades", bearer="token")) for _ in range(requests)]
        finally:
            client.close()
            await asyncio.sleep(0)

    with Server(answers) as server:
        return asyncio.run(run(Wire(server.port))), server.connections


def test_answers_come_on_one_connection_in_whatever_pieces() -> None:
    pieces = [GOOD[n : n + 7] for n in range(0, len(GOOD), 7)]
    found, connections = talk([[GOOD], pieces, [GOOD]], 3)
    assert found == [(200, b"{}")] * 3
    assert connections == 1


def test_a_connection_that_the_server_closes_is_not_used_again() -> None:
    closing = b"HTTP/1.1 201 Created\r\nConnection: close\r\ncontent-length: 3\r\n\r\nabc"
    found, connections = talk([[closing], [GOOD]], 2)
    assert found == [(201, b"abc"), (200, b"{}")]
    assert connections == 2


def test_an_answer_without_a_body() -> None:
    found, _ = talk([[b"HTTP/1.1 204 No Content\r\n\r\n"], [GOOD]], 2)
    assert found == [(204, b""), (200, b"{}")]


def test_a_connection_that_ends_before_the_answer_is_no_answer() -> None:
    with pytest.raises(Broken):
        talk([[]], 1)


def test_a_server_that_says_nothing_has_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "SECONDS", 0.05)
    with pytest.raises(Broken, match="no answer"):
        talk([[b"HTTP/1.1 200"]], 1)


def test_nobody_listens() -> None:
    with pytest.raises(Broken):
        asyncio.run(Wire(1).send(request("GET", "/trades", bearer="token")))


def test_a_request_says_all_that_the_api_wants() -> None:
    raw = request("POST", "/trades", bearer="token", body={"stake": "1.00"}, key="key")
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/v1/trades HTTP/1.1\r\n")
    assert {b"Authorization: Bearer token", b"Idempotency-Key: key", b"Content-Length: 17"} <= set(head.split(b"\r\n"))
    assert body == b'{"stake": "1.00"}'
