"""A preview says what an opening would cost, pay, use up and be refused for, and writes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.contracts.billing.errors import AccountNotFound
from shared.contracts.billing.events import AccountOpened
from shared.contracts.errors import DeadlineExceeded, ServiceError, ServiceUnavailable, ValidationFailed
from shared.contracts.trades.limits import PreviewView
from trades import copies


@pytest.fixture
def real(desk):
    """Makes an account REAL."""

    def make(trader):
        desk.rows("UPDATE account_copies SET account_type = 'REAL' WHERE account_id = %s", trader.account_id)
        return trader

    return make


def codes(found):
    return [refusal["code"] for refusal in found["refusals"]]


def test_a_preview_is_what_the_trade_will_be(desk, counter):
    trader = desk.trader(account_markup="2.00")
    found = counter.preview(trader)
    trade = desk.open(trader)
    assert set(found) == set(PreviewView.__annotations__)
    same = ("account_id", "account_type", "symbol", "contract_type", "direction", "barrier", "duration_seconds")
    same += ("currency", "stake", "markup_percent", "markup_source")
    assert {name: found[name] for name in same} == {name: trade[name] for name in same}
    assert (found["payout"], found["markup"]) == (trade["potential_payout"], trade["markup_applied"])
    assert (found["cost"], found["potential_profit"]) == ("10.39", "9.15")
    assert found["refusals"] == []


def test_the_markup_is_the_affiliates_on_a_real_account_alone(desk, counter, real):
    owner = desk.user(markup_percentage="2.00")
    demo, referred = desk.trader(referrer_id=owner), real(desk.trader(referrer_id=owner))
    alone = real(desk.trader(account_markup="2.00"))

    def shares(trader):
        found = counter.preview(trader)
        return found["affiliate_id"], found["affiliate_commission"], found["house_markup"]

    assert shares(referred) == (owner, "0.39", "0.00")
    assert shares(demo) == (owner, "0.00", "0.39")
    assert shares(alone) == (None, "0.00", "0.39")


def test_what_the_limits_have_left_is_said_with_the_trade_in_it(desk, counter):
    trader = desk.trader(account_markup="1.02")
    counter.own(trader, open_trades_max=3, stake_per_day="50.00", loss_per_day="40.00", take_profit="5.00")
    desk.open(trader)
    expected = {
        "open_trades_max": 1,
        "stake_per_day": "30.00",
        "loss_per_day": "19.60",
        "stop_loss": None,
        "take_profit": "5.00",
        "consecutive_losses": None,
    }
    assert counter.preview(trader)["left"] == expected
    desk.open(trader)
    assert counter.limits(trader)["left"] == expected


@pytest.mark.parametrize(
    "shut",
    [
        lambda desk, counter, trader: counter.own(trader, open_trades_max=0),
        lambda desk, counter, trader: counter.staff(trader, stake_per_day="9.99"),
        lambda desk, counter, trader: counter.own(trader, self_exclusion_until="2026-04-01T00:00:00Z"),
        lambda desk, counter, trader: counter.halt(),
        lambda desk, counter, trader: desk.user(trader.user_id, version=2, is_frozen=True),
        lambda desk, counter, trader: counter.staff(trader, stake_max="9.99"),
    ],
)
def test_what_a_preview_is_refused_for_the_opening_is_refused_for(desk, counter, shut):
    trader = desk.trader()
    assert counter.preview(trader)["refusals"] == []
    shut(desk, counter, trader)
    (foreseen,) = counter.preview(trader)["refusals"]
    with pytest.raises(ServiceError) as error:
        desk.open(trader)
    assert error.value.code == foreseen["code"]
    if foreseen["code"] != "validation_failed":
        assert error.value.detail == foreseen["detail"]
    left = error.value.extra.get("left")
    assert (foreseen["limit"], foreseen["left"], foreseen["until"]) == (
        error.value.extra.get("limit"),
        None if left is None else str(left),
        error.value.extra.get("until"),
    )


def test_every_reason_is_said_the_gravest_first(desk, counter):
    trader = desk.trader()
    counter.staff(trader, open_trades_max=0, loss_per_day="1.00", stake_max="5.00")
    counter.own(trader, self_exclusion_until="2026-04-01T00:00:00Z")
    counter.halt("R_100")
    desk.billing.available = "9.99"
    found = counter.preview(trader)
    assert codes(found) == [
        "trading_halted",
        "validation_failed",
        "self_excluded",
        "limit_reached",
        "limit_reached",
        "insufficient_funds",
    ]
    assert [refusal["limit"] for refusal in found["refusals"] if refusal["limit"]] == [
        "open_trades_max",
        "loss_per_day",
    ]


@pytest.mark.parametrize(
    ("available", "expected"), [("10.00", []), ("9.99", ["insufficient_funds"]), ("-3.00", ["insufficient_funds"])]
)
def test_money_is_looked_at_too(desk, counter, available, expected):
    trader = desk.trader()
    desk.billing.available = available
    found = counter.preview(trader)
    assert (codes(found), found["available"]) == (expected, available)


@pytest.mark.parametrize("away", [ServiceUnavailable, DeadlineExceeded])
def test_without_billing_the_rest_is_said(desk, counter, away):
    trader = desk.trader()

    def get_account(**_):
        raise away

    desk.billing.get_account = get_account
    found = counter.preview(trader)
    assert (found["available"], found["refusals"], found["cost"]) == (None, [], "10.00")


def test_a_preview_writes_holds_and_tells_nothing(desk, counter):
    trader = desk.trader()
    counter.own(trader, open_trades_max=0)
    tables = ("trades", "idempotency", "outbox", "account_days", "account_limits")
    before = [desk.rows(f"SELECT count(*), max(xmin::text) FROM {table}") for table in tables]
    counter.preview(trader)
    assert [desk.rows(f"SELECT count(*), max(xmin::text) FROM {table}") for table in tables] == before
    assert desk.billing.asked("hold") == []


def test_a_preview_refuses_what_a_quote_refuses(desk, counter):
    owner, other = desk.trader(), desk.trader()
    with pytest.raises(ValidationFailed):
        counter.preview(owner, symbol="EURUSD", stake="0.10")
    with pytest.raises(AccountNotFound):
        counter.preview(other, account_id=owner.account_id)


def test_an_account_of_another_currency_is_previewed_in_its_own(desk, counter):
    trader = desk.trader()
    account = replace(AccountOpened.example(), account_id=trader.account_id, user_id=trader.user_id, currency="BTC")
    with desk.db.transaction() as tx:
        copies.put_accounts(tx, [desk.received(account, 2)])
    desk.billing.available = "1.00000000"
    found = counter.preview(trader, stake="0.50000001")
    assert (found["stake"], found["currency"]) == ("0.50000001", "BTC")
