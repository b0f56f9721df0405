"""What happens to an event that failed: later again, on a ladder of delays, and in the end parked for a person.

A copy is published, confirmed, and only then the original acknowledged: a crash between the two makes it come
twice, never not at all. It goes back to the one queue it came from, not to the event's other readers.
"""

from __future__ import annotations

from contextlib import suppress
from logging import getLogger
from typing import Any

import eventlet
import kombu

from shared.chassis.batches import Item, Outcome
from shared.chassis.topology import PARKING_EXCHANGE, RETRY_STEPS, events_queue, retry_exchange

log = getLogger(__name__)

ATTEMPT, ERROR, ATTEMPTS, ORIGIN, PARKED = "x-attempt", "x-error", "x-attempts", "x-origin", "x-parked-because"
_CONFIRM_SECONDS = 5.0


class Ladder:
    """Moves failed messages on, over a connection of its own: confirms cannot be awaited on the consumer's."""

    def __init__(self, url: str, service: str) -> None:
        self._url, self._service = url, service
        self._connection: Any = None

    def took(self, item: Item) -> bool:
        """Publishes the copy; False when that failed, and the message must go back to the broker."""
        headers = dict(item.message.headers)
        attempt = _attempt(headers)
        queue = events_queue(self._service)
        steps = list(RETRY_STEPS)
        if item.outcome is Outcome.PERMANENT or attempt >= len(steps):
            exchange, key = PARKING_EXCHANGE, self._service
            why = "permanent" if item.outcome is Outcome.PERMANENT else "exhausted"
            headers |= {ERROR: item.error, ATTEMPTS: attempt + 1, ORIGIN: queue, PARKED: why}
        else:
            exchange, key = retry_exchange(steps[attempt]), queue
            headers |= {ATTEMPT: attempt + 1, ERROR: item.error}
        return self._published(item.message, exchange, key, headers)

    def _published(self, message: Any, exchange: str, key: str, headers: dict[str, Any]) -> bool:
        properties = {k: v for k, v in message.properties.items() if k in ("message_id", "type", "timestamp")}
        try:
            with eventlet.Timeout(_CONFIRM_SECONDS, TimeoutError("not confirmed")):
                if self._connection is None:
                    options = {"confirm_publish": True, "client_properties": {"connection_name": "retry ladder"}}
                    self._connection = kombu.Connection(self._url, connect_timeout=3, transport_options=options)
                # A serializer would encode again: the body goes on byte for byte.
                kombu.Producer(self._connection.default_channel).publish(
                    message.body if isinstance(message.body, bytes) else message.body.encode(),
                    exchange=exchange,
                    routing_key=key,
                    headers=headers,
                    content_type=message.content_type,
                    content_encoding=message.content_encoding or "utf-8",
                    delivery_mode=2,
                    mandatory=True,
                    retry=False,
                    **properties,
                )
        except Exception:
            # After any error of a confirm the connection is thrown away: py-amqp matches confirms to publishes by
            # order, so a late one would be taken for the next message's.
            log.exception("%s not moved to %s", message.delivery_info.get("routing_key"), exchange)
            connection, self._connection = self._connection, None
            with suppress(Exception):
                connection.collect(socket_timeout=1)
            eventlet.sleep(1)
            return False
        return True


def _attempt(headers: dict[str, Any]) -> int:
    value = headers.get(ATTEMPT, 0)
    return value if isinstance(value, int) and value >= 0 else 0
