"""py-amqp's connection for many greenthreads on one socket.

Stock py-amqp writes each frame with a system call of its own, which may be interrupted half-way (a deadline that
strikes in the middle of a publish leaves half a frame behind), and reads the socket from whoever publishes. Here a
frame is put into a buffer at once, the buffer is sent when the present turn of the hub is over, and only the
greenthread that drains reads. It also costs less than half.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from struct import unpack_from
from typing import Any

import amqp.transport
import eventlet
from amqp.exceptions import UnexpectedFrame
from eventlet.hubs import get_hub, trampoline
from kombu.connection import Connection
from kombu.transport import pyamqp

_CHUNK = 64 * 1024
_FRAME_END = 0xCE
# Octets round a frame's payload: type, channel, size; end (AMQP 0-9-1 §4.2.3).
_HEAD, _AROUND = 7, 8


class _Socket(amqp.transport.TCPTransport):
    """A TCP connection that is read in chunks and written once a turn of the hub."""

    def _setup_transport(self) -> None:
        super()._setup_transport()
        self._in = b""
        self._at = 0
        self._out: list[bytes] = []
        self._sending = False
        self._timeout: float | None = None

    @property
    def frame_waits(self) -> bool:
        """Whether a whole frame can be read without waiting."""
        have = len(self._in) - self._at
        return have >= _AROUND and have >= _AROUND + int(unpack_from(">I", self._in, self._at + 3)[0])

    @contextmanager
    def having_timeout(self, timeout: float | None) -> Iterator[Any]:
        """Bounds the reads in the block to `timeout` seconds; the socket's own settings are left alone."""
        before, self._timeout = self._timeout, timeout
        try:
            yield self.sock
        finally:
            self._timeout = before

    def read_frame(self, unpack: object = None) -> tuple[int, int, bytes]:
        """Type, channel and payload; raises TimeoutError, with nothing taken, when no whole frame comes in time."""
        while not self.frame_waits:
            self._receive()
        kind, channel, size = unpack_from(">BHI", self._in, self._at)
        start = self._at + _HEAD
        self._at = end = start + size
        if self._in[end] != _FRAME_END:
            raise UnexpectedFrame(f"frame ends in {self._in[end]:#04x}")
        self._at += 1
        return kind, channel, self._in[start:end]

    def write(self, s: bytes | memoryview) -> None:
        """Takes a frame; it is sent when the greenthreads that are ready now have had their turn."""
        if not self.connected:
            raise ConnectionResetError(errno.ECONNRESET, "the connection to the broker is closed")
        # py-amqp uses the memory behind `s` again for the next frame.
        self._out.append(bytes(s))
        if not self._sending:
            self._sending = True
            get_hub().schedule_call_global(0, self._send)

    def _receive(self) -> None:
        while True:
            try:
                chunk = self.sock.fd.recv(_CHUNK)
                break
            except BlockingIOError:
                trampoline(self.sock, read=True, timeout=self._timeout, timeout_exc=TimeoutError)
        if not chunk:
            self.connected = False
            raise ConnectionResetError(errno.ECONNRESET, "the broker closed the connection")
        self._in = self._in[self._at :] + chunk
        self._at = 0

    def _send(self) -> None:
        # Runs in the hub, where nothing may wait: what the system does not take at once goes to a greenthread.
        data = b"".join(self._out)
        self._out.clear()
        try:
            sent = self.sock.fd.send(data)
        except BlockingIOError:
            sent = 0
        except (OSError, AttributeError):
            self._lost()
            return
        if sent < len(data):
            eventlet.spawn_n(self._send_rest, memoryview(data)[sent:])
        else:
            self._sending = False

    def _send_rest(self, data: memoryview | bytes) -> None:
        try:
            while data:
                trampoline(self.sock, write=True)
                data = data[self.sock.fd.send(data) :]
                if not data:
                    data = b"".join(self._out)
                    self._out.clear()
        except (OSError, AttributeError):
            self._lost()
        else:
            self._sending = False

    def _lost(self) -> None:
        # The reader finds out by itself when the socket ends.
        self.connected = False
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                self._out.clear()


class _Amqp(pyamqp.Connection):
    # "connection.blocked" would make every publish read the socket, under the feet of the greenthread that drains.
    negotiate_capabilities = {"consumer_cancel_notify": True, "authentication_failure_close": True}

    def Transport(self, host: str, connect_timeout: float, ssl: Any = False, *args: Any, **options: Any) -> Any:  # noqa: N802
        if ssl:
            return super().Transport(host, connect_timeout, ssl, *args, **options)
        return _Socket(host, connect_timeout, *args, **options)

    def drain_events(self, timeout: float | None = None) -> None:
        super().drain_events(timeout)
        # All that came in one chunk is handled in one go.
        while self._transport is not None and getattr(self._transport, "frame_waits", False):
            self.blocking_read(timeout)


class _Transport(pyamqp.Transport):
    Connection = _Amqp


class GreenConnection(Connection):
    """kombu's connection over that socket; only for processes that eventlet has patched."""

    def get_transport_cls(self) -> type[_Transport]:
        return _Transport
