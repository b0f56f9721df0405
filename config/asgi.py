"""`uvicorn config.asgi:application`, `hypercorn config.asgi:application`, `daphne config.asgi:application`."""

from gateway.app import application

__all__ = ["application"]
