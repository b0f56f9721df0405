"""A failing event is never lost, never hot, and never holds up the others."""

from __future__ import annotations

import json
from typing import Any

from shared.chassis.parking import Parking
from shared.chassis.testing import eventually
from shared.contracts.users.events import UserRegistered
from shared.utils.ids import new_id


def publish(broker: Any, trade: Any, **options: Any) -> None:
    broker.publish(trade, subject=trade.trade_id, subject_version=2, **options)


def test_an_event_heard_many_times_acts_once(billing: Any, broker: Any, books: Any, settle: Any) -> None:
    trades = [settle() for _ in range(5)]
    event_ids = {trade.trade_id: new_id() for trade in trades}
    for _ in range(3):
        for trade in trades:
            publish(broker, trade, event_id=event_ids[trade.trade_id])
    eventually(lambda: len(books.settled()) == 5 and broker.depth("billing.events") == 0)
    assert sorted(books.settled()) == sorted(trade.trade_id for trade in trades)
    for trade in trades:
        balances = books.rows("SELECT balance, held FROM accounts WHERE id = %s", trade.account_id)
        assert balances == [(1_000_000 - trade.stake - trade.markup, 0)]
    assert broker.parked("billing") == 0


def test_of_a_batch_with_one_bad_event_only_that_one_is_parked(
    run_service: Any, broker: Any, books: Any, settle: Any
) -> None:
    good = [settle() for _ in range(10)]
    bad = settle(markup=-5)
    # Waiting together before the service starts, so that they are one batch.
    for trade in [*good[:5], bad, *good[5:]]:
        publish(broker, trade)
    run_service("billing")
    eventually(lambda: len(books.settled()) == 10 and broker.parked("billing") == 1, timeout=15)
    (parked,) = Parking(broker.url(), "billing").messages()
    assert (parked.type or json.loads(parked.body)["type"]) == "trade_settled"
    assert json.loads(parked.body)["subject"] == bad.trade_id
    assert parked.reason == "permanent"
    assert parked.error
    assert broker.depth("billing.events") == 0


def test_what_cannot_be_done_yet_waits_on_the_ladder_without_a_hot_loop(
    billing: Any, broker: Any, books: Any, settle: Any
) -> None:
    early, other = settle(held=False), settle()
    publish(broker, early)
    publish(broker, other)
    eventually(lambda: books.settled() == [other.trade_id])
    eventually(lambda: broker.depth("retry.1s") + broker.depth("retry.5s") > 0)
    assert broker.parked("billing") == 0
    attempts = billing.log().count("event trade_settled failed")
    assert 1 <= attempts <= 3
    books.hold(early)
    eventually(lambda: set(books.settled()) == {early.trade_id, other.trade_id}, timeout=20)
    assert billing.log().count("event trade_settled failed") <= 4


def test_what_is_no_event_is_parked_and_the_next_is_heard(billing: Any, broker: Any, books: Any, settle: Any) -> None:
    poison = [
        b"not json",
        b'{"a": NaN}',
        b'{"type": "trade_settled", "type": "x"}',
        b"{}",
        b'{"id": 1}',
        b'[{"__type__": "decimal", "__value__": "NaN"}]',
    ]
    for body in poison:
        broker.publish_raw("trades.events", "trade_settled", body)
    trade = settle()
    publish(broker, trade)
    eventually(lambda: books.settled() == [trade.trade_id] and broker.parked("billing") == len(poison))
    assert broker.depth("billing.events") == 0


def test_a_parked_event_can_be_sent_again(billing: Any, broker: Any, books: Any) -> None:
    body = json.dumps({"id": "x"}).encode()
    broker.publish_raw("trades.events", "trade_settled", body, message_id="message-1")
    eventually(lambda: broker.parked("billing") == 1)
    parking = Parking(broker.url(), "billing")
    assert len(parking.redrive("another")) == 0
    assert len(parking.redrive("message-1")) == 1
    # It is still no event, so it is parked again: it went all the way.
    eventually(lambda: broker.parked("billing") == 1)
    assert billing.log().count("failed (permanent)") >= 2


def test_copies_take_the_newest_version_in_any_order(billing: Any, broker: Any, books: Any) -> None:
    user = new_id()
    registered = UserRegistered(**{**vars(UserRegistered.example()), "user_id": user})
    frozen = UserRegistered(**{**vars(UserRegistered.example()), "user_id": user, "is_frozen": True})
    names = {"username": "ada", "email": "a@b.org", "first_name": "", "last_name": ""}
    broker.publish(frozen, subject=user, subject_version=7, personal=names)
    broker.publish(registered, subject=user, subject_version=1, personal=names)
    eventually(lambda: broker.depth("billing.events") == 0 and books.rows("SELECT 1 FROM user_copies") != [])
    assert books.rows("SELECT is_frozen FROM user_copies WHERE user_id = %s", user) == [(True,)]
