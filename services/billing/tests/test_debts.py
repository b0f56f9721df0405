"""Where the money is gone: a mirror always succeeds, the rest is a debt, and the next credits repay it."""

from __future__ import annotations

import dataclasses
from functools import partial

import pytest
from sqlalchemy.exc import DBAPIError

from billing import ledger
from billing.rules import Account, Leg
from shared.contracts.billing.errors import InsufficientFunds
from shared.utils.ids import new_id


@pytest.fixture
def trader(books):
    return books.trader()


@pytest.fixture
def debt(books):
    """What a trader owes."""
    return lambda who: -books.balance(ledger.receivable("demo", who.currency, who.user_id))


@pytest.fixture
def trade(books, trader):
    """A trade that was settled, and the event that voids it; by default it won 9.15."""

    def make(who=trader, **amounts):
        trade_id = new_id()
        books.hold(who, amounts.get("held", 1039), trade_id)
        books.settle(books.settled(who, trade_id, **amounts))
        return books.cancelled(who, trade_id, **amounts)

    return make


def spend(books, trader, rest=0):
    """Leaves only so much."""
    books.post(books.transfer(trader, rest - books.money(trader)[0]))


def last(books, trader, count):
    """The newest lines, and what their metadata say of debts."""
    found = books.rows(
        "SELECT tx_type, amount, balance_after, metadata - 'trade_id' - 'void' FROM transactions WHERE account_id = %s"
        " ORDER BY id DESC LIMIT %s",
        *(trader.account_id, count),
    )
    return found[::-1]


def test_what_a_mirror_misses_becomes_a_debt_and_no_line_goes_below_zero(books, trader, trade, debt):
    won = trade()
    spend(books, trader, 700)
    books.void(won)
    assert (books.money(trader), debt(trader)) == ((0, 0), 215)
    assert last(books, trader, 4) == [
        ("ADJUSTMENT", 215, 915, {"debt": True}),
        ("REFUND", 1000, 1915, {}),
        ("REFUND", 39, 1954, {}),
        ("TRADE_PAYOUT", -1954, 0, {}),
    ]
    voided = books.told("transaction_recorded")[-1].data
    assert [line["amount"] for line in voided["lines"]] == [215, 1000, 39, -1954]
    books.void(won)
    assert (books.money(trader), debt(trader)) == ((0, 0), 215)


def test_money_that_is_held_or_under_the_floor_is_not_taken(books, trader, trade, debt):
    won = trade()
    spend(books, trader, 700)
    books.hold(trader, 400)
    books.rows("UPDATE accounts SET floor = 250 WHERE id = %s", trader.account_id)
    books.void(won)
    assert (books.money(trader), debt(trader)) == ((650, 400), 865)


def test_what_is_there_to_the_last_unit_is_no_debt(books, trader, trade, debt):
    won = trade()
    spend(books, trader, 915)
    books.void(won)
    assert (books.money(trader), debt(trader)) == ((0, 0), 0)
    assert books.rows("SELECT id FROM accounts WHERE kind = 'receivable'") == []


def test_an_ordinary_entry_still_may_not_take_what_is_not_there(books, trader, trade, debt):
    spend(books, trader, 700)
    books.void(trade(held=500, stake=500, markup=0, payout=0))
    with pytest.raises(InsufficientFunds):
        books.post(books.transfer(trader, -701))
    assert (books.money(trader), debt(trader)) == ((700, 0), 0)


def test_the_next_credits_repay_first_in_the_same_ledger_transaction(books, trader, trade, debt):
    won = trade()
    spend(books, trader)
    books.void(won)
    assert debt(trader) == 915
    books.post(books.transfer(trader, 600))
    assert (books.money(trader), debt(trader)) == ((0, 0), 315)
    assert last(books, trader, 2) == [("ADJUSTMENT", 600, 600, {}), ("ADJUSTMENT", -600, 0, {"debt_repaid": True})]
    books.post(books.transfer(trader, 1000))
    assert (books.money(trader), debt(trader)) == ((685, 0), 0)
    assert last(books, trader, 2) == [("ADJUSTMENT", 1000, 1000, {}), ("ADJUSTMENT", -315, 685, {"debt_repaid": True})]
    books.post(books.transfer(trader, 10))
    assert last(books, trader, 1) == [("ADJUSTMENT", 10, 695, {})]


def test_a_winning_trade_repays_from_all_that_is_available_then(books, trader, trade, debt):
    first, second = trade(), new_id()
    books.hold(trader, 1039, second)
    spend(books, trader, 1039)
    books.void(first)
    assert (books.money(trader), debt(trader)) == ((1039, 1039), 915)
    books.settle(books.settled(trader, second, payout=1500))
    assert (books.money(trader), debt(trader)) == ((585, 0), 0)
    lines = [(tx_type, amount) for tx_type, amount, *_ in last(books, trader, 4)]
    assert lines == [("TRADE_STAKE", -1000), ("MARKUP", -39), ("TRADE_PAYOUT", 1500), ("ADJUSTMENT", -915)]


def test_a_losing_trade_repays_nothing(books, trader, trade, debt):
    first, second = trade(), new_id()
    books.hold(trader, 1039, second)
    spend(books, trader, 1500)
    books.void(first)
    assert (books.money(trader), debt(trader)) == ((1039, 1039), 454)
    books.settle(books.settled(trader, second, payout=0))
    assert (books.money(trader), debt(trader)) == ((0, 0), 454)


def test_debts_are_of_one_owner_currency_and_environment(books, trader, trade, debt):
    won = trade()
    spend(books, trader)
    books.void(won)
    euros, stranger = books.trader("EUR", user_id=trader.user_id), books.trader()
    real = books.real_trader(user_id=trader.user_id)
    books.post(*(books.transfer(who, 5) for who in (euros, stranger)))
    books.post(books.transfer(real, 5, environment="real"))
    assert debt(trader) == 915
    assert [books.money(who)[0] for who in (euros, stranger, real)] == [1_000_005, 1_000_005, 5]


def test_another_account_of_the_owner_repays_as_well(books):
    one = books.real_trader()
    two = books.real_trader(user_id=one.user_id)
    owed = ledger.receivable("real", "USD", one.user_id)
    books.post(books.transfer(one, 1039, environment="real"))
    trade_id = new_id()
    books.hold(one, 1039, trade_id)
    books.settle(books.settled(one, trade_id))
    books.post(books.transfer(one, -books.money(one)[0], environment="real"))
    books.void(books.cancelled(one, trade_id))
    assert books.balance(owed) == -915
    books.post(books.transfer(two, 1000, environment="real"))
    assert (books.balance(owed), books.money(two)) == (0, (85, 0))


def test_a_batch_makes_and_repays_debts_in_its_order_and_numbers_its_lines(books, trader, trade, debt):
    one, two = trade(), trade()
    spend(books, trader, 1000)
    books.void(one, two)
    assert (books.money(trader), debt(trader)) == ((0, 0), 830)
    credits_ = [books.transfer(trader, amount) for amount in (500, 200, 400, 100)]
    posted = books.post(*credits_)
    assert [[line.amount for line in one.lines] for one in posted] == [[500, -500], [200, -200], [400, -130], [100]]
    assert (books.money(trader), debt(trader)) == ((370, 0), 0)
    ids = [line.id for one in posted for line in one.lines]
    assert ids == sorted(ids)
    versions = [line.account_version for one in posted for line in one.lines]
    assert versions == list(range(versions[0], versions[0] + 7))


def test_the_same_request_again_is_the_same_whatever_has_become_of_the_debt(books, trader, trade, debt):
    won = trade()
    spend(books, trader)
    books.void(won)
    credit = books.transfer(trader, 400)
    first = books.post(credit)[0]
    books.post(books.transfer(trader, 5000))
    again = books.post(credit)[0]
    assert (again.replayed, again.id, again.lines) == (True, first.id, first.lines)
    books.void(won)
    assert (books.money(trader), debt(trader)) == ((4485, 0), 0)


def test_a_lost_trade_that_is_voided_repays_too(books, trader, trade, debt):
    won, lost = trade(), trade(payout=0)
    spend(books, trader)
    books.void(won)
    books.void(lost)
    assert (books.money(trader), debt(trader)) == ((124, 0), 0)


def test_many_voids_and_credits_at_once_lose_nothing(books, at_once, trade, debt):
    traders = [books.trader() for _ in range(4)]
    voids = [trade(traders[number % 4]) for number in range(20)]
    for trader in traders:
        spend(books, trader, 100)
    calls = [partial(books.void, one) for one in voids]
    calls += [partial(books.post, books.transfer(traders[number % 4], 300)) for number in range(20)]
    answers = at_once(*[call for pair in zip(calls[:20], calls[20:], strict=True) for call in pair], threads=10)
    assert not [answer for answer in answers if isinstance(answer, str)]
    worth = [books.money(trader)[0] - debt(trader) for trader in traders]
    assert worth == [100 + 5 * 300 - 5 * 915] * 4


def test_who_takes_from_somebody_else_cannot_make_him_a_debtor(books, trader):
    legs = [
        Leg(account=Account(trader.account_id), amount=-2_000_000, tx_type="ADJUSTMENT"),
        Leg(account=ledger.house("demo", "USD", "funding"), amount=2_000_000),
    ]
    request = dataclasses.replace(books.transfer(trader, 1, legs=legs), debtor=books.trader().user_id)
    with pytest.raises(InsufficientFunds):
        books.post(request)


@pytest.fixture
def no_long_way(books):
    """The function that goes through transactions one by one is not there."""
    arguments = "(ledger_tx_request[], ledger_leg[], timestamptz)"
    books.rows(f"ALTER FUNCTION ledger_debts{arguments} RENAME TO ledger_debts_away")
    yield
    books.rows(f"ALTER FUNCTION ledger_debts_away{arguments} RENAME TO ledger_debts")


def test_without_debts_and_mirrors_nothing_goes_the_long_way(books, no_long_way, trader, trade):
    won = trade()
    books.post(books.transfer(trader, 5), books.transfer(trader, -3))
    assert books.money(trader) == (1_000_917, 0)
    with pytest.raises(DBAPIError, match="ledger_debts"):
        books.void(won)


def test_a_debt_that_is_repaid_is_not_looked_at_again(books, trader, trade, debt, request):
    won = trade()
    spend(books, trader)
    books.void(won)
    books.post(books.transfer(trader, 1000))
    assert debt(trader) == 0
    request.getfixturevalue("no_long_way")
    books.post(books.transfer(trader, 5))
    assert books.money(trader) == (90, 0)
