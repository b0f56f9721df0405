"""Asking PostgreSQL and RabbitMQ whether they really serve us, on connections of our own and in bounded time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from logging import getLogger
from typing import Any

import eventlet
import psycopg2
from kombu.connection import Connection

log = getLogger(__name__)

# Seconds that a probe may take. Two of them and the pause between rounds stay below three seconds.
_BOUND = 1.0
# Seconds that a due event may lie in the outbox.
_LAG = 10.0


class _Probe:
    """Keeps a connection between checks; any failure throws it away."""

    def __init__(self) -> None:
        self._connection: Any = None

    def _bounded(self, check: Callable[[], str | None]) -> str | None:
        try:
            with eventlet.Timeout(_BOUND, TimeoutError(f"no answer in {_BOUND:g} s")):
                return check()
        except Exception as error:  # that it failed is the finding
            self.close()
            return f"{type(error).__name__}: {error}".strip()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception), eventlet.Timeout(_BOUND, False):
                self._shut(connection)

    def _shut(self, connection: Any) -> None:
        connection.close()


class DatabaseProbe(_Probe):
    """`select 1`, and whether the outbox is being emptied."""

    def __init__(self, url: str, *, relay_role: str | None = None) -> None:
        super().__init__()
        self._url = url
        self._relay_role = relay_role

    def problem(self) -> str | None:
        """What is wrong with the database, or None."""
        return self._bounded(self._select)

    def relay_problem(self) -> str | None:
        """What is wrong with the relay of this database, or None."""
        return self._bounded(self._relay)

    def _cursor(self) -> Any:
        if self._connection is None:
            self._connection = psycopg2.connect(self._url, application_name="health")
            self._connection.autocommit = True
        return self._connection.cursor()

    def _select(self) -> str | None:
        with self._cursor() as cursor:
            cursor.execute("select 1")
        return None

    def _relay(self) -> str | None:
        with self._cursor() as cursor:
            cursor.execute(
                "select exists (select from pg_stat_activity where usename = %s and datname = current_database())",
                (self._relay_role,),
            )
            if not cursor.fetchone()[0]:
                return f"no session of {self._relay_role}"
            cursor.execute(
                "select extract(epoch from clock_timestamp() - min(next_attempt_at))::float8"
                " from outbox where sent_at is null"
            )
            lag = cursor.fetchone()[0] or 0.0
        return f"an event has been due for {lag:.0f} s" if lag > _LAG else None


class BrokerProbe(_Probe):
    """The broker's own count of the consumers on `queues`."""

    def __init__(self, url: str, queues: Iterable[str]) -> None:
        super().__init__()
        self._url = url
        self._queues = tuple(queues)
        self._channel: Any = None

    def problem(self) -> str | None:
        """Why the broker cannot be reached, or None."""
        return self._bounded(self._connect)

    def consumers_problem(self) -> str | None:
        """Which queue nobody consumes, or None."""
        return self._bounded(self._count)

    def _connect(self) -> str | None:
        if self._connection is None:
            # A name, for the list of connections of whoever looks after the broker.
            options = {"client_properties": {"connection_name": "health"}}
            connection: Any = Connection(self._url, connect_timeout=_BOUND, heartbeat=0, transport_options=options)
            self._connection = connection
            connection.connect()
            self._channel = connection.channel()
        # A round trip, so that a broker that is frozen is noticed.
        self._channel.basic_qos(0, 1, False)
        return None

    def _count(self) -> str | None:
        self._connect()
        for queue in self._queues:
            if self._channel.queue_declare(queue, passive=True).consumer_count == 0:
                return f"nobody consumes {queue}"
        return None

    def _shut(self, connection: Any) -> None:
        connection.collect(socket_timeout=_BOUND)
