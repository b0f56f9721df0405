"""A service whose effects were lost gets them back from the archive, each once, and whoever has them keeps them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from shared.chassis.testing import eventually
from tests.flows.driver import Stack, Trader


@pytest.fixture
def told(stack: Stack) -> Iterator[Any]:
    """The database of notifications, as a superuser sees it."""
    found = stack.status()["postgres"]
    url = f"{found['admin_url'].rpartition('/')[0]}/{found['databases']['notifications']}"
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


def facts(cursor: Any) -> list[tuple[Any, ...]]:
    cursor.execute("SELECT user_id::text, kind, fact, title, body FROM notifications ORDER BY user_id, kind, fact")
    return list(cursor.fetchall())


def test_what_was_lost_comes_back_once(stack: Stack, trader: Trader, told: Any) -> None:
    trade_id = trader.open(trader.terms(seconds=1)).body["id"]
    eventually(lambda: trader.trade(trade_id)["status"] in ("WON", "LOST"), timeout=30)
    eventually(lambda: any(trade_id in fact for _, _, fact, _, _ in facts(told)), timeout=20)
    eventually(lambda: stack.verify()["pending"] == {}, timeout=60)
    before = facts(told)

    told.execute("SET session_replication_role = replica; DELETE FROM notifications; DELETE FROM counters")
    looked = [*stack.manage, "verify", "--state", str(stack.state)]
    assert subprocess.run(looked, capture_output=True, check=False, timeout=120).returncode == 1
    assert "events sent to notifications" in stack.verb("replay", "--to", "notifications")
    eventually(lambda: facts(told) == before, timeout=20)
    assert stack.verify()["ok"]

    assert (
        stack.verb("replay", "trade_settled", "--to", "billing", "--subject", trade_id).strip().startswith("nexus: 1 ")
    )
    assert "nexus: 0 " in stack.verb("replay", "--to", "billing", "--since", "2100-01-01T00:00:00Z")
    eventually(lambda: stack.verify()["pending"] == {}, timeout=60)
    assert stack.verify()["ok"]
    assert facts(told) == before


def test_only_what_a_service_hears_is_sent_to_it(stack: Stack) -> None:
    command = [*stack.manage, "replay", "user_logged_in", "--to", "billing", "--state", str(stack.state)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert refused.returncode == 1
    assert "billing does not hear user_logged_in" in refused.stderr


def test_nobody_is_made_to_decide_again_what_was_paid(stack: Stack) -> None:
    command = [*stack.manage, "replay", "--to", "commission", "--state", str(stack.state)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert refused.returncode == 1
    assert "they would be paid again" in refused.stderr
