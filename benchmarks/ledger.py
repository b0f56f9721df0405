"""What the ledger costs: holds one by one, results and awards in batches, many writers on one house account.

    .venv/bin/python benchmarks/ledger.py [--trades 3000] [--batch 100] [--writers 4]

Starts a PostgreSQL of its own (fsync off: CPU is measured, not the disk), migrates billing and calls its commands
without any service around them. CPU is user + system time of this process and of all PostgreSQL processes, divided
by the number of things done. Ends with billing's invariants and exits 1 when one is violated. Prints JSON.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "services/billing")]

import psutil  # noqa: E402  (the services are found by the path above)

from billing import ledger  # noqa: E402
from billing.commands.credit_commissions import credit_commissions  # noqa: E402
from billing.commands.open_demo_account import open_demo_account  # noqa: E402
from billing.commands.place_hold import place_hold  # noqa: E402
from billing.commands.settle_trades import settle_trades  # noqa: E402
from billing.invariants import INVARIANTS  # noqa: E402
from billing.rules import Account, LedgerTx, Leg  # noqa: E402
from shared.chassis.context import Context  # noqa: E402
from shared.chassis.database import Database  # noqa: E402
from shared.chassis.migrations import migrate  # noqa: E402
from shared.contracts import schema  # noqa: E402
from shared.contracts.commission.events import CommissionAccrued  # noqa: E402
from shared.contracts.envelope import Data, Envelope, Received  # noqa: E402
from shared.contracts.trades.events import TradeSettled  # noqa: E402
from shared.devstack.temporary import temporary_postgres  # noqa: E402
from shared.utils.ids import new_id  # noqa: E402
from shared.utils.time import get_utc_now  # noqa: E402

ACCOUNTS = 100
AT_ONCE = 5
"""Ledger transactions that a writer of the house account commits together; `p99_ms` is that of such a commit."""


class Meter:
    """Runs something and says per unit what it took."""

    def __init__(self) -> None:
        self._me = psutil.Process()

    def _postgres(self) -> float:
        used = 0.0
        for child in self._me.children(recursive=True):
            with child.oneshot():
                times = child.cpu_times()
                used += times.user + times.system
        return used

    def run(self, units: int, work: Callable[[], object]) -> dict[str, float]:
        wall, mine, theirs = time.perf_counter(), time.process_time(), self._postgres()
        work()
        seconds = time.perf_counter() - wall
        return {
            "per_second": round(units / seconds),
            "python_cpu_ms": round((time.process_time() - mine) * 1000 / units, 3),
            "postgres_cpu_ms": round((self._postgres() - theirs) * 1000 / units, 3),
        }


def received(data: Data, subject: str) -> Received[Data]:
    envelope = Envelope(
        id=new_id(),
        type=data.type,
        version=1,
        source=data.owner,
        subject=subject,
        subject_version=2,
        occurred_at="2026-01-01T00:00:00Z",
        correlation_id=new_id(),
        data=schema.dump(data),
    )
    return Received(envelope, data)


def settled(user_id: str, account_id: str) -> Received[TradeSettled]:
    trade_id = new_id()
    data = dataclasses.replace(TradeSettled.example(), trade_id=trade_id, user_id=user_id, account_id=account_id)
    return received(data, trade_id)


def accrued(owner_id: str) -> Received[CommissionAccrued]:
    award_id = new_id()
    data = dataclasses.replace(CommissionAccrued.example(), award_id=award_id, trade_id=new_id(), owner_id=owner_id)
    return received(data, award_id)


def deposits(account_id: str, count: int) -> list[LedgerTx]:
    legs = [
        Leg(account=Account(account_id), amount=1, tx_type="DEPOSIT"),
        Leg(account=ledger.house("demo", "USD", "funding"), amount=-1),
    ]
    return [
        LedgerTx(kind="benchmark", ref=new_id(), environment="demo", currency="USD", legs=legs) for _ in range(count)
    ]


def measure(db: Database, trades: int, batch: int, writers: int) -> dict[str, Any]:
    meter, now = Meter(), get_utc_now()
    owners: list[tuple[Context, str]] = []
    for _ in range(ACCOUNTS):
        context = Context(kind="user", user_id=new_id())
        answer = open_demo_account(db, context, currency="USD", now=now)
        owners.append((context, answer["account"]["id"]))
    events = [settled(owners[n % ACCOUNTS][0].require_user(), owners[n % ACCOUNTS][1]) for n in range(trades)]

    def hold_all() -> None:
        for number, event in enumerate(events):
            place_hold(
                db,
                owners[number % ACCOUNTS][0],
                hold_id=event.data.trade_id,
                account_id=event.data.account_id,
                user_id=event.data.user_id,
                amount=event.data.held,
                currency="USD",
                now=now,
            )

    def settle_all() -> None:
        for start in range(0, trades, batch):
            settle_trades(db, events[start : start + batch], now=now)

    awards = [accrued(owners[0][0].require_user()) for _ in range(trades)]

    def credit_all() -> None:
        for start in range(0, trades, batch):
            credit_commissions(db, awards[start : start + batch], now=now)

    latencies: list[float] = []

    def write(account_id: str) -> None:
        for start in range(0, trades // writers, AT_ONCE):
            wanted, begun = deposits(account_id, min(AT_ONCE, trades // writers - start)), time.perf_counter()
            with db.transaction() as tx:
                ledger.post(tx, wanted, now=now)
            latencies.append(1000 * (time.perf_counter() - begun))

    def write_all() -> None:
        with ThreadPoolExecutor(writers) as pool:
            list(pool.map(write, [account_id for _, account_id in owners[:writers]]))

    found: dict[str, dict[str, float]] = {
        "holds": meter.run(trades, hold_all),
        "settlements": meter.run(trades, settle_all),
        "awards of one affiliate": meter.run(trades, credit_all),
        "postings on one house account": meter.run(trades // writers * writers, write_all),
    }
    found["postings on one house account"]["p99_ms"] = round(sorted(latencies)[int(len(latencies) * 0.99)], 1)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("trades", 3000), ("batch", 100), ("writers", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, temporary_postgres(Path(folder)) as url:
        migrate("billing", url("billing", "billing_owner"))
        db = Database(url("billing", "billing"), pool_size=chosen.writers)
        result = measure(db, chosen.trades, chosen.batch, chosen.writers)
        with db.read() as tx:
            violations = {one.name: len(tx.exec_driver_sql(one.sql).all()) for one in INVARIANTS}
        db.close()
    result["violations"] = {name: count for name, count in violations.items() if count}
    print(json.dumps({**result, "load": os.getloadavg()}, indent=2))
    return 1 if result["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
