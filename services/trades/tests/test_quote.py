"""Quotes: what a contract costs and pays now."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.chassis.context import Context, use
from shared.contracts.errors import Unauthorized, ValidationFailed
from shared.contracts.trades.rpc import QuoteRequest, QuoteView
from shared.utils.time import to_rfc3339
from trades.commands.quote import quote


def test_a_quote_says_cost_payout_markup_and_spot(desk, clock):
    trader = desk.trader(account_markup="2.00")
    found = desk.quote(trader)
    assert set(found) == set(QuoteView.__annotations__)
    assert {name: found[name] for name in ("stake", "payout", "markup", "markup_percent", "cost")} == {
        "stake": "10.00",
        "payout": "19.54",
        "markup": "0.39",
        "markup_percent": "2.00",
        "cost": "10.39",
    }
    assert found["spot"] == str(desk.market.spot("R_100", at=clock.now, now=clock.now))
    assert found["valid_until"] == to_rfc3339(clock.now + timedelta(seconds=15))
    assert found["proposal_id"].startswith("prop_")


def test_a_trade_costs_what_its_quote_said(desk):
    trader = desk.trader(account_markup="1.37")
    for terms in (
        {"symbol": "R_50", "contract_type": "PUT", "duration": 3, "duration_unit": "h", "stake": "123.45"},
        {"symbol": "1HZ100V", "duration": 1, "duration_unit": "t", "stake": "0.35"},
    ):
        promised, trade = desk.quote(trader, **terms), desk.open(trader, **terms)
        assert (promised["payout"], promised["markup"]) == (trade["potential_payout"], trade["markup_applied"])
        assert desk.billing.held[trade["id"]] == round(float(promised["cost"]) * 100)


def test_a_quote_writes_nothing_and_holds_nothing(desk):
    trader = desk.trader()
    assert desk.quote(trader)["proposal_id"] != desk.quote(trader)["proposal_id"]
    assert desk.rows("SELECT 1 FROM trades") == desk.billing.calls == []


def test_a_quote_refuses_what_an_opening_refuses(desk):
    with pytest.raises(ValidationFailed) as error:
        desk.quote(desk.trader(), symbol="EURUSD", stake="0.10")
    assert {item["field"] for item in error.value.errors} == {"symbol", "stake"}


def test_nobody_gets_no_quote(desk):
    trader = desk.trader()
    request = QuoteRequest(account_id=trader.account_id, symbol="R_100", stake="1")
    with use(Context()), pytest.raises(Unauthorized):
        quote(request, db=desk.db, billing=desk.billing, market=desk.market, conditions=desk.conditions)
