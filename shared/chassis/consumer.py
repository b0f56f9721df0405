"""nameko's queue consumer, made safe for money: one subclass is one connection, one channel, one greenthread."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from logging import getLogger
from typing import Any

import amqp
from nameko.messaging import QueueConsumer
from nameko.utils import sanitize_url

from shared.chassis.transport import GreenConnection

log = getLogger(__name__)

# Seconds between looks at requests to stop; nameko's own second makes an idle service slow to leave.
_IDLE = 0.25


class _Stop(Exception):  # a signal, not an error
    """Leaves the connecting loop: there is nothing left to connect for."""


class Consumer(QueueConsumer):
    """Consumes for the providers registered with it.

    A provider has a `queue` and `handle_message(body, message)`, and may have `prefetch`, `no_ack`,
    `on_connected(connection)` and `on_disconnected()`. `handle_message` runs in the consumer's own
    greenthread and must not wait for long: while it waits, no heartbeat is sent.

    On that connection workers may only publish without confirm, ack and reject. Anything that waits
    for the broker's answer reads the socket a second time and kills the call; open further channels
    in `on_connected`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.beat = 0.0
        self._pending_remove_providers: dict[Any, Any] = {}

    @property
    def queues(self) -> list[Any]:
        """The kombu queues of the providers."""
        return [provider.queue for provider in self._providers]

    @property
    def attached(self) -> bool:
        """Whether every provider's consumer is on an open channel and the loop has turned in the last 3 s."""
        return not self._providers or (
            len(self._consumers) >= len(self._providers) and self._channels_open() and time.monotonic() - self.beat < 3
        )

    @property
    def connection(self) -> GreenConnection:
        config = self.container.config
        return GreenConnection(
            self.amqp_uri, heartbeat=config.get("HEARTBEAT"), transport_options=config.get("TRANSPORT_OPTIONS")
        )

    def run(self) -> None:
        try:
            super().run(safety_interval=_IDLE)
        except _Stop:
            log.info("stopped while the broker was away")

    @contextmanager
    def establish_connection(self) -> Iterator[GreenConnection]:
        """Connects with a short back-off (nameko's grows to 30 s) and tells the providers when it is over."""
        self._leave_if_asked()
        with self.connection as connection:
            connection.ensure_connection(
                self.on_connection_error, None, interval_start=0.2, interval_step=0.3, interval_max=2
            )
            try:
                yield connection
            finally:
                self._consumers.clear()
                self._tell("on_disconnected")

    def on_connection_error(self, exc: BaseException, interval: float) -> None:
        self._leave_if_asked()
        log.warning("broker %s: %s; next try in %s s", sanitize_url(self.amqp_uri), exc, interval)

    def get_consumers(self, consumer_cls: Any, channel: Any) -> Iterable[Any]:
        for provider in self._providers:
            consumer = self._consumers[provider] = consumer_cls(
                queues=[provider.queue],
                callbacks=[partial(self.handle_message, provider)],
                accept=self.accept,
                no_ack=getattr(provider, "no_ack", False),
            )
            consumer.qos(prefetch_count=getattr(provider, "prefetch", None) or self.prefetch_count)
        return list(self._consumers.values())

    def on_consume_ready(self, connection: Any, channel: Any, consumers: Any, **kwargs: Any) -> None:
        self.beat = time.monotonic()
        for provider in list(self._providers):
            if hasattr(provider, "on_connected"):
                provider.on_connected(connection)
        super().on_consume_ready(connection, channel, consumers, **kwargs)

    def handle_message(self, provider: Any, body: Any, message: Any) -> None:
        # No greenthread per message: providers hand over to a worker at once.
        provider.handle_message(body, message)

    def on_decode_error(self, message: Any, exc: BaseException) -> None:
        """Rejects to the dead-letter exchange what is not strict JSON; kombu would ack it, and it would be gone."""
        log.error("undecodable message %s parked: %s", message.delivery_info.get("routing_key"), exc)
        message.reject(requeue=False)

    def on_iteration(self) -> None:
        self.beat = time.monotonic()
        self._cancel_consumers_if_requested()
        if not self._channels_open():
            log.warning("%s: the channel was closed, connecting again", type(self).__name__)
            raise amqp.exceptions.RecoverableChannelError("the channel was closed")
        # nameko closes the connection under running workers; their acks are lost and the work is done twice.
        if not self._consumers and not self.container.busy:
            self.should_stop = True

    def _channels_open(self) -> bool:
        return all(consumer.channel and consumer.channel.connection for consumer in self._consumers.values())

    def _cancel_consumers_if_requested(self) -> None:
        pending, self._pending_remove_providers = self._pending_remove_providers, {}
        for provider, removed in pending.items():
            consumer = self._consumers.pop(provider, None)
            try:
                if consumer is not None:
                    consumer.cancel()
            finally:
                # Whoever waits must go on even if the broker went away under the cancel.
                removed.send()

    def _leave_if_asked(self) -> None:
        # Without a connection there is nothing to cancel, and whoever stops us must not wait for the broker.
        pending, self._pending_remove_providers = self._pending_remove_providers, {}
        for removed in pending.values():
            removed.send()
        if pending or self.should_stop:
            raise _Stop

    def _tell(self, hook: str) -> None:
        for provider in list(self._providers):
            if hasattr(provider, hook):
                getattr(provider, hook)()
