"""What waits between a commit and whoever hears of it: events in the outboxes and in the broker's queues."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any, Self

import aiormq
import asyncpg

from shared.chassis.topology import events_queue

_LOOK_SECONDS = 0.5
_UNSENT = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"


@dataclass(frozen=True)
class Places:
    """Where to look: the broker, and each service's database, as administrators."""

    amqp_url: str
    databases: dict[str, str]

    @classmethod
    def of(cls, status: dict[str, Any]) -> Places:
        """From `status --json`."""
        server = status["postgres"]["admin_url"].rpartition("/")[0]
        databases = {service: f"{server}/{name}" for service, name in status["postgres"]["databases"].items()}
        return cls(status["amqp"]["admin_url"], databases)


@dataclass
class Backlog:
    """`most`: how many events waited at once, by place; what a consumer has taken already waits no more.

    async with Backlog(places) as backlog: …
    """

    places: Places | None
    most: dict[str, int] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        self._over = asyncio.Event()
        self._task = asyncio.create_task(self._watch(self.places)) if self.places is not None else None
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        if self._task is not None:
            await self._task

    async def _watch(self, places: Places) -> None:
        async with contextlib.AsyncExitStack() as stack:
            broker = await aiormq.connect(places.amqp_url)
            stack.push_async_callback(broker.close)
            channel = await broker.channel()
            databases = {}
            for service, url in places.databases.items():
                databases[service] = connection = await asyncpg.connect(url)
                stack.push_async_callback(connection.close)
            while not self._over.is_set():
                for service, connection in databases.items():
                    declared = await channel.queue_declare(events_queue(service), passive=True)
                    self._note(f"queue of {service}", declared.message_count or 0)
                    self._note(f"outbox of {service}", await connection.fetchval(_UNSENT))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), _LOOK_SECONDS)

    def _note(self, place: str, count: int) -> None:
        if count > self.most.get(place, 0):
            self.most[place] = count
