"""Each fact is told once, whatever arrives, in which order and how often."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.chassis.context import Context
from shared.contracts.commission.events import CommissionRuleChanged
from shared.contracts.trades.events import TradeCancelled, TradeSettled
from shared.contracts.users.events import UserLoginFailed, UserUpdated
from shared.utils.ids import new_id

TRADER, AFFILIATE = (
    Context(kind="user", user_id=UserUpdated.example().user_id),
    Context(kind="user", user_id=CommissionRuleChanged.example().owner_id),
)


def everybody(board):
    return board.rows("SELECT user_id::text, kind FROM notifications")


def test_the_same_thing_may_happen_to_somebody_again(board):
    locks = [replace(UserLoginFailed.example(), locked_until=f"2026-01-01T00:00:{n}0Z") for n in range(3)]
    changes = [(UserUpdated.example(), version) for version in (2, 3)]
    rules = [replace(CommissionRuleChanged.example(), rule_version=n) for n in (1, 2)]
    board.notify(*(board.received(fact) for fact in [*locks, *rules]))
    board.notify(*(board.received(fact, version=version) for fact, version in changes))
    assert len(board.ids(TRADER)) == 5
    assert len(board.ids(AFFILIATE)) == 2


def test_cancel_and_settle_of_a_trade_are_two_facts_in_either_order(board):
    facts = [board.received(TradeSettled.example()), board.received(replace(TradeCancelled.example(), settled=True))]
    board.notify(*facts)
    board.notify(*reversed(facts))
    assert sorted(one["title"] for one in board.list(TRADER)["results"]) == ["Trade cancelled", "Trade won"]


def test_a_batch_is_numbered_in_its_order_for_each_recipient(board):
    one, other = board.person(), board.person()
    events = [board.settled(user.user_id, stake=100 + n) for n in range(50) for user in (one, other)]
    board.notify(*events)
    for start, user in enumerate((one, other)):
        stored = board.rows("SELECT event_id::text FROM notifications WHERE user_id = %s ORDER BY number", user.user_id)
        assert [event_id for (event_id,) in stored] == [event.id for event in events[start::2]]
        assert board.numbers(user.user_id) == list(range(1, 51))
        assert board.unread(user) == 50


@pytest.mark.parametrize("size", [1, 100])
def test_a_batch_takes_two_statements_whatever_its_size(board, size):
    users = [new_id() for _ in range(size)]
    events = [board.settled(user) for user in users]
    for _ in range(2):
        with board.statements() as sent:
            board.notify(*events)
        assert len([one for one in sent if not one.startswith(("BEGIN", "COMMIT"))]) == 2
    assert len(everybody(board)) == size


def test_counters_are_locked_in_one_order_whatever_the_order_of_the_batch(board):
    users = sorted(new_id() for _ in range(20))
    with board.statements() as sent:
        board.notify(*(board.settled(user) for user in random.Random(3).sample(users, 20)))
    lock = next(one for one in sent if "INSERT INTO counters" in one)
    assert sorted(users, key=lock.index) == users


def test_an_event_that_comes_again_tells_nobody_even_under_another_id(board):
    event = board.settled(TRADER.user_id)
    board.notify(event, event)
    board.notify(event)
    board.notify(board.received(event.data, version=9))
    assert board.numbers(TRADER.user_id) == [1]
    assert board.unread(TRADER) == 1


def test_a_deleted_notification_does_not_come_back(board):
    events = [board.settled(TRADER.user_id) for _ in range(3)]
    board.notify(*events)
    board.delete(TRADER, board.ids(TRADER)[0])
    board.notify(*events)
    assert len(board.ids(TRADER)) == 2
    board.delete_all(TRADER)
    board.notify(*reversed(events))
    assert board.ids(TRADER) == []
    board.notify(board.settled(TRADER.user_id))
    assert board.numbers(TRADER.user_id) == [1, 2, 3, 4]
    assert board.unread(TRADER) == 1


FACTS = st.integers(0, 11)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(FACTS, max_size=12), max_size=8), deleted=st.sets(FACTS))
def test_any_batches_in_any_order_tell_each_fact_once(board, batches, deleted):
    users = [new_id() for _ in range(3)]
    events = [board.settled(users[number % 3]) for number in range(12)]
    heard = set()
    for batch in batches:
        board.notify(*(events[number] for number in batch))
        heard |= set(batch)
        for number in heard & deleted:
            user = Context(kind="user", user_id=users[number % 3])
            for one in board.list(user)["results"]:
                if one["data"]["trade_id"] == events[number].data.trade_id:
                    board.delete(user, one["id"])
    for index, user_id in enumerate(users):
        mine = {number for number in heard if number % 3 == index}
        assert board.numbers(user_id) == list(range(1, len(mine) + 1))
        shown = board.list(Context(kind="user", user_id=user_id))["results"]
        assert {one["data"]["trade_id"] for one in shown} == {events[number].data.trade_id for number in mine - deleted}
    assert board.violations() == {}


def test_batches_at_once_that_share_facts_and_people_leave_no_gap_and_no_double(board, at_once):
    users = [new_id() for _ in range(4)]
    events = [board.settled(users[number % 4]) for number in range(80)]
    shuffled = random.Random(7)
    batches = [shuffled.sample(events, 50) for _ in range(24)]
    batches += [events]
    assert set(at_once(*(partial(board.notify, *batch) for batch in batches), threads=8)) == {None}
    for user_id in users:
        assert board.numbers(user_id) == list(range(1, 21))
        assert board.unread(Context(kind="user", user_id=user_id)) == 20


def test_a_batch_that_fails_tells_nobody_anything(board):
    good, bad = board.settled(TRADER.user_id), board.settled(TRADER.user_id, currency="ZZZ")
    with pytest.raises(KeyError):
        board.notify(good, bad)
    with pytest.raises(ZeroDivisionError), board.db.transaction():
        board.notify(good)
        _ = 1 / 0
    assert everybody(board) == board.rows("SELECT 1 FROM counters") == []
