"""Where openings break off in a market that fails, and a bad day in which everything does."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from shared.contracts.billing.errors import InsufficientFunds
from shared.contracts.errors import DeadlineExceeded, InProgress, ServiceError, ServiceUnavailable
from shared.contracts.trades.errors import PriceMoved, TradeNotOpened
from trades.market.faulty import FaultyMarket

KEY = "the-same-key-0001"
HOUR = {"duration": 1, "duration_unit": "h"}


def answer_of(call):
    """What the caller is told: the answer, or the error."""
    try:
        return call()
    except ServiceError as error:
        return error


@pytest.fixture
def trader(desk):
    return desk.trader(account_markup="1.00")


@pytest.mark.parametrize("fault", ["drop=1", "disconnect=1"])
def test_an_opening_without_a_price_leaves_nothing_and_its_key_is_free(desk, trader, fail, fault):
    fail(fault)
    assert isinstance(answer_of(lambda: desk.open(trader, KEY)), ServiceUnavailable | DeadlineExceeded)
    assert (desk.rows("SELECT 1 FROM trades"), desk.billing.calls) == ([], [])
    fail()
    assert desk.open(trader, KEY)["status"] == "OPEN"


def test_a_break_comes_before_the_purchase_or_after_it(desk, fail, clock):
    ended = set()
    for seed in range(20):
        trader = desk.trader()
        fail(f"buy_unknown=1,seed={seed}")
        with pytest.raises(DeadlineExceeded):
            desk.open(trader, **HOUR)
        fail()
        clock.go(6)
        desk.sweep()
        ended.add(desk.rows("SELECT status FROM trades WHERE user_id = %s", trader.user_id)[0][0])
    assert ended == {"OPEN", "REJECTED"}


def test_a_quote_that_is_not_kept_costs_nothing(desk, trader, fail):
    proposal_id = desk.quote(trader)["proposal_id"]
    fail("price_moved=1")
    with pytest.raises(PriceMoved):
        desk.open(trader, proposal_id=proposal_id)
    assert (desk.rows("SELECT 1 FROM trades"), desk.billing.calls) == ([], [])


def test_results_that_do_not_come_keep_no_others_waiting(desk, fail, clock):
    ids = [desk.open(desk.trader())["id"] for _ in range(40)]
    fail("drop=0.5,disconnect=0.2")
    clock.go(12)
    desk.settle()
    open_ = [desk.row(trade_id)["status"] for trade_id in ids].count("OPEN")
    assert 0 < open_ < 40
    while open_:
        # Another time, another chance.
        clock.go(0.2)
        desk.settle()
        open_ = [desk.row(trade_id)["status"] for trade_id in ids].count("OPEN")
    assert len(desk.told("trade_settled")) == 40


@pytest.mark.parametrize("fault", ["drop=1", "disconnect=1"])
def test_an_open_trade_is_shown_though_the_market_says_nothing_of_its_entry(desk, trader, fail, clock, fault):
    trade = desk.open(trader, KEY, **HOUR)
    clock.go(60)
    fail(fault)
    assert desk.open(trader, KEY, **HOUR) == {**trade, "entry_spot": None}
    fail()
    assert desk.open(trader, KEY, **HOUR)["entry_spot"] is not None


def test_asked_twice_the_market_sells_once(desk, trader, fail):
    fail("duplicate=1")
    trade = desk.open(trader, **HOUR)
    assert desk.market.find(trade["id"]).contract_id == trade["contract_id"]
    assert desk.rows("SELECT count(*) FROM idempotency WHERE route = 'market buy'") == [(1,)]


def test_a_purchase_whose_trade_was_given_up_is_refused(desk, trader, fail, clock):
    """The sweeper has asked and was told that there is none, so there must never be one."""
    fail()

    def slow(hold_id):
        clock.go(6)
        desk.billing.on_release = lambda hold_id: (_ for _ in ()).throw(ServiceUnavailable())
        desk.sweep()

    desk.billing.on_hold = slow
    with pytest.raises(ServiceUnavailable):
        desk.open(trader, KEY)
    assert desk.rows("SELECT count(*) FROM idempotency WHERE route = 'market buy'") == [(0,)]
    desk.billing.on_hold = desk.billing.on_release = lambda hold_id: None
    desk.sweep()
    with pytest.raises(TradeNotOpened):
        desk.open(trader, KEY)
    assert desk.billing.held == {}


def test_an_opening_that_the_sweeper_takes_over_is_never_said_to_have_failed(desk, trader, fail, clock, monkeypatch):
    """It is bought and claimed, and whoever opens it has not done so yet."""
    fail()
    real = FaultyMarket.buy

    def slow(market, **asked):
        contract = real(market, **asked)
        desk.tamper("UPDATE trades SET claimed_at = %s", clock.now)
        return contract

    monkeypatch.setattr(FaultyMarket, "buy", slow)
    with pytest.raises(InProgress):
        desk.open(trader, KEY, **HOUR)
    clock.go(6)
    desk.sweep()
    assert desk.open(trader, KEY, **HOUR)["status"] == "OPEN"


def test_an_answer_that_comes_after_the_sweeper_is_that_of_the_trade_that_he_opened(
    desk, trader, fail, clock, monkeypatch
):
    fail()
    real = FaultyMarket.buy

    def slow(market, **asked):
        contract = real(market, **asked)
        clock.go(6)
        desk.sweep()
        return contract

    monkeypatch.setattr(FaultyMarket, "buy", slow)
    trade = desk.open(trader, KEY, **HOUR)
    assert trade["contract_id"] == desk.row(trade["id"])["contract_id"]
    assert len(desk.told("trade_opened")) == 1
    assert list(desk.billing.held) == [trade["id"]]


def test_a_price_that_moved_while_buying_gives_the_hold_back_at_once(desk, trader, fail):
    fail("price_moved=1")
    for _ in range(2):
        with pytest.raises(PriceMoved):
            desk.open(trader, KEY)
    assert desk.rows("SELECT status, rejection->>'code' FROM trades") == [("REJECTED", "price_moved")]
    assert desk.billing.held == {}


def test_a_price_that_moved_while_billing_is_lost_is_finished_by_the_sweeper(desk, trader, fail, clock):
    fail("price_moved=1")

    def lost(hold_id):
        raise DeadlineExceeded()

    desk.billing.on_release = lost
    with pytest.raises(DeadlineExceeded):
        desk.open(trader, KEY)
    desk.billing.on_release = lambda hold_id: None
    clock.go(6)
    desk.sweep()
    assert desk.rows("SELECT status, rejection->>'code' FROM trades") == [("REJECTED", "not_opened")]


def test_who_has_no_money_buys_nothing(desk, trader, fail, clock):
    fail("buy_unknown=1")

    def poor(hold_id):
        raise InsufficientFunds()

    desk.billing.on_hold = poor
    with pytest.raises(InsufficientFunds):
        desk.open(trader)
    clock.go(6)
    desk.sweep()
    assert desk.rows("SELECT status FROM trades") == [("REJECTED",)]
    assert desk.told("trade_opened") == []


def test_a_bad_day_ends_with_every_trade_open_settled_or_rejected(desk, fail, clock):
    """All of them together, one after the other and on top of each other."""
    fail(
        "delay=0.05:2s,drop=0.05,duplicate=0.1,disconnect=0.1,price_moved=0.05,buy_unknown=0.2,late_result=0.3:5s,seed=7"
    )
    traders = [desk.trader() for _ in range(5)]
    told: dict[str, Any] = {}
    for number in range(150):
        key = f"the-key-{number:08}"
        told[key] = answer_of(partial(desk.open, traders[number % 5], key))
        clock.go(0.3)
        desk.sweep()
        desk.settle()
    for _ in range(60):
        clock.go(1)
        desk.sweep()
        desk.settle()
    statuses = {row[0] for row in desk.rows("SELECT DISTINCT status FROM trades")}
    assert statuses == {"WON", "LOST", "REJECTED"}
    opened = {row[0] for row in desk.rows("SELECT id::text FROM trades WHERE status <> 'REJECTED'")}
    assert set(desk.billing.held) == opened
    assert {event.subject for event in desk.told("trade_opened")} == opened
    fail()
    for number, (key, before) in enumerate(told.items()):
        if isinstance(before, dict):
            assert desk.open(traders[number % 5], key)["id"] == before["id"]
    assert len(desk.told("trade_settled")) == len(opened)
