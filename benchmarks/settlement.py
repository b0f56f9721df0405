"""From the end of a contract to its event: thousands of open trades that end within a few seconds.

    NEXUS_TEST_PG=… NEXUS_TEST_AMQP=… NEXUS_TEST_API=… .venv/bin/python benchmarks/settlement.py --open 5000 --over 60

A real trades process and a real relay; the trades are written as an opening leaves them, and end on whole seconds,
as many in each of the `--over` seconds. For each of them: from its end until it is taken up (`closed_at`), and until a
consumer hears `trade_settled`. Prints JSON, in ms; of repeats the medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(p) for p in (ROOT, ROOT / "gateway", *sorted((ROOT / "services").glob("*")))]

import kombu  # noqa: E402  (needs the path above)

from shared.chassis.testing.broker import Broker  # noqa: E402
from shared.chassis.testing.databases import Databases  # noqa: E402
from shared.chassis.testing.processes import ServiceProcess  # noqa: E402
from shared.devstack.environment import PYTHON_PATH  # noqa: E402
from shared.devstack.state import free_ports  # noqa: E402

SECONDS_TO_START = 8
"""Until the first one ends: the processes are up by then."""
OPEN = """
    INSERT INTO trades (id, user_id, account_id, account_type, currency, symbol, contract_type, direction, stake,
        markup_applied, held, potential_payout, markup_percent, markup_source, transaction_id, contract_id,
        duration_seconds, duration, duration_unit, opened_at, starts_at, expires_at, status, opening_deadline,
        correlation_id, opened_event_id, version, created_at, updated_at)
    SELECT gen_random_uuid(), md5((n %% 500)::text)::uuid, md5((n %% 500)::text)::uuid, 'DEMO', 'USD',
        (ARRAY['R_50', 'R_100', '1HZ100V'])[1 + n %% 3], 'CALL', 'RISE', 1000, 0, 1000, 1954, 0, 'platform',
        'tx_' || n, gen_random_uuid(), 2, 2, 's', at - interval '3 s', at - interval '2 s', at, 'OPEN', at,
        gen_random_uuid(), gen_random_uuid(), 2, at - interval '3 s', at - interval '3 s'
    FROM (SELECT n, to_timestamp(%(first)s + n %% %(over)s) AS at FROM generate_series(1, %(open)s) AS n) AS due
"""


class Listener(threading.Thread):
    """Notes when each event comes: by the trade that it is about."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url, self.bodies = url, []  # type: tuple[str, list[tuple[float, str]]]
        self.ready, self.stopping = threading.Event(), False

    def run(self) -> None:
        with kombu.Connection(self._url) as connection:
            exchange = kombu.Exchange("trades.events", type="topic", passive=True, durable=True)
            queue = kombu.Queue("", exchange, "trade_settled", exclusive=True, auto_delete=True)
            with kombu.Consumer(connection, [queue], on_message=self._take, no_ack=True):
                self.ready.set()
                while not self.stopping:
                    try:
                        connection.drain_events(timeout=0.2)
                    except TimeoutError:
                        continue

    def _take(self, message: Any) -> None:
        self.bodies.append((time.time(), message.body))

    def arrivals(self) -> dict[str, float]:
        return {json.loads(body)["subject"]: at for at, body in self.bodies}


def measure(chosen: argparse.Namespace, broker: Broker, databases: Databases, folder: Path) -> dict[str, float]:
    databases.get("trades")
    listener = Listener(broker.url())
    listener.start()
    listener.ready.wait(10)
    env = {
        "TRADES_DB_URL": databases.url("trades", "trades"),
        "TRADES_AMQP_URL": broker.url("trades"),
        "SECRET_KEY": "a secret of the benchmark",
        "RELAY_WAKE": (wake := f"127.0.0.1:{free_ports(1)[0]}"),
    }
    services = []
    for number in range(chosen.processes):
        (folder / str(number)).mkdir()
        services.append(ServiceProcess("trades", folder / str(number), env).start(wait=False))
    relay = start_relay(broker, databases, folder, wake)
    try:
        while (now := time.time()) % 3600 > 3600 - chosen.over - 30:
            time.sleep(1)
        first = int(now) + SECONDS_TO_START
        with databases.admin("trades").cursor() as cursor:
            cursor.execute(OPEN, {"first": first, "over": chosen.over, "open": chosen.open})
            cursor.execute("ANALYZE trades")
            while len(listener.bodies) < chosen.open and time.time() < first + chosen.over + 60:
                time.sleep(0.2)
            cursor.execute("SELECT id::text, expires_at, closed_at FROM trades WHERE status IN ('WON', 'LOST')")
            rows = cursor.fetchall()
    finally:
        listener.stopping = True
        for service in services:
            service.kill()
        relay.kill()
        listener.join()
    if len(rows) != chosen.open or len(listener.bodies) != chosen.open:
        raise SystemExit(f"{len(rows)} of {chosen.open} settled, {len(listener.bodies)} events")
    arrivals = listener.arrivals()
    taken = [(closed - due).total_seconds() * 1000 for _, due, closed in rows]
    heard = [(arrivals[id_] - due.timestamp()) * 1000 for id_, due, _ in rows]
    return {**percentiles("taken_up", taken), **percentiles("heard", heard)}


def start_relay(broker: Broker, databases: Databases, folder: Path, wake: str) -> subprocess.Popen[bytes]:
    env = {
        **os.environ,
        "PYTHONPATH": PYTHON_PATH,
        "PYTHONWARNINGS": "ignore",
        "HEALTH_DIR": str(folder),
        "TRADES_RELAY_DB_URL": databases.url("trades", "trades_relay"),
        "RELAY_AMQP_URL": broker.url("relay"),
        "RELAY_WAKE": wake,
    }
    with (folder / "relay.log").open("wb") as log:
        command = [sys.executable, str(ROOT / "manage.py"), "relay", "trades"]
        return subprocess.Popen(command, env=env, stdout=log, stderr=log)


def percentiles(name: str, values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    wanted = {"p50": 0.5, "p99": 0.99, "max": 1}
    last = len(ordered) - 1
    return {f"{name}_{key}": round(ordered[min(last, int(len(ordered) * share))], 1) for key, share in wanted.items()}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--open", type=int, default=5000)
    options.add_argument("--over", type=int, default=60, help="seconds that the ends are spread over")
    options.add_argument("--processes", type=int, default=1)
    options.add_argument("--repeat", type=int, default=1)
    chosen = options.parse_args()
    runs: list[dict[str, float]] = []
    for _ in range(chosen.repeat):
        broker, databases = Broker("settlement"), Databases("settlement")
        broker.create()
        with tempfile.TemporaryDirectory() as folder:
            try:
                runs.append(measure(chosen, broker, databases, Path(folder)))
            finally:
                databases.close()
                broker.delete()
    medians = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    began = datetime.now(UTC).isoformat(timespec="seconds")
    print(json.dumps({"at": began, **vars(chosen), "load": os.getloadavg()[0], **medians}, indent=2))


if __name__ == "__main__":
    main()
