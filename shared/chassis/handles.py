"""Hearing events: `@handles(SomeEvent)` on a method of a service. See `batches` for how they are worked off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from logging import getLogger
from typing import Any, TypeVar

import kombu
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint, ProviderCollector, SharedExtension

from shared.chassis.batches import Batch, Item, Outcome
from shared.chassis.consumer import Consumer
from shared.chassis.ladder import Ladder
from shared.chassis.topology import events_queue
from shared.contracts.envelope import EventData, Received

log = getLogger(__name__)

E = TypeVar("E", bound=EventData)
S = TypeVar("S")
SIZE = 100


class Events(Consumer):
    """The connection that events come in by; its channel carries nothing else, since acks are for many at once."""


class EventQueue(SharedExtension, ProviderCollector):
    """Collects what is there, up to `SIZE`, while the last batch is worked off: one batch at a time, no waiting."""

    queue_consumer = Events()
    prefetch = 2 * SIZE

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[Any] = []
        self._busy = False

    def setup(self) -> None:
        service = self.container.service_name
        self.queue = kombu.Queue(events_queue(service), durable=True, no_declare=True)
        self._ladder = Ladder(self.container.config["AMQP_URI"], service)
        self.queue_consumer.register_provider(self)

    def stop(self) -> None:
        self._waiting.clear()
        self.queue_consumer.unregister_provider(self)
        super().stop()

    def on_disconnected(self) -> None:
        """The broker has taken back all that is not acknowledged."""
        self._waiting.clear()

    def handle_message(self, body: Any, message: Any) -> None:
        self._waiting.append(message)
        self._next()

    def handler(self, type_: type[EventData]) -> Handles | None:
        """The entrypoint of this service for a type of event."""
        for provider in self._providers:
            if type_ in provider.types:
                found: Handles = provider
                return found
        return None

    def _next(self) -> None:
        if self._busy or not self._waiting:
            return
        messages, self._waiting = self._waiting[:SIZE], self._waiting[SIZE:]
        batch = Batch(self, messages)
        entrypoint = next(iter(self._providers))
        self._busy = True
        try:
            self.container.spawn_worker(entrypoint, (batch,), {}, handle_result=self._done)
        except ContainerBeingKilled:
            self._busy = False  # not acknowledged: the broker gives them to the next process

    def _done(self, worker_ctx: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        batch: Batch = worker_ctx.args[0]
        channel = batch.items[-1].message.channel
        if channel is not None and channel.connection is not None:
            if exc_info is not None:
                log.error("a batch of %d events failed as a whole", len(batch.items))
            self._settle(batch.items, channel)
        # Only now: the next batch's acknowledgement takes in everything before it on this channel.
        self._busy = False
        self._next()
        return result, exc_info

    def _settle(self, items: Sequence[Item], channel: Any) -> None:
        """Acknowledges what is done, moves the rest on; what cannot be moved on goes back to the broker."""
        try:
            if all(item.outcome is Outcome.DONE for item in items):
                channel.basic_ack(items[-1].message.delivery_tag, multiple=True)
                return
            for item in items:
                if item.outcome is Outcome.DONE or self._ladder.took(item):
                    item.message.ack()
                else:
                    item.message.reject(requeue=item.outcome is not Outcome.PERMANENT)
        except Exception as error:  # whatever broke, the broker still has the messages
            log.warning("the broker went away before the acknowledgement: %r", error)


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
