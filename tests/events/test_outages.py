"""Broker and database go away under the flow of events: nothing is lost and nothing happens twice."""

from __future__ import annotations

from typing import Any

import pytest

from shared.chassis.testing import eventually
from shared.chassis.topology import definitions
from shared.devstack.registry import plan


def publish(broker: Any, trade: Any) -> None:
    broker.publish(trade, subject=trade.trade_id, subject_version=2)


@pytest.mark.parametrize("what", ["connections to the broker", "sessions of the database", "the process"])
def test_events_survive_the_loss_of(
    what: str, billing: Any, run_service: Any, broker: Any, books: Any, settle: Any
) -> None:
    trades = [settle() for _ in range(60)]
    for number, trade in enumerate(trades):
        publish(broker, trade)
        if number == 30:
            if what == "connections to the broker":
                broker.close_connections("billing")
            elif what == "sessions of the database":
                books.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'billing'")
            else:
                billing.kill()
                run_service("billing", wait=False)
    eventually(lambda: len(books.settled()) == len(trades), timeout=30)
    assert sorted(books.settled()) == sorted(trade.trade_id for trade in trades)
    eventually(lambda: broker.depth("billing.events") == 0)
    assert broker.parked("billing") == 0
    assert books.rows("SELECT count(*) FROM accounts WHERE kind = 'client' AND held <> 0") == [(0,)]
    lost = sum(trade.stake + trade.markup for trade in trades)
    assert books.rows("SELECT sum(balance) FROM accounts WHERE kind = 'client'") == [(60 * 1_000_000 - lost,)]


def test_the_relay_publishes_after_an_outage_what_was_written_meanwhile(relay: Any, broker: Any, books: Any) -> None:
    eventually(relay.healthy)
    books.open_account()
    eventually(lambda: broker.depth("trades.events") == 1)
    broker.close_connections("relay")
    for _ in range(5):
        books.open_account()
    # At least: what was published and not marked as sent when the connection broke comes twice.
    eventually(lambda: broker.depth("trades.events") >= 6)
    books.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'billing_relay'")
    books.open_account()
    eventually(lambda: broker.depth("trades.events") >= 7)
    eventually(lambda: books.rows("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == [(0,)])
    assert relay.stop() == 0


def test_an_event_that_cannot_be_routed_is_noticed_and_holds_up_nobody(relay: Any, broker: Any, books: Any) -> None:
    broker.delete_binding("audit", "billing", "transaction_recorded")
    try:
        books.open_account()
        eventually(lambda: "cannot be routed" in relay.log())
        # The account's own event, which others hear, goes its way.
        unsent = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"
        eventually(lambda: books.rows(unsent) == [(1,)])
        attempts, later = books.rows("SELECT attempts, next_attempt_at > now() FROM outbox WHERE sent_at IS NULL")[0]
        assert attempts >= 1
        assert later is True
    finally:
        broker.api.import_definitions(broker.vhost, definitions(plan()))
    eventually(lambda: broker.depth("audit.events") == 2, timeout=15)
    eventually(lambda: books.rows("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == [(0,)])
