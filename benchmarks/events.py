"""What an event costs: outbox to broker by the relay, broker to handled by batches, beside raw kombu, in one run.

    NEXUS_TEST_PG=… NEXUS_TEST_AMQP=… NEXUS_TEST_API=… .venv/bin/python benchmarks/events.py --count 5000 --repeat 3

Three drains of as many `user_registered` events: (1) the outbox of users, emptied by a real relay process; (2) the
queue of trades, emptied by the real service (each event upserts a copy, 100 a commit); (3) the same queue, emptied by
raw kombu in one thread, acknowledged one by one, with no database. CPU is utime + stime of each process (the broker
and PostgreSQL include everything they do meanwhile). Prints JSON, medians of the repeats.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(p) for p in (ROOT, ROOT / "gateway", *sorted((ROOT / "services").glob("*")))]

import kombu  # noqa: E402

from benchmarks.bench.processes import cpu_seconds, listener  # noqa: E402
from shared.chassis import outbox, wire  # noqa: E402
from shared.chassis.context import Context, use  # noqa: E402
from shared.chassis.testing.broker import Broker  # noqa: E402
from shared.chassis.testing.databases import Databases  # noqa: E402
from shared.chassis.testing.processes import ServiceProcess  # noqa: E402
from shared.contracts import schema  # noqa: E402
from shared.contracts.envelope import Envelope  # noqa: E402
from shared.contracts.users.events import UserRegistered  # noqa: E402
from shared.devstack.environment import PYTHON_PATH  # noqa: E402
from shared.utils.ids import new_id  # noqa: E402
from shared.utils.time import get_utc_now, to_rfc3339  # noqa: E402

PATIENCE = 120.0
NAMES = {"username": "ada", "email": "ada@example.org", "first_name": "", "last_name": ""}


def server(url: str) -> Callable[[], float]:
    """CPU seconds of the server behind an address, with all that it started."""
    pid = listener(urlsplit(os.environ[url]).port or 0)
    return lambda: cpu_seconds(pid)


def measured(count: int, own: Callable[[], float], drain: Callable[[], None]) -> dict[str, float]:
    """Rate and CPU ms an event while `drain` runs."""
    clocks = (own, server("NEXUS_TEST_AMQP"), server("NEXUS_TEST_PG"))
    before, begun = [clock() for clock in clocks], time.perf_counter()
    drain()
    took, after = time.perf_counter() - begun, [clock() for clock in clocks]
    cost = [round((b - a) * 1000 / count, 4) for a, b in zip(before, after, strict=True)]
    return {"events_per_s": round(count / took), "own_ms": cost[0], "broker_ms": cost[1], "postgres_ms": cost[2]}


def until(done: Callable[[], bool]) -> None:
    begun = time.monotonic()
    while not done():
        assert time.monotonic() - begun < PATIENCE, "a server does not do its work"
        time.sleep(0.01)


def fill(broker: Broker, count: int) -> None:
    """Fills the queue of trades with `count` different events."""
    example = UserRegistered.example()
    with kombu.Connection(broker.url(), transport_options={"confirm_publish": False}) as connection:
        producer = kombu.Producer(connection.default_channel)
        for _ in range(count):
            data = replace(example, user_id=new_id())
            envelope = Envelope(
                id=new_id(),
                type=data.type,
                version=1,
                source="users",
                subject=data.user_id,
                subject_version=1,
                occurred_at=to_rfc3339(get_utc_now()),
                correlation_id=new_id(),
                data=schema.dump(data),
                personal=NAMES,
            )
            producer.publish(
                wire.dumps(envelope.to_json()),
                exchange="",
                routing_key="trades.events",
                delivery_mode=2,
                content_type="application/json",
                content_encoding="utf-8",
            )
    until(lambda: broker.depth("trades.events") == count)


def relay(count: int, broker: Broker, databases: Databases, folder: Path) -> dict[str, float]:
    db, example = databases.get("users"), UserRegistered.example()
    with use(Context(kind="system")):
        for _ in range(count // 100):
            with db.transaction(statement_ms=10_000) as tx:
                outbox.add_many(
                    tx, [outbox.Pending(data=example, subject=new_id(), personal=NAMES) for _ in range(100)]
                )
    env = {
        **os.environ,
        "PYTHONPATH": PYTHON_PATH,
        "PYTHONWARNINGS": "ignore",
        "HEALTH_DIR": str(folder),
        "USERS_RELAY_DB_URL": databases.url("users", "users_relay"),
        "RELAY_AMQP_URL": broker.url("relay"),
    }
    with (folder / "relay.log").open("wb") as log:
        command = [sys.executable, str(ROOT / "manage.py"), "relay", "users"]
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)

    def unsent() -> int:
        with databases.admin("users").cursor() as cursor:
            cursor.execute("SELECT count(*) FROM outbox WHERE sent_at IS NULL")
            return int(cursor.fetchone()[0])

    until(lambda: unsent() < count)
    found = measured(unsent(), lambda: cpu_seconds(process.pid), lambda: until(lambda: unsent() == 0))
    process.terminate()
    process.wait(20)
    return found


def handled(count: int, broker: Broker, databases: Databases, folder: Path) -> dict[str, float]:
    databases.get("trades")
    fill(broker, count)
    settings = {
        "TRADES_DB_URL": databases.url("trades", "trades"),
        "TRADES_AMQP_URL": broker.url("trades"),
        "SECRET_KEY": "a secret of the benchmark",
    }
    service = ServiceProcess("trades", folder, settings).start(wait=False)
    until(lambda: broker.depth("trades.events") < count)
    left = broker.depth("trades.events")
    pid = service.process.pid if service.process is not None else 0
    drain: Callable[[], None] = lambda: until(lambda: broker.depth("trades.events") == 0)  # noqa: E731
    found = measured(left, lambda: cpu_seconds(pid), drain)
    service.terminate()
    return found


def raw(count: int, broker: Broker) -> dict[str, float]:
    fill(broker, count)
    taken = 0

    def take(message: Any) -> None:
        nonlocal taken
        json.loads(message.body)
        message.ack()
        taken += 1

    def drain() -> None:
        with kombu.Connection(broker.url()) as connection:
            queue = kombu.Queue("trades.events", no_declare=True)
            with kombu.Consumer(connection, [queue], on_message=take, prefetch_count=200):
                while taken < count:
                    connection.drain_events()

    return measured(count, time.process_time, drain)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=5000)
    options.add_argument("--repeat", type=int, default=3)
    chosen = options.parse_args()
    runs: dict[str, list[dict[str, float]]] = {"relay": [], "handled in batches": [], "raw kombu": []}
    for _ in range(chosen.repeat):
        broker, databases = Broker("benchmark"), Databases("benchmark")
        broker.create()
        with tempfile.TemporaryDirectory() as folder:
            try:
                runs["relay"].append(relay(chosen.count, broker, databases, Path(folder)))
                broker.empty()
                runs["handled in batches"].append(handled(chosen.count, broker, databases, Path(folder)))
                broker.empty()
                runs["raw kombu"].append(raw(chosen.count, broker))
            finally:
                databases.close()
                broker.delete()
    medians = {
        name: {key: statistics.median(run[key] for run in found) for key in found[0]} for name, found in runs.items()
    }
    print(json.dumps({"events": chosen.count, "repeat": chosen.repeat, **medians}, indent=2))


if __name__ == "__main__":
    main()
