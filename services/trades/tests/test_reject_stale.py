"""The sweeper: openings that broke off give their hold back and never open."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from shared.contracts.errors import DeadlineExceeded, InternalError, ServiceUnavailable
from shared.contracts.trades.errors import TradeNotOpened
from trades.commands.reject_stale import reject_stale
from trades.market.builtin import BuiltinMarket
from trades.market.port import Contract


def test_a_trade_pending_for_five_seconds_is_released_and_written_off(desk, clock):
    trader = desk.trader()
    trade_id = desk.pending(trader, "the-same-key-0001")
    clock.go(4.999)
    desk.sweep()
    assert desk.row(trade_id)["status"] == "PENDING"
    assert desk.billing.asked("release") == []
    clock.go(0.001)
    desk.sweep()
    row = desk.row(trade_id)
    assert (row["status"], row["rejection"]["code"]) == ("REJECTED", "not_opened")
    assert trade_id in desk.billing.released
    with pytest.raises(TradeNotOpened):
        desk.open(trader, "the-same-key-0001")
    assert desk.told("trade_opened") == []


def test_a_written_off_trade_is_left_alone(desk, clock):
    trade_id = desk.pending(desk.trader())
    clock.go(6)
    desk.sweep()
    before = desk.row(trade_id)
    clock.go(60)
    desk.sweep()
    assert desk.row(trade_id) == before
    assert desk.billing.asked("release") == [trade_id]


@pytest.mark.parametrize("down", [ServiceUnavailable(), DeadlineExceeded()])
def test_while_billing_is_down_trades_stay_claimed_and_are_tried_again(desk, clock, down):
    ids = [desk.pending(desk.trader()) for _ in range(3)]
    clock.go(6)

    def fail(hold_id):
        raise down

    desk.billing.on_release = fail
    desk.sweep()
    assert len(desk.billing.asked("release")) == 1
    rows = [desk.row(trade_id) for trade_id in ids]
    assert {row["status"] for row in rows} == {"PENDING"}
    assert None not in [row["claimed_at"] for row in rows]
    desk.billing.on_release = lambda hold_id: None
    clock.go(1)
    desk.sweep()
    assert {desk.row(trade_id)["status"] for trade_id in ids} == {"REJECTED"}
    assert [desk.row(trade_id)["claimed_at"] for trade_id in ids] == [row["claimed_at"] for row in rows]


def test_one_that_cannot_be_finished_does_not_keep_the_others(desk, clock):
    bad, good = (desk.pending(desk.trader()) for _ in range(2))
    clock.go(6)

    def fail(hold_id):
        if hold_id == bad:
            raise InternalError()

    desk.billing.on_release = fail
    desk.sweep()
    assert [desk.row(trade_id)["status"] for trade_id in (bad, good)] == ["PENDING", "REJECTED"]


def test_an_open_trade_is_none_of_its_business(desk, clock):
    trade = desk.open(desk.trader(), duration=1, duration_unit="h")
    clock.go(60)
    desk.sweep()
    assert desk.row(trade["id"])["status"] == "OPEN"
    assert desk.billing.asked("release") == []


def test_two_sweepers_at_once_end_the_same(desk, clock, at_once):
    ids = [desk.pending(desk.trader()) for _ in range(20)]
    clock.go(6)
    at_once(*[desk.sweep] * 4)
    desk.sweep()
    assert {desk.row(trade_id)["version"] for trade_id in ids} == {2}
    assert {desk.row(trade_id)["status"] for trade_id in ids} == {"REJECTED"}


def test_a_contract_that_was_bought_after_all_is_opened(desk, clock):
    bought_at = clock.now

    class Remembers(BuiltinMarket):
        def find(self, reference):
            return Contract(
                contract_id="290000000108",
                symbol="R_100",
                contract_type="CALL",
                stake=1000,
                payout=1954,
                bought_at=bought_at,
                starts_at=bought_at + timedelta(seconds=2),
                expires_at=bought_at + timedelta(seconds=12),
            )

    trade_id = desk.pending(desk.trader())
    clock.go(6)
    market = Remembers(desk.db, desk.hours, commission=Decimal("0.012"))
    for _ in range(2):
        reject_stale(db=desk.db, billing=desk.billing, market=market)
    row = desk.row(trade_id)
    assert (row["status"], row["contract_id"]) == ("OPEN", "290000000108")
    assert desk.billing.asked("release") == []
    assert [event.subject for event in desk.told("trade_opened")] == [trade_id]
