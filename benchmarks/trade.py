"""What one trade costs on a running stack: latencies, CPU by process, commits, messages, memory.

    ./nexus up --detach && .venv/bin/python benchmarks/trade.py --seconds 10 --concurrency 8

Opens one-second trades over HTTP and waits until all are settled and booked. CPU is utime + stime of
each process over the whole run, divided by the trades (the load generator is not in it). Commits come from
pg_stat_database, messages from the broker's management API. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from client.http import Http  # noqa: E402  (needs the path above)
from tests.flows.driver import Trader  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
IDLE_COMMITS_SECONDS = 3.0


def cpu_ms(pid: int) -> float:
    """CPU of a process and, for the postmaster, of its live backends, in ms."""
    total = 0.0
    for one in [pid, *children(pid)]:
        try:
            text = Path(f"/proc/{one}/stat").read_text()
        except OSError:
            continue
        fields = text[text.rindex(")") + 2 :].split()
        total += sum(int(f) for f in fields[11:15]) if one == pid else sum(int(f) for f in fields[11:13])
    return total * 1000 / TICKS


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50_ms": round(statistics.median(ordered), 1),
        "p99_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 1),
    }


def commits(admin_url: str, databases: dict[str, str]) -> dict[str, int]:
    with psycopg2.connect(admin_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select datname, xact_commit from pg_stat_database where datname = any(%s)", ([*databases.values()],)
        )
        found = dict(cursor.fetchall())
    return {service: found[name] for service, name in databases.items()}


class Opener(threading.Thread):
    def __init__(self, trader: Trader, until: float) -> None:
        super().__init__(daemon=True)
        self.trader, self.until = trader, until
        self.latencies: list[float] = []
        self.ids: list[str] = []

    def run(self) -> None:
        terms = self.trader.terms(stake="0.50", seconds=1)
        while time.monotonic() < self.until:
            begun = time.perf_counter()
            answer = self.trader.open(terms, uuid.uuid4().hex)
            if answer.status == 201:
                self.latencies.append((time.perf_counter() - begun) * 1000)
                self.ids.append(answer.body["id"])


def settled(opener: Opener) -> list[dict[str, Any]]:
    """The trades of one opener once all are booked."""
    while True:
        account = opener.trader.account()
        if account["balance"] == account["available"]:
            return [opener.trader.trade(trade_id) for trade_id in opener.ids[:200]]
        time.sleep(0.2)


def seconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--state", default=str(ROOT / ".nexus"))
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--concurrency", type=int, default=8)
    chosen = options.parse_args()
    status = json.loads(
        subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "status", "--json", "--state", chosen.state],
            capture_output=True,
            check=True,
        ).stdout
    )
    port = urlsplit(status["http"]["url"]).port
    assert port is not None
    traders = [Trader.register(Http(port)) for _ in range(chosen.concurrency)]
    admin, databases = status["postgres"]["admin_url"], status["postgres"]["databases"]

    idle_from = commits(admin, databases)
    time.sleep(IDLE_COMMITS_SECONDS)
    idle = {s: (n - idle_from[s]) / IDLE_COMMITS_SECONDS for s, n in commits(admin, databases).items()}

    pids = {p["name"]: p["pid"] for p in status["processes"] if p["kind"] != "supervisor"}
    cpu_before, commits_before, begun = (
        {n: cpu_ms(p) for n, p in pids.items()},
        commits(admin, databases),
        time.monotonic(),
    )
    openers = [Opener(trader, begun + chosen.seconds) for trader in traders]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join()
    opened_in = time.monotonic() - begun
    trades = [trade for opener in openers for trade in settled(opener)]
    time.sleep(1.5)  # pg_stat_database is flushed once a second
    took = time.monotonic() - begun
    count = sum(len(opener.ids) for opener in openers)
    cpu = {n: round((cpu_ms(p) - cpu_before[n]) / count, 2) for n, p in pids.items()}
    made = {s: round((n - commits_before[s] - idle[s] * took) / count, 2) for s, n in commits(admin, databases).items()}
    print(
        json.dumps(
            {
                "trades": count,
                "opens_per_second": round(count / opened_in, 1),
                "open_to_201": percentiles([ms for opener in openers for ms in opener.latencies]),
                "due_to_settled": percentiles(
                    [1000 * seconds_between(t["expires_at"], t["closed_at"]) for t in trades]
                ),
                "cpu_ms_per_trade": cpu | {"sum": round(sum(cpu.values()), 2)},
                "commits_per_trade": made | {"sum": round(sum(made.values()), 2)},
                "rss_mb": {p["name"]: round(p["rss_bytes"] / 2**20, 1) for p in status["processes"]},
                "published": published(status["amqp"]["admin_url"]),
            },
            indent=2,
        )
    )


def published(admin_url: str) -> dict[str, Any] | None:
    """Message counters of the broker, where its management API can be reached."""
    return None if not admin_url.startswith("http") else json.load(urllib.request.urlopen(admin_url + "/api/overview"))


if __name__ == "__main__":
    main()
