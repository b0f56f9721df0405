"""The parking queue: what no retry could help, waiting for a person. Listed, shown, sent again.

Works on a connection with rights on the whole virtual host (an operator's), without eventlet.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import kombu

from shared.chassis.ladder import ATTEMPT, ATTEMPTS, ERROR, ORIGIN, PARKED
from shared.chassis.topology import events_queue, parking_queue


@dataclass(frozen=True, kw_only=True)
class Parked:
    """A parked message. `reason` is permanent or exhausted (ours), or rejected or delivery_limit (the broker's)."""

    message_id: str | None
    type: str | None
    reason: str
    error: str | None
    attempts: int
    body: str


class Parking:
    """The parking queue of one service."""

    def __init__(self, url: str, service: str) -> None:
        self._url, self._service = url, service

    def messages(self, limit: int = 1000) -> list[Parked]:
        """What is parked, oldest first; everything stays where it is."""
        with self._taken(limit) as taken:
            return [_describe(message) for message in taken]

    def redrive(self, message_id: str | None = None, *, reason: str | None = None, limit: int = 1000) -> int:
        """Sends one message (or all, or those with a reason) back to where it came from; how many were sent.

        Each copy is confirmed before the parked one is acknowledged: a crash leaves it twice, never lost.
        """
        sent = 0
        with self._taken(limit) as taken:
            for message in taken:
                described = _describe(message)
                if message_id is not None and described.message_id != message_id:
                    continue
                if reason is not None and described.reason != reason:
                    continue
                self._send_back(message)
                message.ack()
                sent += 1
        return sent

    def _send_back(self, message: Any) -> None:
        dropped = {ATTEMPT, ATTEMPTS, ERROR, ORIGIN, PARKED}
        headers = {
            name: value for name, value in message.headers.items() if name not in dropped and not name.startswith("x-")
        }
        with kombu.Connection(self._url, transport_options={"confirm_publish": True}) as connection:
            kombu.Producer(connection.default_channel).publish(
                message.body if isinstance(message.body, bytes) else message.body.encode(),
                exchange="",
                routing_key=message.headers.get(ORIGIN) or events_queue(self._service),
                headers=headers | {"x-redriven": 1 + int(message.headers.get("x-redriven", 0))},
                content_type=message.content_type,
                content_encoding=message.content_encoding or "utf-8",
                delivery_mode=2,
                mandatory=True,
                retry=False,
                **{k: v for k, v in message.properties.items() if k in ("message_id", "type")},
            )

    @contextmanager
    def _taken(self, limit: int) -> Iterator[list[Any]]:
        # What is taken and not acknowledged goes back when the connection closes.
        with kombu.Connection(self._url) as connection:
            queue = kombu.Queue(parking_queue(self._service), channel=connection.default_channel, no_declare=True)
            found: list[Any] = []
            while len(found) < limit and (message := queue.get()) is not None:
                found.append(message)
            yield found


def _describe(message: Any) -> Parked:
    headers = message.headers
    deaths = headers.get("x-death") or [{}]
    body = message.body if isinstance(message.body, str) else bytes(message.body).decode(errors="replace")
    return Parked(
        message_id=message.properties.get("message_id"),
        type=message.properties.get("type"),
        reason=str(headers.get(PARKED) or deaths[0].get("reason", "unknown")),
        error=headers.get(ERROR),
        attempts=int(headers.get(ATTEMPTS, 0)),
        body=body,
    )
