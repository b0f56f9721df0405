"""What happens to an event that failed: later again, on a ladder of delays, and in the end parked for a person.

A copy is published, confirmed, and only then the original acknowledged: a crash between the two makes it come
twice, never not at all. It goes back to the one queue it came from, not to the event's other readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from logging import getLogger
from typing import Any

import eventlet
import kombu

from shared.chassis.batches import Item, Outcome
from shared.chassis.parking import ATTEMPT, ATTEMPTS, ERROR, ORIGIN, PARKED, copy_of
from shared.chassis.topology import PARKING_EXCHANGE, RETRY_STEPS, events_queue, retry_exchange

log = getLogger(__name__)

_CONFIRM_SECONDS = 5.0
# Seconds between tries to publish, while the events wait unacknowledged.
_PAUSES = (0.5, 2.0, 5.0)


class Ladder:
    """Moves failed messages on, over a connection of its own: confirms cannot be awaited on the consumer's."""

    def __init__(self, url: str, service: str) -> None:
        self._url, self._service = url, service
        self._connection: Any = None

    def take(self, items: Sequence[Item]) -> None:
        """Publishes copies and marks those that the broker has confirmed as moved; the others must go back to it."""
        for pause in (*_PAUSES, None):
            try:
                for item in items:
                    if not item.moved:
                        self._publish(item)
                        item.moved = True
                return
            except Exception as error:
                log.error("failed events not moved on: %r", error)
                self.close()
                if pause is not None:
                    eventlet.sleep(pause)

    def close(self) -> None:
        """Throws the connection away.

        After any error of a confirm this is a must: py-amqp matches confirms to publishes by order, so a late one
        would be taken for the next message's.
        """
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.collect(socket_timeout=1)

    def _publish(self, item: Item) -> None:
        attempt = _attempt(item.message.headers)
        queue, steps = events_queue(self._service), list(RETRY_STEPS)
        if item.outcome is Outcome.PERMANENT or attempt >= len(steps):
            exchange, key = PARKING_EXCHANGE, self._service
            why = "permanent" if item.outcome is Outcome.PERMANENT else "exhausted"
            headers = {ERROR: item.error, ATTEMPTS: attempt + 1, ORIGIN: queue, PARKED: why}
        else:
            exchange, key = retry_exchange(steps[attempt]), queue
            headers = {ATTEMPT: attempt + 1, ERROR: item.error}
        with eventlet.Timeout(_CONFIRM_SECONDS, TimeoutError("not confirmed")):
            if self._connection is None:
                options = {"confirm_publish": True, "client_properties": {"connection_name": "retry ladder"}}
                self._connection = kombu.Connection(self._url, connect_timeout=3, transport_options=options)
            producer = kombu.Producer(self._connection.default_channel, auto_declare=False)
            producer.publish(**copy_of(item.message, headers), exchange=exchange, routing_key=key, mandatory=True)


def _attempt(headers: dict[str, Any]) -> int:
    value = headers.get(ATTEMPT, 0)
    return value if isinstance(value, int) and value >= 0 else 0
