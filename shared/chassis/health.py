"""Health that tells the truth: looked at every second from outside the service's own connections.

`Report` goes to `$HEALTH_DIR/<name>.json` for the supervisor, and is what the `health` call answers.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from logging import getLogger
from typing import Any

import eventlet
from nameko.extensions import DependencyProvider

from shared.chassis.consumer import Consumer
from shared.chassis.health_file import Report, write
from shared.chassis.probes import BrokerProbe, DatabaseProbe
from shared.settings.env import env

log = getLogger(__name__)

# Seconds between two looks, and while something is wrong.
_INTERVAL, _SOON = 1.0, 0.25


class Watch(DependencyProvider):
    """Looks at database, broker, consumers and relay each second, whatever the workers do; methods get the watch."""

    def setup(self) -> None:
        name = self.container.service_name
        self._name = name
        self._database = _database_probe(name)
        self._broker: BrokerProbe | None = None
        self._attached_at = time.monotonic()
        # Seconds without consumers, while the broker answers, after which only a new process helps.
        self._give_up = env.get_float("CONSUMERS_TIMEOUT", 30.0)
        self._thread: Any = None
        self.report = Report.of(name, {"broker": "not looked at yet"})

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._watch, identifier="health")

    def stop(self) -> None:
        if self._thread is not None:
            self._thread.kill()

    def get_dependency(self, worker_ctx: Any) -> Watch:
        return self

    def _watch(self) -> None:
        while True:
            started = time.monotonic()
            self.report = Report.of(self._name, self._look())
            write(self.report)
            if time.monotonic() - self._attached_at > self._give_up:
                raise RuntimeError(f"consumers not back after {self._give_up:g} s: {self.report.detail}")
            interval = _INTERVAL if self.report.healthy else _SOON
            eventlet.sleep(max(0.05, interval - (time.monotonic() - started)))

    def _look(self) -> dict[str, str | None]:
        database = eventlet.spawn(self._ask_database)
        problems: dict[str, str | None] = self._ask_broker()
        return {**database.wait(), **problems}

    def _ask_database(self) -> dict[str, str | None]:
        if self._database is None:
            return {}
        problem = self._database.problem()
        return {"database": problem, "relay": problem or self._database.relay_problem()}

    def _ask_broker(self) -> dict[str, str | None]:
        consumers = [extension for extension in self.container.extensions if isinstance(extension, Consumer)]
        if self._broker is None:
            self._broker = BrokerProbe(self.container.config["AMQP_URI"], _queues(consumers))
        broker = self._broker.problem()
        attached = self._not_attached(consumers) or broker or self._broker.consumers_problem()
        if broker is not None or attached is None:
            self._attached_at = time.monotonic()
        return {"broker": broker, "consumers": attached}

    def _not_attached(self, consumers: Iterable[Consumer]) -> str | None:
        lost = sorted(type(consumer).__name__ for consumer in consumers if not consumer.attached)
        return f"not attached: {', '.join(lost)}" if lost else None


def _queues(consumers: Iterable[Consumer]) -> list[str]:
    # Another connection may not look at an exclusive queue.
    return sorted({queue.name for consumer in consumers for queue in consumer.queues if not queue.exclusive})


def _database_probe(name: str) -> DatabaseProbe | None:
    url = env.get(f"{name.upper()}_DB_URL")
    return DatabaseProbe(url, relay_role=f"{name}_relay") if url else None
