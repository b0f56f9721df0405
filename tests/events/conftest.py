"""billing as a real process with a relay, hearing real events: how messages fare when things go wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from shared.chassis.context import Context, use
from shared.chassis.testing.broker import Broker
from shared.chassis.testing.databases import Databases
from shared.contracts.trades.events import TradeSettled
from shared.devstack.environment import PYTHON_PATH, ROOT
from shared.devstack.registry import SERVICES
from shared.devstack.state import free_ports
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now
from tests.events.snapshot import Snapshot
from tests.events.world import World


class Books:
    """What the tests do to billing's database, by billing's own commands, and see in it."""

    def __init__(self, db: Any, admin: Any) -> None:
        self.db, self.admin = db, admin

    def open_account(self) -> tuple[str, str]:
        """(user id, account id) of a new demo account with 10,000.00."""
        from billing.commands.open_demo_account import open_demo_account

        asked = Context(kind="user", user_id=new_id())
        with use(asked):
            answer = open_demo_account(self.db, asked, currency="USD", now=get_utc_now())
        return asked.require_user(), answer["account"]["id"]

    def hold(self, trade: TradeSettled) -> None:
        from billing.commands.place_hold import place_hold

        place_hold(
            self.db,
            Context(kind="system"),
            hold_id=trade.trade_id,
            account_id=trade.account_id,
            user_id=trade.user_id,
            amount=trade.held,
            currency=trade.currency,
            now=get_utc_now(),
        )

    def settled(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT ref FROM ledger_tx WHERE kind = 'settle'")]

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.admin.cursor() as cursor:
            cursor.execute(query, values or None)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found


@pytest.fixture
def books(database: Callable[[str], Any], sql: Callable[[str], Any]) -> Books:
    return Books(database("billing"), sql("billing"))


@pytest.fixture
def settle(books: Books) -> Callable[..., TradeSettled]:
    """A lost trade of a new account; keywords change it. The hold is placed unless told otherwise."""

    def make(*, held: bool = True, **changes: Any) -> TradeSettled:
        user, account = books.open_account()
        trade = replace(
            TradeSettled.example(),
            trade_id=new_id(),
            user_id=user,
            account_id=account,
            payout=0,
            status="LOST",
            **changes,
        )
        if held:
            books.hold(trade)
        return trade

    return make


@pytest.fixture
def billing(run_service: Callable[..., Any], books: Books) -> Any:
    return run_service("billing", LOG_FORMAT="json")


class Relay:
    """The relay of billing as a process."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self._log, self._report = folder / "relay.log", folder / "relay.json"
        settings = {**os.environ, "PYTHONPATH": PYTHON_PATH, "HEALTH_DIR": str(folder), "LOG_FORMAT": "json", **env}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "relay", "billing"], env=settings, stdout=log, stderr=log
            )

    def healthy(self) -> bool:
        if not self._report.exists():
            return False
        report = json.loads(self._report.read_text())
        return bool(report["healthy"] and report["pid"] == self.process.pid and time.time() - report["at"] < 5)

    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(20)


@pytest.fixture
def relay(databases: Databases, books: Books, broker: Broker, tmp_path: Path) -> Iterator[Relay]:
    env = {
        "BILLING_RELAY_DB_URL": databases.url("billing", "billing_relay"),
        "RELAY_AMQP_URL": broker.url("relay"),
        "RELAY_WAKE": f"127.0.0.1:{free_ports(1)[0]}",
    }
    made = Relay(env, tmp_path)
    yield made
    if made.process.poll() is None:
        made.stop()


@pytest.fixture
def as_json() -> Callable[[Any], bytes]:
    return lambda value: json.dumps(asdict(value)).encode()


@pytest.fixture(scope="module")
def world(databases: Databases, keys: dict[str, str]) -> Iterator[World]:
    """All services in this process, on databases that are empty when the module begins."""
    from users import passwords

    # The least that Argon2 allows.
    cheap = {"ARGON2_TIME_COST": "1", "ARGON2_MEMORY_KIB": "8"}
    with pytest.MonkeyPatch.context() as settings:
        for name, value in {**keys, **cheap}.items():
            settings.setenv(name, value)
        passwords._hasher.cache_clear()
        made = World(databases)
        databases.empty()
        yield made
    passwords._hasher.cache_clear()


@pytest.fixture(scope="module")
def snapshot(world: World) -> Iterator[Callable[[], Snapshot]]:
    """Keeps all rows as they are when it is called; they can be had back until the module ends."""
    made: list[Snapshot] = []

    def keep() -> Snapshot:
        made.append(Snapshot(world, SERVICES))
        return made[-1]

    yield keep
    for one in made[-1:]:
        one.drop()
