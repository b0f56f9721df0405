"""Voided trades: everybody has what he had, whatever comes first and how often."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from shared.contracts import schema
from shared.contracts.billing.errors import HoldMismatch, HoldRefused
from shared.contracts.billing.events import TransactionRecorded
from shared.contracts.errors import NotReady
from shared.utils.ids import new_id


@pytest.fixture
def trader(books):
    return books.trader()


@pytest.fixture
def held(books, trader):
    """A trade whose hold of 1039 stands."""

    def make(amount=1039):
        trade_id = new_id()
        books.hold(trader, amount, trade_id)
        return trade_id

    return make


def kinds(books):
    return [row[0] for row in books.rows("SELECT kind FROM ledger_tx WHERE kind <> 'demo_opening' ORDER BY xact, id")]


def test_a_trade_without_a_result_is_only_released(books, trader, held):
    trade_id = held()
    for _ in range(2):
        books.void(books.cancelled(trader, trade_id, settled=False, payout=0))
    assert books.money(trader) == (1_000_000, 0)
    assert books.rows("SELECT state, reason FROM holds") == [("RELEASED", "voided")]
    assert kinds(books) == []
    assert len(books.lines(trader)) == 1
    assert len(books.told("transaction_recorded")) == 1


def test_one_never_heard_of_leaves_a_tombstone(books, trader):
    trade_id = new_id()
    books.void(books.cancelled(trader, trade_id, settled=False, payout=0))
    with pytest.raises(HoldRefused):
        books.hold(trader, 1039, trade_id)


def test_a_settled_one_is_not_said_to_have_had_no_result(books, trader, held):
    trade_id = held()
    books.settle(books.settled(trader, trade_id))
    with pytest.raises(HoldMismatch):
        books.void(books.cancelled(trader, trade_id, settled=False, payout=0))
    assert books.money(trader) == (1_000_915, 0)


@pytest.mark.parametrize("real", [True, False])
def test_the_mirror_gives_back_line_by_line_what_the_result_moved(books, real):
    trader = books.real_trader() if real else books.trader()
    environment = "real" if real else "demo"
    houses = partial(books.house, environment=environment)
    if real:
        books.post(books.transfer(trader, 5000, environment="real"))
    before, trade_id = books.money(trader), new_id()
    books.hold(trader, 1039, trade_id)
    books.settle(books.settled(trader, trade_id))
    assert books.money(trader)[0] == before[0] + 915
    books.void(books.cancelled(trader, trade_id))
    assert books.money(trader) == before
    assert (houses("trading"), houses("markup")) == (0, 0)
    assert [(tx_type, amount) for tx_type, amount, _ in books.lines(trader)[1:]] == [
        ("TRADE_STAKE", "-10.00"),
        ("MARKUP", "-0.39"),
        ("TRADE_PAYOUT", "19.54"),
        ("REFUND", "10.00"),
        ("REFUND", "0.39"),
        ("TRADE_PAYOUT", "-19.54"),
    ]
    lines = books.rows(
        "SELECT DISTINCT x.reference, x.metadata FROM transactions AS x JOIN ledger_tx AS t ON t.id = x.ledger_tx_id"
        " WHERE t.kind = 'void'"
    )
    assert lines == [(trade_id, {"trade_id": trade_id, "void": True})]
    linked = "SELECT o.kind, o.ref FROM ledger_tx AS t JOIN ledger_tx AS o ON o.id = t.reverses WHERE t.kind = 'void'"
    assert books.one(linked) == ("settle", trade_id)


def test_amounts_of_zero_are_left_out_of_the_mirror_too(books, trader, held):
    trade_id = held(1000)
    amounts = {"held": 1000, "markup": 0, "payout": 0}
    books.settle(books.settled(trader, trade_id, **amounts))
    books.void(books.cancelled(trader, trade_id, **amounts))
    assert books.lines(trader)[2:] == [("REFUND", "10.00", "10000.00")]


@pytest.mark.parametrize("steps", sorted(set(itertools.permutations(["settle", "settle", "void", "void"]))), ids=str)
@pytest.mark.parametrize("payout", [0, 1954])
def test_any_order_and_repetition_ends_the_same(books, trader, held, steps, payout):
    trade_id = held()
    settled = books.settled(trader, trade_id, payout=payout)
    cancelled = books.cancelled(trader, trade_id, payout=payout)
    for step in steps:
        (books.settle if step == "settle" else books.void)(settled if step == "settle" else cancelled)
    assert books.money(trader) == (1_000_000, 0)
    assert kinds(books) == ["settle", "void"]
    assert (books.house("trading"), books.house("markup")) == (0, 0)
    assert books.one("SELECT state FROM holds") == ("SETTLED",)
    assert len(books.told("transaction_recorded")) == 3


def test_both_entries_are_told_as_caused_by_the_one_event_that_wrote_them(books, trader, held):
    trade_id = held()
    event = books.cancelled(trader, trade_id)
    books.void(event)
    books.settle(books.settled(trader, trade_id))
    _, settled, voided = (schema.load(TransactionRecorded, told.data) for told in books.told("transaction_recorded"))
    assert (settled.kind, voided.kind, settled.ref, voided.ref) == ("settle", "void", trade_id, trade_id)
    assert [(line.tx_type, line.amount, line.account_version) for line in voided.lines] == [
        ("REFUND", 1000, 5),
        ("REFUND", 39, 6),
        ("TRADE_PAYOUT", -1954, 7),
    ]
    assert {told.causation_id for told in books.told("transaction_recorded")[1:]} == {event.id}


def test_a_batch_of_open_and_settled_ones_with_duplicates(books, trader, held):
    booked, unbooked, still_open = held(), held(), held()
    books.settle(books.settled(trader, booked))
    events = [
        books.cancelled(trader, booked),
        books.cancelled(trader, still_open, settled=False, payout=0),
        books.cancelled(trader, unbooked),
    ]
    books.void(*events, *events)
    assert books.money(trader) == (1_000_000, 0)
    assert sorted(kinds(books)) == ["settle", "settle", "void", "void"]


def test_settled_and_voided_at_once_by_many_end_as_one(books, trader, held, at_once):
    trades = [held() for _ in range(10)]
    calls = [
        call
        for trade_id in trades
        for call in (
            partial(books.settle, books.settled(trader, trade_id)),
            partial(books.void, books.cancelled(trader, trade_id)),
        )
    ]
    assert set(at_once(*calls, *calls, threads=10)) == {None}
    assert books.money(trader) == (1_000_000, 0)


def test_a_void_that_contradicts_the_books_changes_nothing(books, trader, held):
    trade_id = held()
    books.settle(books.settled(trader, trade_id))
    for other in ({"payout": 0}, {"stake": 999}, {"markup": 38}):
        with pytest.raises(HoldMismatch):
            books.void(books.cancelled(trader, trade_id, **other))
    assert books.money(trader) == (1_000_915, 0)


def test_a_settled_one_whose_hold_has_not_come_is_tried_again_later(books, trader):
    trade_id = new_id()
    event = books.cancelled(trader, trade_id)
    with pytest.raises(NotReady):
        books.void(event)
    books.hold(trader, 1039, trade_id)
    books.void(event)
    assert books.money(trader) == (1_000_000, 0)
