"""One worker: uvicorn on uvloop, on a port or on a socket that the supervisor holds."""

from __future__ import annotations

import signal
import socket

import uvicorn

from gateway.app import build
from gateway.protocol import protocol_class
from gateway.settings import load
from shared.utils.logger import configure_logging


def main(*, host: str, port: int, fd: int | None = None) -> int:
    """Serves until SIGTERM, then finishes what is under way. `fd` is an inherited listening socket."""
    configure_logging("gateway", gathering=True)
    settings = load()
    config = uvicorn.Config(
        build(settings),
        host=host,
        port=port,
        loop="uvloop",
        http=protocol_class(header_seconds=settings.header_seconds, header_bytes=settings.header_bytes),
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=15,
        backlog=2048,
    )
    # uvicorn handles these while it serves and raises them again afterwards, which would make a clean end look like a
    # death by signal.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    sockets = [socket.socket(fileno=fd)] if fd is not None else None
    uvicorn.Server(config).run(sockets=sockets)
    return 0
