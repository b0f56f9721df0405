"""Whether a server of others answers, by the first words of its protocol."""

from __future__ import annotations

import socket
import struct

_SECONDS = 2.0


def postgres(port: int) -> str | None:
    """What is wrong with the PostgreSQL on this port of 127.0.0.1, or None."""
    # SSLRequest (PostgreSQL documentation, message formats): any server answers one byte, before any login.
    return _talk(port, struct.pack("!II", 8, 80877103), (b"S", b"N"))


def amqp(port: int) -> str | None:
    """What is wrong with the AMQP 0-9-1 broker on this port of 127.0.0.1, or None."""
    # The protocol header; the answer is a method frame on channel 0 (AMQP 0-9-1 §4.2.2).
    return _talk(port, b"AMQP\x00\x00\x09\x01", (b"\x01",))


def _talk(port: int, words: bytes, answers: tuple[bytes, ...]) -> str | None:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as connection:
            connection.sendall(words)
            first = connection.recv(1)
    except OSError as error:
        return str(error) or type(error).__name__
    return None if first in answers else "does not speak its protocol"
