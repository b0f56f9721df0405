"""The parking queue: what no retry could help, waiting for a person. Listed, shown, sent again.

Works with the rights of an operator (on the whole virtual host), without eventlet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from logging import getLogger
from typing import Any

import kombu

from shared.chassis.topology import RETRY_STEPS, events_queue, parking_queue, retry_exchange

log = getLogger(__name__)

ATTEMPT, ERROR, ATTEMPTS, ORIGIN, PARKED = "x-attempt", "x-error", "x-attempts", "x-origin", "x-parked-because"
REDRIVEN = "x-redriven"
DELIVERY_LIMIT = "delivery_limit"
_KEPT = ("message_id", "type", "timestamp")
_KEPT_HEADERS = frozenset({ATTEMPT, REDRIVEN})


@dataclass(frozen=True, kw_only=True)
class Parked:
    """A parked message. `reason` is permanent or exhausted (ours), or rejected or delivery_limit (the broker's)."""

    message_id: str | None
    type: str | None
    reason: str
    error: str | None
    attempts: int
    redriven: int
    body: str


class Parking:
    """The parking queue of one service."""

    def __init__(self, url: str, service: str) -> None:
        self._url, self._service = url, service

    def depth(self) -> int:
        """How many messages are parked."""
        with kombu.Connection(self._url, connect_timeout=3) as connection:
            found = connection.default_channel.queue_declare(parking_queue(self._service), passive=True)
            return int(found.message_count)

    def messages(self, limit: int = 1000) -> list[Parked]:
        """What is parked, oldest first; everything stays where it is."""
        with self._taken(limit) as (_, taken):
            return [describe(message) for message in taken]

    def redrive(self, message_id: str | None = None, *, reason: str | None = None, limit: int = 1000) -> list[Parked]:
        """Sends one message (or all, or those with a reason) back to the queue it came from; returns what was sent.

        Each copy is confirmed before the parked one is acknowledged: a crash leaves it twice, never lost. Its
        attempts start anew.
        """
        sent = []
        with self._taken(limit) as (connection, taken):
            for message in taken:
                parked = describe(message)
                if (message_id is None or parked.message_id == message_id) and reason in (None, parked.reason):
                    _send(connection, message, exchange="", queue=events_queue(self._service))
                    sent.append(parked)
        return sent

    def redrive_unlucky(self, limit: int = 100) -> int:
        """Sends back, once each, what was parked only because its readers died too often; how many.

        By way of the ladder's first step, so that a service's own rights are enough for it.
        """
        sent = 0
        with self._taken(limit) as (connection, taken):
            for message in taken:
                parked = describe(message)
                if parked.reason == DELIVERY_LIMIT and not parked.redriven:
                    first = retry_exchange(next(iter(RETRY_STEPS)))
                    _send(connection, message, exchange=first, queue=events_queue(self._service))
                    sent += 1
        return sent

    @contextmanager
    def _taken(self, limit: int) -> Iterator[tuple[Any, list[Any]]]:
        # What is taken and not acknowledged goes back when the connection closes.
        options = {"confirm_publish": True, "client_properties": {"connection_name": "parking"}}
        with kombu.Connection(self._url, connect_timeout=3, transport_options=options) as connection:
            queue = kombu.Queue(parking_queue(self._service), no_declare=True).bind(connection.default_channel)
            found: list[Any] = []
            while len(found) < limit and (message := queue.get()) is not None:
                found.append(message)
            yield connection, found


def copy_of(message: Any, headers: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of kombu's `publish` for a persistent copy, byte for byte, with further `headers`.

    The broker's own marks (x-death, …) stay behind: it would take the copy for a message that goes round in circles.
    """
    kept = {k: v for k, v in message.headers.items() if not k.startswith("x-") or k in _KEPT_HEADERS}
    return {
        "body": message.body if isinstance(message.body, bytes) else message.body.encode(),
        "headers": {**kept, **headers},
        "content_type": message.content_type,
        "content_encoding": message.content_encoding or "utf-8",
        "delivery_mode": 2,
        "retry": False,
        **{name: value for name, value in message.properties.items() if name in _KEPT},
    }


def describe(message: Any) -> Parked:
    """What there is to know of a parked message."""
    headers = message.headers
    deaths = headers.get("x-death") or [{}]
    body = message.body if isinstance(message.body, str) else bytes(message.body).decode(errors="replace")
    return Parked(
        message_id=message.properties.get("message_id"),
        type=message.properties.get("type"),
        reason=str(headers.get(PARKED) or deaths[0].get("reason", "unknown")),
        error=headers.get(ERROR),
        attempts=_count(headers.get(ATTEMPTS)),
        redriven=_count(headers.get(REDRIVEN)),
        body=body,
    )


def _send(connection: Any, message: Any, *, exchange: str, queue: str) -> None:
    """Publishes a copy without the marks of its past, waits for the confirm, then acknowledges."""
    copy = copy_of(message, {REDRIVEN: _count(message.headers.get(REDRIVEN)) + 1})
    copy["headers"].pop(ATTEMPT, None)
    kombu.Producer(connection.default_channel, auto_declare=False).publish(
        **copy, exchange=exchange, routing_key=queue, mandatory=True, timeout=5
    )
    message.ack()
    log.warning("redriven from parking to %s: %s", queue, message.properties.get("message_id"))


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
