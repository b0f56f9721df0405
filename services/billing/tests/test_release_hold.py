"""Giving reserved money back, in whatever order things arrive."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from shared.chassis.context import Context
from shared.contracts.billing.errors import AccountNotFound, HoldMismatch, HoldRefused
from shared.contracts.errors import NotReady, Unauthorized
from shared.utils.ids import new_id


def test_releasing_frees_the_money_once(books):
    trader, hold_id = books.trader(), new_id()
    books.hold(trader, 1000, hold_id)
    assert [books.release(hold_id) for _ in range(3)] == ["RELEASED"] * 3
    assert books.money(trader) == (1_000_000, 0)
    with pytest.raises(HoldRefused):
        books.hold(trader, 1000, hold_id)


def test_fifty_releases_at_once_free_the_money_once(books, at_once):
    trader, hold_id = books.trader(), new_id()
    books.hold(trader, 5000)
    books.hold(trader, 1000, hold_id)
    assert set(at_once(*[partial(books.release, hold_id) for _ in range(50)])) == {"RELEASED"}
    assert books.money(trader) == (1_000_000, 5000)


def test_a_hold_that_was_used_stays_used(books):
    trader, trade_id = books.trader(), new_id()
    books.hold(trader, 1039, trade_id)
    books.settle(books.settled(trader, trade_id))
    assert books.release(trade_id) == "SETTLED"
    assert books.money(trader) == (1_000_915, 0)


@pytest.mark.parametrize("order", list(itertools.permutations(["hold", "release", "settle"])), ids="-".join)
def test_any_order_with_everything_twice_ends_with_one_outcome(books, order):
    trader, trade_id = books.trader(), new_id()
    steps = {
        "hold": partial(books.hold, trader, 1039, trade_id),
        "release": partial(books.release, trade_id),
        "settle": lambda: books.settle(books.settled(trader, trade_id)),
    }
    for step in order:
        for _ in range(2):
            try:
                steps[step]()
            except (HoldRefused, HoldMismatch, NotReady):
                continue
    wins = order.index("hold") < order.index("settle") < order.index("release")
    assert books.money(trader) == ((1_000_915 if wins else 1_000_000), 0)
    assert len(books.told("transaction_recorded")) == (2 if wins else 1)


def test_settle_and_release_at_once_agree_on_one_outcome(books, at_once):
    trader = books.trader()
    ids = [new_id() for _ in range(15)]
    for trade_id in ids:
        books.hold(trader, 1039, trade_id)
    events = [books.settled(trader, trade_id) for trade_id in ids]
    calls = [
        call
        for trade_id, event in zip(ids, events, strict=True)
        for call in (partial(books.settle, event), partial(books.release, trade_id))
    ]
    answers = at_once(*calls)
    for settled, released in zip(answers[::2], answers[1::2], strict=True):
        assert (settled, released) in [(None, "SETTLED"), ("hold_mismatch", "RELEASED")]
    used = answers[1::2].count("SETTLED")
    assert books.money(trader) == (1_000_000 + 915 * used, 0)


@pytest.mark.parametrize(
    ("kind", "is_owner", "refusal"),
    [
        ("anonymous", True, Unauthorized),
        ("user", True, None),
        ("user", False, AccountNotFound),
        ("staff", False, None),
        ("system", False, None),
    ],
)
def test_who_may_release_whose_hold(books, kind, is_owner, refusal):
    trader, hold_id = books.trader(), new_id()
    books.hold(trader, 1000, hold_id)
    caller = Context(kind=kind, user_id=trader.user_id if is_owner else new_id())
    if refusal is None:
        assert books.release(hold_id, caller) == "RELEASED"
    else:
        with pytest.raises(refusal):
            books.release(hold_id, caller)
        assert books.money(trader) == (1_000_000, 1000)
