"""Telling the relay that there is work, by a datagram that may get lost: the relay looks by itself too."""

from __future__ import annotations

import socket
from contextlib import suppress

from shared.settings.env import env


def address() -> tuple[str, int] | None:
    """Where the relay listens, from RELAY_WAKE (host:port); None when it only polls."""
    host, _, port = (env.get("RELAY_WAKE") or "").rpartition(":")
    return (host, int(port)) if port else None


class Wake:
    """Sends the name of the service that has written events."""

    def __init__(self, service: str) -> None:
        self._address = address()
        self._name = service.encode()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM) if self._address else None
        if self._socket is not None:
            self._socket.setblocking(False)

    def send(self) -> None:
        """Never waits and never fails."""
        if self._socket is not None and self._address is not None:
            with suppress(OSError):
                self._socket.sendto(self._name, self._address)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
