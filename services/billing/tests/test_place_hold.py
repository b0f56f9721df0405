"""Reserving money: never more than there is, once per hold."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from billing.commands.place_hold import place_hold
from shared.chassis.context import Context
from shared.contracts.billing.errors import AccountNotFound, HoldMismatch, HoldRefused, InsufficientFunds
from shared.contracts.errors import Unauthorized
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now


def test_a_hold_lowers_what_is_available_and_not_the_balance(books):
    trader = books.trader()
    hold_id = new_id()
    assert books.hold(trader, 1039, hold_id) == {"hold_id": hold_id, "amount": 1039, "available": 998_961}
    assert books.money(trader) == (1_000_000, 1039)
    assert books.lines(trader) == [("DEPOSIT", "10000.00", "10000.00")]


def test_fifty_parallel_holds_take_exactly_what_is_affordable(books, at_once):
    trader = books.trader()
    answers = at_once(*[partial(books.hold, trader, 90_000) for _ in range(50)])
    assert Counter(isinstance(answer, dict) for answer in answers) == {True: 11, False: 39}
    assert {answer for answer in answers if isinstance(answer, str)} == {"insufficient_funds"}
    assert books.money(trader) == (1_000_000, 990_000)


def test_the_last_minor_unit_can_be_held_and_not_one_more(books):
    trader = books.trader()
    with pytest.raises(InsufficientFunds):
        books.hold(trader, 1_000_001)
    assert books.hold(trader, 1_000_000)["available"] == 0
    with pytest.raises(InsufficientFunds):
        books.hold(trader, 1)


def test_the_floor_stays_out_of_reach(books):
    trader = books.trader()
    books.rows("UPDATE accounts SET floor = 400000 WHERE id = %s", trader.account_id)
    with pytest.raises(InsufficientFunds):
        books.hold(trader, 600_001)
    assert books.hold(trader, 600_000)["available"] == 0


def test_the_same_hold_fifty_times_at_once_is_one(books, at_once):
    trader, hold_id = books.trader(), new_id()
    answers = at_once(*[partial(books.hold, trader, 30_000, hold_id) for _ in range(50)])
    assert {answer["amount"] for answer in answers} == {30_000}
    assert books.money(trader) == (1_000_000, 30_000)


def test_a_repeat_is_answered_even_when_the_rest_is_gone(books):
    trader, hold_id = books.trader(), new_id()
    books.hold(trader, 600_000, hold_id)
    books.hold(trader, 400_000)
    assert books.hold(trader, 600_000, hold_id)["available"] == 0


def test_the_same_id_with_another_amount_or_account_is_a_mismatch(books):
    trader, other, hold_id = books.trader(), books.trader(), new_id()
    books.hold(trader, 1000, hold_id)
    with pytest.raises(HoldMismatch):
        books.hold(trader, 1001, hold_id)
    with pytest.raises(HoldMismatch):
        books.hold(other, 1000, hold_id)
    assert books.money(trader) == (1_000_000, 1000)
    assert books.money(other) == (1_000_000, 0)


def test_a_hold_that_was_released_before_it_came_is_refused_for_ever(books):
    trader, hold_id = books.trader(), new_id()
    assert books.release(hold_id) == "RELEASED"
    for _ in range(2):
        with pytest.raises(HoldRefused):
            books.hold(trader, 1000, hold_id)
    assert books.money(trader) == (1_000_000, 0)


def test_a_hold_and_its_release_at_once_end_free_whoever_was_first(books, at_once):
    trader = books.trader()
    ids = [new_id() for _ in range(25)]
    calls = [call for id_ in ids for call in (partial(books.hold, trader, 1000, id_), partial(books.release, id_))]
    answers = at_once(*calls)
    assert set(answers[1::2]) == {"RELEASED"}
    assert {answer for answer in answers[::2] if isinstance(answer, str)} <= {"hold_refused"}
    assert books.money(trader) == (1_000_000, 0)


@pytest.mark.parametrize("wrong", ["account_id", "currency", "user_id"])
def test_an_account_that_does_not_fit_looks_like_none(books, wrong):
    trader, stranger = books.trader(), books.trader()
    asked = {"account_id": trader.account_id, "user_id": trader.user_id, "currency": "USD"}
    asked[wrong] = {"account_id": new_id(), "currency": "EUR", "user_id": stranger.user_id}[wrong]
    with pytest.raises(AccountNotFound):
        place_hold(books.db, Context(kind="system"), hold_id=new_id(), amount=1, now=get_utc_now(), **asked)


def test_a_house_account_cannot_be_held(books):
    trader = books.trader()
    (house,) = books.one("SELECT id::text FROM accounts WHERE purpose = 'funding'")
    with pytest.raises(AccountNotFound):
        place_hold(
            books.db,
            Context(kind="system"),
            hold_id=new_id(),
            account_id=house,
            user_id=trader.user_id,
            amount=1,
            currency="USD",
            now=get_utc_now(),
        )


@pytest.mark.parametrize(
    ("kind", "is_owner", "refusal"),
    [
        ("anonymous", True, Unauthorized),
        ("user", True, None),
        ("user", False, AccountNotFound),
        ("staff", True, None),
        ("staff", False, AccountNotFound),
        ("system", False, None),
    ],
)
def test_who_may_hold_whose_money(books, kind, is_owner, refusal):
    trader = books.trader()
    caller = Context(kind=kind, user_id=trader.user_id if is_owner else new_id())
    asked = {"hold_id": new_id(), "account_id": trader.account_id, "user_id": trader.user_id, "amount": 1}
    if refusal is None:
        assert place_hold(books.db, caller, currency="USD", now=get_utc_now(), **asked)["amount"] == 1
    else:
        with pytest.raises(refusal):
            place_hold(books.db, caller, currency="USD", now=get_utc_now(), **asked)
