"""py-amqp's connection for many greenthreads on one socket.

Stock py-amqp writes each frame with a system call of its own, which may be interrupted half-way (a deadline that
strikes in the middle of a publish leaves half a frame behind), and reads the socket from whoever publishes. Here a
frame is put into a buffer at once, the buffer is sent when the present turn of the hub is over, and only the
greenthread that drains reads. It also costs less than half.
"""

from __future__ import annotations

import errno
import socket
from contextlib import AbstractContextManager, nullcontext
from struct import unpack_from
from typing import Any

import amqp.transport
import eventlet
from amqp.exceptions import UnexpectedFrame
from eventlet.hubs import get_hub, trampoline
from kombu.connection import Connection
from kombu.transport import pyamqp

_NOTHING = nullcontext()
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
        self._due = False
        self._blocked = False
        self.timeout: float | None = None
        self._chunk = memoryview(bytearray(_CHUNK))
        self._drained = True

    @property
    def frame_waits(self) -> bool:
        """Whether a whole frame can be read without waiting."""
        have = len(self._in) - self._at
        return have >= _AROUND and have >= _AROUND + int(unpack_from(">I", self._in, self._at + 3)[0])

    def having_timeout(self, timeout: float | None) -> AbstractContextManager[None]:
        """Nothing: the socket's settings are left alone, reads are bounded by `timeout` and writes do not wait."""
        return _NOTHING

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
        if not self._due:
            self._due = True
            get_hub().schedule_call_global(0, self._turn_over)

    def _receive(self) -> None:
        received = None
        while received is None:
            # The last chunk was all there was: asking again at once would be in vain.
            if self._drained:
                trampoline(self.sock, read=True, timeout=self.timeout, timeout_exc=TimeoutError)
            try:
                received = self.sock.fd.recv_into(self._chunk)
            except BlockingIOError:
                self._drained = True
        if not received:
            self.connected = False
            raise ConnectionResetError(errno.ECONNRESET, "the broker closed the connection")
        self._drained = received < _CHUNK
        self._in = self._in[self._at :] + self._chunk[:received]
        self._at = 0

    def flush(self) -> None:
        """Sends what is in the buffer. Never waits: what the system does not take at once goes to a greenthread."""
        if self._blocked or not self._out:
            return
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
            self._blocked = True
            eventlet.spawn_n(self._send_rest, memoryview(data)[sent:])

    def _turn_over(self) -> None:
        self._due = False
        self.flush()

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
            self._blocked = False

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
        while isinstance(self._transport, _Socket) and self._transport.frame_waits:
            self.blocking_read()

    def blocking_read(self, timeout: float | None = None) -> Any:
        transport = self.transport
        if not isinstance(transport, _Socket):
            return super().blocking_read(timeout)
        transport.timeout = timeout
        return self.on_inbound_frame(transport.read_frame())


class _Transport(pyamqp.Transport):
    Connection = _Amqp


class GreenConnection(Connection):
    """kombu's connection over that socket; only for processes that eventlet has patched."""

    def get_transport_cls(self) -> type[_Transport]:
        return _Transport


def flush(channel: Any) -> None:
    """Sends what was written on `channel` without waiting for the end of the hub's turn.

    Saves a turn of the hub when nobody else is about to write; when others are, it costs a system call.
    """
    transport = getattr(channel.connection, "_transport", None)
    if isinstance(transport, _Socket):
        transport.flush()
