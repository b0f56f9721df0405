"""Closing by hand: staff say the payout, once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.contracts.envelope import parse
from shared.contracts.errors import Forbidden, IdempotencyMismatch, ValidationFailed
from shared.contracts.trades.errors import SettlementConflict, TradeNotFound, TradeNotOpen
from shared.utils.ids import new_id
from shared.utils.time import from_rfc3339


@pytest.mark.parametrize(
    ("payout", "status", "profit"), [("19.54", "WON", "9.15"), ("0", "LOST", "-10.39"), ("7.50", "CLOSED", "-2.89")]
)
def test_the_payout_makes_the_status(desk, payout, status, profit):
    trade = desk.open(desk.trader(account_markup="2.00"))
    answer = desk.close(trade["id"], payout)
    assert answer["replayed"] is False
    assert (answer["trade"]["status"], answer["trade"]["profit"]) == (status, profit)
    (told,) = desk.told("trade_settled")
    event = parse(told.to_json()).data
    assert (event.status, event.reason) == (status, "staff")
    assert (told.actor.kind, told.actor.role) == ("staff", "staff")
    assert told.subject_version == desk.row(trade["id"])["version"]


def test_the_transaction_id_can_be_given(desk):
    trade = desk.open(desk.trader())
    assert desk.close(trade["id"], "0", transaction_id="58000208")["trade"]["transaction_id"] == "58000208"
    other = desk.open(desk.trader())
    assert desk.close(other["id"], "0")["trade"]["transaction_id"] == other["transaction_id"]


def test_the_entry_is_kept_when_it_is_known(desk, clock):
    trade = desk.open(desk.trader(), duration=1, duration_unit="h")
    assert desk.close(trade["id"], "0")["trade"]["entry_spot"] is None
    trade = desk.open(desk.trader(), duration=1, duration_unit="h")
    clock.go(5)
    entry = desk.market.spot("R_100", at=from_rfc3339(trade["expires_at"]) - timedelta(hours=1), now=clock.now)
    assert desk.close(trade["id"], "0")["trade"]["entry_spot"] == str(entry)


def test_the_same_key_gives_the_same_trade(desk):
    trade = desk.open(desk.trader())
    first = desk.close(trade["id"], "7.50", "the-same-key-0001")
    again = desk.close(trade["id"], "7.50", "the-same-key-0001")
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["trade"] == again["trade"]
    with pytest.raises(IdempotencyMismatch):
        desk.close(trade["id"], "7.51", "the-same-key-0001")
    assert len(desk.told("trade_settled")) == 1


def test_the_same_payout_under_another_key_is_the_same_settlement_and_another_payout_a_conflict(desk):
    trade = desk.open(desk.trader())
    first = desk.close(trade["id"], "7.50")["trade"]
    assert desk.close(trade["id"], "7.50")["trade"] == first
    with pytest.raises(SettlementConflict):
        desk.close(trade["id"], "0")
    assert desk.row(trade["id"])["payout"] == 750
    assert len(desk.told("trade_settled")) == 1


def test_a_trade_that_expired_cannot_be_closed_with_another_payout(desk, clock):
    trade = desk.open(desk.trader())
    clock.go(30)
    desk.settle()
    was = desk.row(trade["id"])
    with pytest.raises(SettlementConflict):
        desk.close(trade["id"], "7.50")
    payout = f"{was['payout'] / 100:.2f}"
    assert desk.close(trade["id"], payout)["trade"]["status"] == was["status"]
    assert desk.row(trade["id"]) == was


def test_a_closed_trade_does_not_expire_again(desk, clock):
    trade = desk.open(desk.trader())
    desk.close(trade["id"], "7.50")
    clock.go(60)
    desk.settle()
    assert desk.row(trade["id"])["status"] == "CLOSED"
    assert len(desk.told("trade_settled")) == 1


def test_what_is_not_open_is_not_closed(desk, clock):
    trade_id = desk.pending(desk.trader())
    with pytest.raises(TradeNotOpen) as error:
        desk.close(trade_id, "1.00")
    assert error.value.extra == {"trade_status": "PENDING"}
    clock.go(6)
    desk.sweep()
    with pytest.raises(TradeNotOpen):
        desk.close(trade_id, "1.00")
    with pytest.raises(TradeNotFound):
        desk.close(new_id(), "1.00")


@pytest.mark.parametrize(("payout", "code"), [("1.001", "invalid"), ("50000.01", "too_high")])
def test_a_payout_has_the_currencys_decimals_and_a_limit(desk, payout, code):
    trade = desk.open(desk.trader())
    with pytest.raises(ValidationFailed) as error:
        desk.close(trade["id"], payout)
    assert [(item["field"], item["code"]) for item in error.value.errors] == [("payout", code)]
    assert desk.row(trade["id"])["status"] == "OPEN"


def test_only_staff_close(desk):
    trade = desk.open(desk.trader())
    with pytest.raises(Forbidden):
        desk.close(trade["id"], "1.00", kind="user")


def test_of_closing_and_expiring_at_once_one_wins(desk, clock, at_once):
    trader = desk.trader()
    trades = [desk.open(trader) for _ in range(20)]
    clock.go(60)
    at_once(desk.settle, *[lambda trade=trade: desk.close(trade["id"], "7.50") for trade in trades], desk.settle)
    desk.settle()
    told = desk.told("trade_settled")
    assert sorted(event.subject for event in told) == sorted(trade["id"] for trade in trades)
    assert {event.subject: event.data["status"] for event in told} == {
        trade["id"]: desk.row(trade["id"])["status"] for trade in trades
    }
