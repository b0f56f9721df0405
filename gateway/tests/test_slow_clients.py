"""Clients that are silent, drip, or never finish: let go in time, and nobody else feels them."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from shared.chassis.testing import eventually

HEAD = b"POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n"


SHORT = {"HEADER_TIMEOUT": "1", "BODY_TIMEOUT": "1", "KEEP_ALIVE_TIMEOUT": "1"}
POST = b"POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def impatient(start_worker: Any) -> Iterator[Any]:
    worker = start_worker(**SHORT)
    yield worker
    worker.stop()


@contextlib.contextmanager
def connected(worker: Any) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", worker.port), timeout=8) as connection:
        yield connection


def seconds_until_closed(connection: socket.socket, drip: bytes = b"") -> float:
    begun = time.monotonic()
    connection.settimeout(0.2)
    while time.monotonic() - begun < 8:
        with contextlib.suppress(TimeoutError):
            try:
                if drip:
                    connection.sendall(drip)
                if connection.recv(65536) == b"":
                    return time.monotonic() - begun
            except (ConnectionResetError, BrokenPipeError):
                return time.monotonic() - begun
    return 99.0


def test_a_silent_client_is_let_go(impatient: Any) -> None:
    with connected(impatient) as connection:
        assert seconds_until_closed(connection) < 3


def test_a_dripped_header_is_let_go(impatient: Any) -> None:
    with connected(impatient) as connection:
        connection.sendall(b"GET /api/v1/health/live HTTP/1.1\r\n")
        assert seconds_until_closed(connection, b"X-A: b\r\n") < 3


def test_a_dripped_header_on_a_kept_connection_is_let_go(impatient: Any) -> None:
    with connected(impatient) as connection:
        connection.sendall(b"GET /api/v1/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in connection.recv(65536)
        connection.sendall(b"GET /api/v1/health/live HTTP/1.1\r\n")
        assert seconds_until_closed(connection, b"X-A: b\r\n") < 3


def test_an_idle_connection_is_let_go(impatient: Any) -> None:
    with connected(impatient) as connection:
        connection.sendall(b"GET /api/v1/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in connection.recv(65536)
        assert seconds_until_closed(connection) < 4


def test_a_body_that_does_not_come_is_answered_408(impatient: Any) -> None:
    with connected(impatient) as connection:
        connection.sendall(HEAD + b'{"u')
        begun, answer = time.monotonic(), b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 408")
        assert time.monotonic() - begun < 3
        assert seconds_until_closed(connection) < 3


def test_a_huge_header_is_refused(impatient: Any) -> None:
    for head in (b"X-A: " + b"a" * 40_000 + b"\r\n", b"".join(b"X-%d: y\r\n" % n for n in range(5000))):
        with connected(impatient) as connection:
            connection.sendall(b"GET /api/v1/health/live HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n")
            with contextlib.suppress(ConnectionResetError):
                answer = connection.recv(65536)
                assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert impatient.get("/health/live").status == 200


@pytest.mark.parametrize(
    "raw",
    [
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"GET /api/v1/health/live HTTP/9.9\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_a_malformed_request_is_refused(impatient: Any, raw: bytes) -> None:
    with connected(impatient) as connection:
        connection.sendall(raw)
        assert connection.recv(65536)[:12] in {b"HTTP/1.1 400", b""}
    assert impatient.get("/health/live").status == 200


def test_two_hundred_half_open_clients_hurt_nobody(users: Any, make_worker: Any) -> None:
    worker = make_worker(HEADER_TIMEOUT="4")
    with contextlib.ExitStack() as stack:
        for number in range(200):
            connection = stack.enter_context(connected(worker))
            connection.sendall(HEAD if number % 2 else b"GET /api/v1/hea")
        begun = time.monotonic()
        for _ in range(10):
            assert worker.get("/health/live").status == 200
        assert time.monotonic() - begun < 1
    eventually(lambda: worker.get("/health/live").status == 200)
