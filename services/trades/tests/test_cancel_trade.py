"""Withdrawing a trade that is not bought yet: the hold goes back, and it never opens."""

from __future__ import annotations

import pytest

from shared.chassis.context import Context, use
from shared.contracts.errors import DeadlineExceeded, ServiceUnavailable, Unauthorized
from shared.contracts.trades.errors import TradeNotFound, TradeNotOpened, TradeNotPending
from shared.contracts.trades.rpc import CancelTradeRequest
from shared.utils.ids import new_id
from trades.commands.cancel_trade import cancel_trade
from trades.market.builtin import BuiltinMarket


@pytest.fixture
def cancel(desk):
    def ask(context, trade_id):
        with use(context):
            request = CancelTradeRequest(trade_id=trade_id)
            return cancel_trade(request, db=desk.db, billing=desk.billing, market=desk.market)

    return ask


def test_the_hold_goes_back_at_once_and_the_trade_is_rejected(desk, cancel):
    trader = desk.trader()
    trade_id = desk.pending(trader, key="k" * 16)
    assert desk.row(trade_id)["status"] == "PENDING"
    found = cancel(trader.context, trade_id)
    assert (found["id"], found["status"]) == (trade_id, "REJECTED")
    assert desk.billing.asked("release") == [trade_id]
    assert desk.billing.held == {}
    with pytest.raises(TradeNotOpened):
        desk.open(trader, key="k" * 16)
    assert desk.told("trade_opened") == []


def test_again_it_is_the_same_and_nobody_is_asked_twice(desk, cancel):
    trader = desk.trader()
    trade_id = desk.pending(trader)
    first = cancel(trader.context, trade_id)
    assert cancel(trader.context, trade_id) == first
    assert desk.billing.asked("release") == [trade_id]


def test_an_opening_that_is_under_way_does_not_open_any_more(desk, cancel):
    trader = desk.trader()
    desk.billing.on_hold = lambda hold_id: cancel(trader.context, hold_id)
    with pytest.raises(TradeNotOpened):
        desk.open(trader)
    ((status,),) = desk.rows("SELECT status FROM trades")
    assert status == "REJECTED"
    assert desk.billing.held == {}
    assert desk.told("trade_opened") == []


def test_what_is_open_or_over_cannot_be_withdrawn(desk, cancel, clock):
    trader = desk.trader()
    open_, over = desk.open(trader)["id"], desk.open(trader)["id"]
    desk.close(over, "0")
    for trade_id, status in ((open_, "OPEN"), (over, "LOST")):
        with pytest.raises(TradeNotPending) as refused:
            cancel(trader.context, trade_id)
        assert refused.value.extra == {"trade_status": status}
    assert desk.billing.asked("release") == []
    assert desk.row(open_)["status"] == "OPEN"


@pytest.mark.parametrize("error", [ServiceUnavailable, DeadlineExceeded])
def test_when_billing_is_away_it_cannot_open_and_the_sweeper_finishes_it(desk, cancel, clock, error):
    trader = desk.trader()
    trade_id = desk.pending(trader)

    def away(hold_id):
        raise error()

    desk.billing.on_release = away
    with pytest.raises(error):
        cancel(trader.context, trade_id)
    assert desk.row(trade_id)["claimed_at"] is not None
    desk.billing.on_release = lambda hold_id: None
    clock.go(6)
    desk.sweep()
    assert desk.row(trade_id)["status"] == "REJECTED"


def test_what_was_bought_after_all_is_opened(desk, cancel):
    class Bought(BuiltinMarket):
        found = None

        def buy(self, *, reference, terms, now):
            Bought.found = super().buy(reference=reference, terms=terms, now=now)
            raise DeadlineExceeded()

        def find(self, reference):
            return Bought.found

    desk.through(Bought)
    trader = desk.trader()
    with pytest.raises(DeadlineExceeded):
        desk.open(trader)
    trade_id = desk.billing.asked("hold")[-1]
    with pytest.raises(TradeNotPending):
        cancel(trader.context, trade_id)
    assert desk.row(trade_id)["status"] == "OPEN"
    assert desk.billing.asked("release") == []
    assert len(desk.told("trade_opened")) == 1


def test_a_cancellation_and_the_sweeper_at_once_release_and_reject_once(desk, cancel, at_once, clock):
    trader = desk.trader()
    trades = [desk.pending(trader) for _ in range(10)]
    clock.go(6)
    calls = [lambda id_=id_: cancel(trader.context, id_)["status"] for id_ in trades for _ in range(2)]
    found = at_once(*calls, desk.sweep, desk.sweep)
    assert set(found) == {"REJECTED", None}
    desk.sweep()
    assert desk.rows("SELECT DISTINCT status, version FROM trades") == [("REJECTED", 2)]


def test_only_the_owner_withdraws(desk, cancel):
    trade_id = desk.pending(desk.trader())
    staff = Context(kind="staff", user_id="01920000-0000-7000-8000-000000000009")
    for context in (desk.trader().context, staff):
        with pytest.raises(TradeNotFound):
            cancel(context, trade_id)
    with pytest.raises(TradeNotFound):
        cancel(desk.trader().context, new_id())
    with pytest.raises(Unauthorized):
        cancel(Context(), trade_id)
    assert desk.row(trade_id)["claimed_at"] is None
