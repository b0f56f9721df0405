"""trades, billing and the relay as processes while the market fails: every trade ends, and the books are right."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from shared.chassis.context import Context, Idempotency
from shared.chassis.testing import eventually
from shared.chassis.testing.broker import Broker
from shared.chassis.testing.databases import Databases
from shared.chassis.verification import Equations, verify
from shared.contracts.errors import ServiceError
from shared.contracts.users.events import UserRegistered
from shared.devstack.environment import PYTHON_PATH, ROOT
from shared.devstack.state import free_ports
from shared.utils.ids import new_id

SERVICES = ("trades", "billing")
FAULTS = (
    "delay=0.1:300ms,drop=0.05,duplicate=0.1,disconnect=0.05,price_moved=0.1,buy_unknown=0.3,late_result=0.3:2s,seed=7"
)
OPENINGS = 40


@pytest.fixture
def relayed(databases: Databases, broker: Broker, tmp_path: Path) -> Iterator[None]:
    """What the two tell reaches whoever hears it."""
    env = {f"{name.upper()}_RELAY_DB_URL": databases.url(name, f"{name}_relay") for name in SERVICES}
    env |= {"RELAY_AMQP_URL": broker.url("relay"), "RELAY_WAKE": f"127.0.0.1:{free_ports(1)[0]}"}
    settings = {**os.environ, "PYTHONPATH": PYTHON_PATH, "HEALTH_DIR": str(tmp_path), **env}
    with (tmp_path / "relay.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "relay", *SERVICES], env=settings, stdout=log, stderr=log
        )
    yield
    process.terminate()
    process.wait(20)


@pytest.fixture
def violations(databases: Databases) -> Callable[[], Any]:
    """What the two say of their own tables and of each other's."""
    modules = {name: import_module(f"{name}.invariants") for name in SERVICES}
    stated = {fact for module in modules.values() for fact in module.FACTS}

    def look() -> Any:
        equations = {
            name: Equations(
                databases.url(name, "nexus_verify"),
                module.INVARIANTS,
                {claim: sql for claim, sql in module.CLAIMS.items() if claim in stated},
                module.FACTS,
            )
            for name, module in modules.items()
        }
        assert sum(len(one.claims) for one in equations.values()) > 0
        return verify(equations, dict).violations

    return look


def test_every_trade_ends_and_the_books_are_right(
    relayed: None, run_service: Any, rpc: Any, publish: Any, sql: Any, violations: Any
) -> None:
    run_service("billing")
    run_service("trades", MARKET_FAULTS=FAULTS)
    trader = Context(kind="user", user_id=new_id())
    publish(
        replace(UserRegistered.example(), user_id=trader.user_id, referrer_id=None, referral_code=None, code_id=None),
        subject=trader.user_id,
    )

    def call(service: str, method: str, key: str, **arguments: Any) -> Any:
        """The answer, or the refusal."""
        asked = replace(trader, idempotency=Idempotency(key, f"POST /{method}", ""))
        try:
            return rpc.call(service, method, ctx=asked, **arguments)
        except ServiceError as refusal:
            return refusal

    account = call("billing", "open_demo_account", "an-account")["account"]["id"]

    def heard() -> bool:
        with sql("trades").cursor() as cursor:
            cursor.execute("SELECT 1 FROM account_copies, user_copies")
            return cursor.fetchone() is not None

    eventually(heard, timeout=20)
    terms = {"account_id": account, "symbol": "1HZ100V", "contract_type": "PUT", "stake": "10.00"}

    def open_(key: str) -> Any:
        return call("trades", "open_trade", key, **terms, duration=2, duration_unit="t")

    told = {f"opening-{n:08}": open_(f"opening-{n:08}") for n in range(OPENINGS)}

    def statuses() -> dict[str, int]:
        with sql("trades").cursor() as cursor:
            cursor.execute("SELECT status, count(*) FROM trades GROUP BY 1")
            return dict(cursor.fetchall())

    eventually(lambda: not statuses().keys() & {"PENDING", "OPEN"}, timeout=60)
    assert statuses().keys() <= {"WON", "LOST", "REJECTED"}
    assert {"WON", "LOST"} & statuses().keys()
    for key, before in told.items():
        if not isinstance(before, ServiceError):
            again = open_(key)
            assert (again["replayed"], again["trade"]["id"]) == (True, before["trade"]["id"])

    def balance() -> Any:
        found = call("billing", "get_account", "no key", account_id=account)
        return found["balance"], found["available"]

    with sql("trades").cursor() as cursor:
        cursor.execute("SELECT 1000000 + sum(profit) FROM trades WHERE status IN ('WON', 'LOST')")
        (expected,) = cursor.fetchone()
    shown = f"{expected / 100:.2f}"
    eventually(lambda: balance() == (shown, shown), timeout=30)
    # Of purchases without an answer, some had been made, and were opened by the sweeper.
    with sql("trades").cursor() as cursor:
        cursor.execute("SELECT count(*) FROM trades WHERE claimed_at IS NOT NULL AND status <> 'REJECTED'")
        assert cursor.fetchone()[0] > 0
    assert violations() == []
