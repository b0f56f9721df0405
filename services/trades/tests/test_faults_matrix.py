"""Every fault of the market, whatever is asked: no trade stays PENDING, nothing stays held, and nobody is lied to."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from shared.chassis.context import Idempotency, use
from shared.contracts.errors import DeadlineExceeded, InProgress, ServiceError, ServiceUnavailable
from shared.contracts.trades.errors import PriceMoved
from shared.contracts.trades.rpc import GetValueRequest, SellTradeRequest
from trades.commands.get_value import get_value
from trades.commands.sell_trade import sell_trade
from trades.market.faults import SECONDS

KEY = "the-same-key-0001"
HOUR = {"duration": 1, "duration_unit": "h"}

CERTAIN = {
    "delay": "delay=1:6s",
    "drop": "drop=1",
    "duplicate": "duplicate=1",
    "price_moved": "price_moved=1",
    "late_result": "late_result=1:3s",
    "disconnect": "disconnect=1",
    "buy_unknown": "buy_unknown=1",
}
"""Each of them strikes whatever it can."""


def answer_of(call):
    """What the caller is told: the answer, or the error."""
    try:
        return call()
    except ServiceError as error:
        return error


def test_the_matrix_has_every_fault():
    assert set(CERTAIN) == set(SECONDS)


@pytest.fixture
def trader(desk):
    return desk.trader(account_markup="1.00")


@pytest.fixture
def finished(desk, clock):
    """Sweepers run until the deadline of everything is over; what then became of the one trade, and of its hold."""

    def run() -> dict[str, Any]:
        for _ in range(10):
            clock.go(1)
            desk.sweep()
        ((trade_id, status),) = desk.rows("SELECT id::text, status FROM trades")
        assert status in ("OPEN", "REJECTED")
        # Money is held for what is open, and for nothing else.
        assert list(desk.billing.held) == ([trade_id] if status == "OPEN" else [])
        assert len(desk.told("trade_opened")) == (status == "OPEN")
        return desk.row(trade_id)

    return run


@pytest.fixture
def sell(desk):
    def ask(trader, trade_id, key=KEY):
        idempotency = Idempotency(key, "POST /trades/{id}/sell", trade_id)
        with use(replace(trader.context, idempotency=idempotency)):
            return sell_trade(SellTradeRequest(trade_id=trade_id), db=desk.db, market=desk.market)["trade"]

    return ask


@pytest.fixture
def value(desk):
    def ask(trader, trade_id):
        with use(trader.context):
            return get_value(GetValueRequest(trade_id=trade_id), db=desk.db, market=desk.market)

    return ask


@pytest.mark.parametrize("fault", CERTAIN.values(), ids=CERTAIN)
def test_an_opening_ends_open_or_rejected_and_the_key_tells_which(desk, trader, fail, finished, clock, fault):
    fail(fault, prices=False)
    told = answer_of(lambda: desk.open(trader, KEY, **HOUR))
    fail()
    at_once = answer_of(lambda: desk.open(trader, KEY, **HOUR))
    row = finished()
    again = answer_of(lambda: desk.open(trader, KEY, **HOUR))
    if row["status"] == "OPEN":
        assert again["contract_id"] == row["contract_id"]
        # Whoever was told something else before was told that nothing is known yet.
        for earlier in (told, at_once):
            assert isinstance(earlier, DeadlineExceeded | InProgress) or earlier["contract_id"] == row["contract_id"]
    else:
        assert again.code == row["rejection"]["code"]
        assert isinstance(told, ServiceUnavailable | DeadlineExceeded | PriceMoved)
        assert isinstance(at_once, InProgress) or at_once.code == again.code
    clock.go(3700)
    desk.settle()
    assert desk.row(row["id"])["status"] in (("WON", "LOST") if row["status"] == "OPEN" else ("REJECTED",))


@pytest.mark.parametrize("fault", CERTAIN.values(), ids=CERTAIN)
def test_a_quote_is_given_or_refused_and_leaves_nothing(desk, trader, fail, fault):
    fail(fault)
    told = answer_of(lambda: desk.quote(trader))
    if "drop" in fault or "disconnect" in fault:
        assert isinstance(told, ServiceUnavailable | DeadlineExceeded)
    else:
        assert told["payout"] == "19.54"
    fail()
    assert desk.open(trader, proposal_id=desk.quote(trader)["proposal_id"])["status"] == "OPEN"
    assert len(desk.rows("SELECT 1 FROM trades")) == 1


@pytest.mark.parametrize("fault", CERTAIN.values(), ids=CERTAIN)
def test_what_is_due_is_settled_once_the_market_can_say_how(desk, trader, fail, clock, fault):
    trade = desk.open(trader)
    clock.go(12)
    fail(fault)
    desk.settle()
    silent = "drop" in fault or "disconnect" in fault or "late_result" in fault
    assert (desk.row(trade["id"])["status"] == "OPEN") is silent
    if "late_result" not in fault:
        fail()
    clock.go(3)
    desk.settle()
    desk.settle()
    row = desk.row(trade["id"])
    assert row["status"] in ("WON", "LOST")
    entry, exit_ = (Decimal(str(row[name])) for name in ("entry_spot", "exit_spot"))
    assert (row["status"] == "WON") is (exit_ > entry)
    assert len(desk.told("trade_settled")) == 1


@pytest.mark.parametrize("fault", CERTAIN.values(), ids=CERTAIN)
def test_a_sale_is_made_once_or_not_at_all(desk, trader, fail, sell, clock, fault):
    trade = desk.open(trader, **HOUR)
    clock.go(60)
    fail(fault)
    told = answer_of(lambda: sell(trader, trade["id"]))
    fail()
    before = desk.row(trade["id"])["status"]
    assert (before == "CLOSED") is not isinstance(told, ServiceError)
    again = sell(trader, trade["id"])
    assert (again["status"], desk.row(trade["id"])["reason"]) == ("CLOSED", "sold")
    assert len(desk.told("trade_settled")) == 1
    if before == "CLOSED":
        assert again == told


@pytest.mark.parametrize("fault", CERTAIN.values(), ids=CERTAIN)
def test_what_a_trade_is_worth_is_told_or_not_and_changes_nothing(desk, trader, fail, value, clock, fault):
    trade = desk.open(trader, **HOUR)
    clock.go(60)
    shown, before = value(trader, trade["id"]), desk.row(trade["id"])
    fail(fault)
    told = answer_of(lambda: value(trader, trade["id"]))
    if "drop" in fault or "disconnect" in fault:
        assert isinstance(told, ServiceUnavailable | DeadlineExceeded)
    else:
        assert told == shown
    assert desk.row(trade["id"]) == before
