"""`verify` finds what is wrong, names it, and cries over nothing that is only on its way."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest

from shared.chassis.broker_api import BrokerApi
from shared.chassis.testing import eventually
from tests.flows.driver import Stack, Trader
from tests.flows.load import Load


def verify(stack: Stack) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [*stack.manage, "verify", "--json", "--state", str(stack.state)],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


@contextmanager
def tampered(stack: Stack, service: str, change: str, back: str, *values: Any) -> Iterator[None]:
    """As somebody with the superuser's password would, past every trigger."""
    found = stack.status()["postgres"]
    url = found["admin_url"].rpartition("/")[0] + "/" + found["databases"][service]
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(change, values)
            assert cursor.rowcount == 1
            try:
                yield
            finally:
                cursor.execute(back, values)


@pytest.fixture
def settled(trader: Trader) -> dict[str, Any]:
    trade: dict[str, Any] = trader.open(trader.terms()).body
    eventually(lambda: trader.settled(trade["id"]), timeout=15)
    return trade


def test_a_balance_that_is_one_cent_off_is_found_and_named(stack: Stack, trader: Trader) -> None:
    update = "UPDATE accounts SET balance = balance {} 1 WHERE id = %s"
    with tampered(stack, "billing", update.format("+"), update.format("-"), trader.account_id):
        code, found = verify(stack)
    assert code == 1
    assert trader.account_id in {violation["id"] for violation in found["violations"]}
    assert verify(stack)[0] == 0


def test_a_posting_that_was_changed_is_found(stack: Stack, settled: dict[str, Any]) -> None:
    update = (
        "UPDATE postings SET amount = amount {} 1 WHERE line = 1"
        " AND tx_id = (SELECT id FROM ledger_tx WHERE kind = 'settle' AND ref = %s)"
    )
    with tampered(stack, "billing", update.format("+"), update.format("-"), settled["id"]):
        code, found = verify(stack)
    assert code == 1
    assert len({violation["name"] for violation in found["violations"]}) > 1


def test_a_trade_and_its_ledger_that_disagree_are_found(stack: Stack, settled: dict[str, Any]) -> None:
    change = "UPDATE trades SET stake = stake + 1, profit = profit - 1, held = held + 1 WHERE id = %s"
    back = "UPDATE trades SET stake = stake - 1, profit = profit + 1, held = held - 1 WHERE id = %s"
    with tampered(stack, "trades", change, back, settled["id"]):
        code, found = verify(stack)
    assert code == 1
    assert ("ledger_settlement", settled["id"]) in {(v["name"], v["id"]) for v in found["violations"]}


def test_a_hold_without_its_trade_is_found(stack: Stack, trader: Trader) -> None:
    trade = trader.open(trader.terms(seconds=3600)).body
    aside = "CREATE TABLE kept AS SELECT * FROM trades WHERE id = %s"
    back = "WITH kept_one AS (SELECT * FROM kept) INSERT INTO trades SELECT * FROM kept_one"
    with (
        tampered(stack, "trades", aside, "DROP TABLE kept", trade["id"]),
        tampered(stack, "trades", "DELETE FROM trades WHERE id = %s", back, trade["id"]),
    ):
        code, found = verify(stack)
    assert code == 1
    assert ("live_trade", trade["id"]) in {(v["name"], v["id"]) for v in found["violations"]}


def test_a_parked_message_is_a_violation_until_it_is_dealt_with(stack: Stack) -> None:
    api = BrokerApi(stack.status()["amqp"]["api_url"])
    # To one reader's queue alone: every other one would park it too.
    body = {"properties": {}, "routing_key": "billing.events", "payload": "{}", "payload_encoding": "string"}
    api.call("POST", "/exchanges/nexus/amq.default/publish", body)
    eventually(lambda: "permanent" in stack.verb("parking", "list"))
    code, found = verify(stack)
    assert (code, [(v["service"], v["name"]) for v in found["violations"]]) == (1, [("billing", "parked")])
    api.call("DELETE", "/queues/nexus/billing.parking/contents")
    assert verify(stack)[0] == 0


def test_no_false_alarm_under_load(stack: Stack, trader: Trader) -> None:
    with Load([trader], pause=0.02) as load:
        eventually(lambda: load.opened() > 20, timeout=30)
        outcomes: list[int] = []
        checks = threading.Thread(target=lambda: outcomes.extend(verify(stack)[0] for _ in range(4)))
        checks.start()
        checks.join(120)
    assert outcomes == [0, 0, 0, 0]
    assert load.opened() > 30


def test_a_server_that_is_away_is_no_violation(stack: Stack, tmp_path: Any) -> None:
    done = subprocess.run(
        [*stack.manage, "verify", "--json", "--state", str(tmp_path / "nothing")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["violations"] == []
