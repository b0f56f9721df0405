"""Listening to events while one is connected: by an exclusive queue, without a promise that nothing is missed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from logging import getLogger
from typing import Any
from uuid import uuid4

from aiormq.abc import AbstractConnection, DeliveredMessage

from shared.chassis import wire

log = getLogger(__name__)

Callback = Callable[[Any], Awaitable[None]]
Bound = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Listener:
    """What is listened to, and whom to tell; `on_bound` runs after each (re)connection."""

    exchange: str
    keys: tuple[str, ...]
    callback: Callback
    on_bound: Bound | None

    async def bind(self, connection: AbstractConnection, name: str) -> None:
        """Listens on this connection, by a queue of its own that is named after who listens."""
        channel = await connection.channel()
        queue = f"rpc.reply-{name}-{uuid4()}"
        await channel.queue_declare(queue, exclusive=True, auto_delete=True)
        for key in self.keys:
            await channel.queue_bind(queue, self.exchange, key)
        await channel.basic_consume(queue, self._on_message, no_ack=True)
        if self.on_bound is not None:
            await self.on_bound()

    async def _on_message(self, message: DeliveredMessage) -> None:
        try:
            await self.callback(wire.loads(message.body))
        except Exception:
            log.exception("message from %s not handled", self.exchange)
