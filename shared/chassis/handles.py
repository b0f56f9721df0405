"""Hearing events: `@handles(SomeEvent)` on a method of a service. See `batches` for how they are worked off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from logging import getLogger
from typing import Any, TypeVar

import eventlet
import kombu
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint, ProviderCollector, SharedExtension

from shared.chassis.batches import Batch, Item, Outcome
from shared.chassis.consumer import Consumer
from shared.chassis.ladder import Ladder
from shared.chassis.parking import Parking
from shared.chassis.topology import events_queue
from shared.contracts.envelope import EventData, Received
from shared.settings.env import env

log = getLogger(__name__)

E = TypeVar("E", bound=EventData)
S = TypeVar("S")
SIZE = 100
# Seconds between looks at what was parked only because its readers died too often.
_REDRIVE_SECONDS = env.get_float("REDRIVE_INTERVAL", 30.0)


class Events(Consumer):
    """The connection that events come in by; its channel carries nothing else, since acks are for many at once."""


class EventQueue(SharedExtension, ProviderCollector):
    """Collects what is there, up to `SIZE`, while the last batch is worked off: one batch at a time.

    A service that nobody waits for says how long a batch may wait for more (`Service.linger`): a commit for ten
    events costs hardly more than one for a single one.
    """

    queue_consumer = Events()
    prefetch = 2 * SIZE

    def __init__(self) -> None:
        super().__init__()
        self._handlers: dict[type[EventData], Handles] = {}
        self._waiting: list[Any] = []
        self._busy = False
        self._stopping = False
        self._linger = 0.0
        self._timer: Any = None

    def setup(self) -> None:
        service = self.container.service_name
        self._linger = self.container.service_cls.linger
        self.queue = kombu.Queue(events_queue(service), durable=True, no_declare=True)
        self._ladder = Ladder(self.container.config["AMQP_URI"], service)
        self._parking = Parking(self.container.config["AMQP_URI"], service)
        self.queue_consumer.register_provider(self)

    def start(self) -> None:
        self.container.spawn_managed_thread(self._redrive_unlucky, identifier="redrive")

    def register_provider(self, provider: Handles) -> None:
        super().register_provider(provider)
        for type_ in provider.types:
            if self._handlers.setdefault(type_, provider) is not provider:
                raise TypeError(f"{type_.__name__} is heard by two methods")

    def unregister_provider(self, provider: Handles) -> None:
        # The process ends. What waits here goes back to the broker when the connection closes, after the batch in hand.
        self._stopping = True
        self._waiting.clear()
        super().unregister_provider(provider)

    def stop(self) -> None:
        self.queue_consumer.unregister_provider(self)
        super().stop()

    def on_disconnected(self) -> None:
        """The broker has taken back all that is not acknowledged."""
        self._waiting.clear()

    def handle_message(self, body: Any, message: Any) -> None:
        if not self._stopping:
            self._waiting.append(message)
            self._soon()

    def handler(self, type_: type[EventData]) -> Handles | None:
        """The entrypoint of this service for a type of event."""
        return self._handlers.get(type_)

    def over(self, message: Any) -> bool:
        """Whether what is not done yet comes again: this process ends, or its connection has."""
        return self._stopping or not _connected(message)

    def _soon(self) -> None:
        if len(self._waiting) >= SIZE or not self._linger:
            self._next()
        elif self._timer is None and not self._busy and self._waiting:
            self._timer = eventlet.spawn_after(self._linger, self._next)

    def _next(self) -> None:
        self._timer = None
        if self._busy or not self._waiting:
            return
        messages, self._waiting = self._waiting[:SIZE], self._waiting[SIZE:]
        self._busy = True
        try:
            # Any of the entrypoints will do: `Handles.run` looks at the batch alone.
            entrypoint = next(iter(self._handlers.values()))
            self.container.spawn_worker(entrypoint, (Batch(self, messages),), {}, handle_result=self._done)
        except ContainerBeingKilled:
            self._busy = False

    def _done(self, worker_ctx: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        batch: Batch = worker_ctx.args[0]
        if _connected(batch.items[-1].message):
            self._settle(batch.items)
        # Only now: the next batch's acknowledgement takes in everything before it on this channel.
        self._busy = False
        self._soon()
        return result, exc_info

    def _settle(self, items: Sequence[Item]) -> None:
        """Acknowledges what is done, moves the rest on; what cannot be moved on goes back to the broker."""
        try:
            if all(item.outcome is Outcome.DONE for item in items):
                last = items[-1].message
                last.channel.basic_ack(last.delivery_tag, multiple=True)
                return
            self._ladder.take([item for item in items if item.failed])
            for item in items:
                if item.outcome is Outcome.DONE or item.moved:
                    item.message.ack()
                elif item.outcome is not Outcome.HELD:
                    # Permanent ones are parked by the broker then, without our headers.
                    item.message.reject(requeue=item.outcome is Outcome.TRANSIENT)
        except Exception as error:
            log.warning("a batch of %d events is given back: %r", len(items), error)
            # None may stay as it is on a channel that lives on: a later acknowledgement would take it in.
            for item in items:
                if not item.message.acknowledged:
                    with suppress(Exception):
                        item.message.requeue()

    def _redrive_unlucky(self) -> None:
        left = 0
        while True:
            eventlet.sleep(_REDRIVE_SECONDS)
            try:
                # What a person has to look at anyway is not taken out each time.
                if self._parking.depth() != left:
                    self._parking.redrive_unlucky()
                    left = self._parking.depth()
            except Exception as error:
                log.warning("parking not looked at: %r", error)


def _connected(message: Any) -> bool:
    channel = message.channel
    return channel is not None and channel.connection is not None


class Handles(Entrypoint):
    """A method that hears events of the given types."""

    source = EventQueue()

    def __init__(self, *types: type[EventData], inbox: bool = False, **kwargs: Any) -> None:
        self.types, self.inbox = types, inbox
        super().__init__(**kwargs)

    def setup(self) -> None:
        self.source.register_provider(self)

    def stop(self) -> None:
        self.source.unregister_provider(self)

    def run(self, worker_ctx: Any, method: Callable[..., Any]) -> None:
        """Works off a batch, whatever types are in it: its first argument is a `Batch`."""
        worker_ctx.args[0].work(worker_ctx.service)


def handles(
    *types: type[E], inbox: bool = False
) -> Callable[[Callable[[S, Sequence[Received[E]]], None]], Callable[[S, Sequence[Received[E]]], None]]:
    """Makes a method hear events: it gets all of its types that are in a batch, in order of arrival.

    It runs inside the batch's transaction, which `self.db.transaction()` joins, and must do nothing twice when an
    event comes twice: by a permanent unique business key, or with `inbox=True` by the event's id.
    """
    decorated: Callable[[Callable[[S, Sequence[Received[E]]], None]], Callable[[S, Sequence[Received[E]]], None]] = (
        Handles.decorator(*types, inbox=inbox)
    )
    return decorated
