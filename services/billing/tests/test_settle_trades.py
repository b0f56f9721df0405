"""Results of trades in the books: the right money, once, whatever arrives and how often."""

from __future__ import annotations

from functools import partial

import pytest

from shared.contracts import schema
from shared.contracts.billing.errors import HoldMismatch
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


def test_a_won_trade_moves_stake_markup_and_payout_and_frees_the_hold(books, trader, held):
    trade_id = held()
    books.settle(books.settled(trader, trade_id))
    assert books.money(trader) == (1_000_915, 0)
    assert books.lines(trader)[1:] == [
        ("TRADE_STAKE", "-10.00", "9990.00"),
        ("MARKUP", "-0.39", "9989.61"),
        ("TRADE_PAYOUT", "19.54", "10009.15"),
    ]
    assert (books.house("trading"), books.house("markup"), books.house("funding")) == (-954, 39, -1_000_000)
    lines = books.rows("SELECT DISTINCT reference, metadata FROM transactions WHERE tx_type <> 'DEPOSIT'")
    assert lines == [(trade_id, {"trade_id": trade_id})]


def test_a_lost_trade_without_markup_is_one_line(books, trader, held):
    books.settle(books.settled(trader, held(1000), held=1000, markup=0, payout=0))
    assert books.lines(trader)[1:] == [("TRADE_STAKE", "-10.00", "9990.00")]
    assert (books.house("trading"), books.money(trader)) == (1000, (999_000, 0))


def test_a_better_price_frees_the_rest_of_the_hold_too(books, trader, held):
    books.settle(books.settled(trader, held(1500), held=1500, stake=1000, markup=0, payout=0))
    assert books.money(trader) == (999_000, 0)


def test_a_ledger_transaction_is_told_once_with_all_its_lines(books, trader, held):
    trade_id = held()
    event = books.settled(trader, trade_id)
    books.settle(event)
    books.settle(event)
    opening, settled = books.told("transaction_recorded")
    data = schema.load(TransactionRecorded, settled.data)
    assert (data.kind, data.ref, data.environment, data.currency) == ("settle", trade_id, "demo", "USD")
    assert [(line.tx_type, line.amount, line.balance_after, line.account_version) for line in data.lines] == [
        ("TRADE_STAKE", -1000, 999_000, 2),
        ("MARKUP", -39, 998_961, 3),
        ("TRADE_PAYOUT", 1954, 1_000_915, 4),
    ]
    assert {line.reference for line in data.lines} == {trade_id}
    assert (settled.causation_id, settled.correlation_id) == (event.id, event.envelope.correlation_id)
    assert settled.data.keys() == schema.dump(TransactionRecorded.example()).keys() == opening.data.keys()


def test_a_batch_with_duplicates_inside_counts_each_trade_once(books, trader, held):
    first, second = held(), held()
    one, two = books.settled(trader, first), books.settled(trader, second, payout=0)
    books.settle(one, two, one, one)
    books.settle(two, one)
    assert books.money(trader) == (1_000_000 + 915 - 1039, 0)
    assert len(books.told("transaction_recorded")) == 3


def test_a_batch_over_many_accounts_numbers_each_account_by_itself(books):
    traders = [books.trader() for _ in range(5)]
    events = []
    for _ in range(20):
        for trader in traders:
            trade_id = new_id()
            books.hold(trader, 1039, trade_id)
            events.append(books.settled(trader, trade_id))
    books.settle(*events)
    assert {books.money(trader) for trader in traders} == {(1_000_000 + 20 * 915, 0)}
    assert books.house("trading") == -954 * 100


def test_parallel_batches_that_share_trades_settle_each_once(books, at_once):
    traders = [books.trader() for _ in range(4)]
    events = []
    for number in range(40):
        trade_id = new_id()
        books.hold(traders[number % 4], 1039, trade_id)
        events.append(books.settled(traders[number % 4], trade_id))
    batches = [events[start::-1] + events[start + 1 :] for start in range(0, 40, 4)]
    assert set(at_once(*[partial(books.settle, *batch) for batch in batches], threads=10)) == {None}
    assert {books.money(trader) for trader in traders} == {(1_000_000 + 10 * 915, 0)}


def test_other_amounts_for_a_settled_trade_are_refused_and_change_nothing(books, trader, held):
    trade_id = held()
    books.settle(books.settled(trader, trade_id))
    for other in ({"payout": 0}, {"stake": 999}, {"markup": 38}):
        with pytest.raises(HoldMismatch):
            books.settle(books.settled(trader, trade_id, **other))
    assert books.money(trader) == (1_000_915, 0)


def test_two_results_of_one_trade_in_a_batch_are_refused_together(books, trader, held):
    trade_id = held()
    with pytest.raises(HoldMismatch):
        books.settle(books.settled(trader, trade_id), books.settled(trader, trade_id, payout=0))
    assert books.money(trader) == (1_000_000, 1039)


def test_a_result_before_its_hold_is_tried_again_later(books, trader):
    trade_id = new_id()
    event = books.settled(trader, trade_id)
    with pytest.raises(NotReady):
        books.settle(event)
    books.hold(trader, 1039, trade_id)
    books.settle(event)
    assert books.money(trader) == (1_000_915, 0)


def test_a_result_whose_hold_was_released_or_was_another_one_is_refused(books, trader, held):
    released = held()
    books.release(released)
    with pytest.raises(HoldMismatch):
        books.settle(books.settled(trader, released))
    with pytest.raises(HoldMismatch):
        books.settle(books.settled(trader, held(2000)))
    other = books.trader()
    with pytest.raises(HoldMismatch):
        books.settle(books.settled(other, held()))
    assert books.money(trader) == (1_000_000, 3039)


@pytest.mark.parametrize("amounts", [{"payout": -1}, {"markup": -1}, {"stake": 1001}, {"held": 1038}])
def test_amounts_that_make_no_sense_are_refused_for_good(books, trader, held, amounts):
    with pytest.raises(ValueError, match=r"settlement|exceed"):
        books.settle(books.settled(trader, held(), **amounts))
    assert books.money(trader) == (1_000_000, 1039)


def test_a_bad_trade_in_a_batch_leaves_nothing_of_the_batch(books, trader, held):
    good = books.settled(trader, held())
    with pytest.raises(NotReady):
        books.settle(good, books.settled(trader, new_id()))
    assert books.money(trader) == (1_000_000, 1039)
    assert len(books.told("transaction_recorded")) == 1
