"""Selling back before the end: at the market's bid, once, by the owner alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.chassis.context import Context, Idempotency, use
from shared.chassis.errors import CommitUnknown
from shared.contracts.envelope import parse
from shared.contracts.errors import IdempotencyMismatch, MalformedRequest, Unauthorized, ValidationFailed
from shared.contracts.trades.errors import PriceMoved, SaleRefused, TradeNotFound, TradeNotOpen
from shared.contracts.trades.rpc import GetValueRequest, SellTradeRequest, ValueView
from shared.utils.ids import new_id
from shared.utils.time import from_rfc3339, to_rfc3339
from trades.commands.get_value import get_value
from trades.commands.sell_trade import sell_trade

MINUTES = {"duration": 5, "duration_unit": "m"}
KEY = "k" * 16


@pytest.fixture
def sell(desk):
    def ask(trader, trade_id, key=None, **changes):
        idempotency = Idempotency(key or new_id(), "POST /trades/{id}/sell", f"{trade_id} {sorted(changes.items())}")
        with use(replace(trader.context, idempotency=idempotency)):
            return sell_trade(SellTradeRequest(trade_id=trade_id, **changes), db=desk.db, market=desk.market)

    return ask


@pytest.fixture
def value(desk):
    def ask(context, trade_id) -> ValueView:
        with use(context):
            return get_value(GetValueRequest(trade_id=trade_id), db=desk.db, market=desk.market)

    return ask


@pytest.fixture
def trader(desk):
    return desk.trader(account_markup="1.00")


@pytest.fixture
def running(desk, trader, clock):
    """A trade of five minutes, a minute after its start."""
    trade = desk.open(trader, barrier="+0.37", **MINUTES)
    clock.go(60)
    return trade


def test_a_sale_closes_the_trade_at_the_bid_that_was_shown(desk, trader, running, sell, value, clock):
    shown = value(trader.context, running["id"])
    answer = sell(trader, running["id"])
    sold = answer["trade"]
    assert answer["replayed"] is False
    assert (sold["status"], sold["payout"], sold["profit"]) == ("CLOSED", shown["bid"], shown["profit"])
    assert (sold["entry_spot"], sold["exit_spot"]) == (shown["entry_spot"], shown["spot"])
    assert sold["closed_at"] == to_rfc3339(clock.now)
    row = desk.row(running["id"])
    assert (row["reason"], row["sold_commission"]) == ("sold", 0.012)
    assert row["profit"] == row["payout"] - 1000 - row["markup_applied"]


def test_its_event_tells_the_sale_and_who_asked_for_it(desk, trader, running, sell, clock):
    sell(trader, running["id"])
    (told,) = desk.told("trade_settled")
    event, row = parse(told.to_json()).data, desk.row(running["id"])
    assert (event.status, event.reason, event.payout) == ("CLOSED", "sold", row["payout"])
    assert (event.exit_spot, event.barrier) == (f"{Decimal(str(row['exit_spot'])):.2f}", "+0.37")
    assert event.closed_at == to_rfc3339(clock.now)
    assert (told.subject, told.subject_version) == (running["id"], row["version"])
    assert (told.actor.user_id, told.actor.kind) == (trader.user_id, "user")


def test_what_was_sold_is_not_settled_at_its_end(desk, trader, running, sell, clock):
    sell(trader, running["id"])
    before = desk.row(running["id"])
    clock.now = from_rfc3339(running["expires_at"]) + timedelta(seconds=1)
    desk.settle()
    assert desk.row(running["id"]) == before
    assert len(desk.told("trade_settled")) == 1


def test_the_same_key_is_the_same_sale_and_another_one_is_refused(desk, trader, running, sell, clock):
    first = sell(trader, running["id"], KEY)
    clock.go(30)
    again = sell(trader, running["id"], KEY)
    assert (again["trade"], again["replayed"]) == (first["trade"], True)
    with pytest.raises(TradeNotOpen) as refused:
        sell(trader, running["id"])
    assert refused.value.extra == {"trade_status": "CLOSED"}
    with pytest.raises(IdempotencyMismatch):
        sell(trader, running["id"], KEY, min_price="1.00")
    assert len(desk.told("trade_settled")) == 1


def test_below_the_least_price_it_is_not_sold_and_the_key_stays_free(desk, trader, running, sell, value):
    bid = value(trader.context, running["id"])["bid"]
    with pytest.raises(PriceMoved):
        sell(trader, running["id"], KEY, min_price=f"{Decimal(bid) + Decimal('0.01')}")
    assert desk.row(running["id"])["status"] == "OPEN"
    assert desk.told("trade_settled") == []
    assert sell(trader, running["id"], KEY, min_price=bid)["trade"]["payout"] == bid


def test_a_least_price_that_is_no_amount_is_a_field_error(trader, running, sell):
    with pytest.raises(ValidationFailed) as error:
        sell(trader, running["id"], min_price="1.001")
    assert error.value.errors[0]["field"] == "min_price"


@pytest.mark.parametrize(
    ("terms", "after", "refusal"),
    [
        (MINUTES, 0, "waiting_for_entry"),
        (MINUTES, 1.75, "at_entry"),
        (MINUTES, 301.75 - 15, "too_late"),
        (MINUTES, 301.75, "expired"),
        ({"duration": 10, "duration_unit": "t"}, 8, "ticks"),
    ],
)
def test_it_is_sold_when_the_market_buys_and_no_other_time(desk, trader, sell, value, clock, terms, after, refusal):
    trade = desk.open(trader, **terms)
    clock.go(after)
    assert value(trader.context, trade["id"])["refusal"] == refusal
    with pytest.raises(SaleRefused) as refused:
        sell(trader, trade["id"])
    assert refused.value.extra == {"refusal": refusal}
    assert desk.row(trade["id"])["status"] == "OPEN"


def test_only_the_owner_sells_and_needs_a_key(desk, trader, running, sell):
    with pytest.raises(TradeNotFound):
        sell(desk.trader(), running["id"])
    with pytest.raises(TradeNotFound):
        sell(trader, new_id())
    request = SellTradeRequest(trade_id=running["id"])
    with use(trader.context), pytest.raises(MalformedRequest):
        sell_trade(request, db=desk.db, market=desk.market)
    with use(Context()), pytest.raises(Unauthorized):
        sell_trade(request, db=desk.db, market=desk.market)
    assert desk.row(running["id"])["status"] == "OPEN"


def test_of_many_sales_at_once_one_is_made(desk, trader, running, sell, at_once):
    found = at_once(*[lambda: sell(trader, running["id"]) for _ in range(8)])
    assert sum(not isinstance(one, str) for one in found) == 1
    assert {one for one in found if isinstance(one, str)} == {"trade_not_open"}
    assert len(desk.told("trade_settled")) == 1


def test_one_key_many_times_at_once_is_one_sale(desk, trader, running, sell, at_once):
    found = at_once(*[lambda: sell(trader, running["id"], KEY) for _ in range(8)])
    assert [one for one in found if isinstance(one, str)] == []
    assert len({one["trade"]["payout"] for one in found}) == 1
    assert sum(not one["replayed"] for one in found) == 1
    assert len(desk.told("trade_settled")) == 1


def test_a_sale_a_close_and_the_end_at_once_are_one_result(desk, trader, running, sell, at_once, clock):
    clock.now = from_rfc3339(running["expires_at"]) - timedelta(seconds=16)
    at_once(
        lambda: sell(trader, running["id"]), lambda: desk.close(running["id"], "1.23"), lambda: desk.void(running["id"])
    )
    events = [*desk.told("trade_settled"), *desk.told("trade_cancelled")]
    assert [event.subject_version for event in events] == list(range(3, 3 + len(events)))
    assert len(desk.told("trade_settled")) <= 1


def test_a_lost_answer_to_the_commit_is_one_sale(desk, trader, running, sell, lost_commit):
    with lost_commit(desk.db, 1), pytest.raises(CommitUnknown):
        sell(trader, running["id"], KEY)
    assert sell(trader, running["id"], KEY)["replayed"] is True
    assert len(desk.told("trade_settled")) == 1


def test_what_was_sold_can_be_voided_and_keeps_what_it_was(desk, trader, running, sell):
    paid = sell(trader, running["id"])["trade"]["payout"]
    desk.void(running["id"])
    row = desk.row(running["id"])
    assert (row["status"], row["settled_status"], row["reason"]) == ("CANCELLED", "CLOSED", "sold")
    assert f"{Decimal(row['settled_payout']) / 100:.2f}" == paid


def test_the_value_is_for_owner_and_staff_and_of_open_trades(desk, trader, running, value, sell):
    staff = Context(kind="staff", user_id="01920000-0000-7000-8000-000000000009")
    found = value(staff, running["id"])
    assert found == value(trader.context, running["id"])
    assert set(found) == set(ValueView.__annotations__)
    assert found["barrier"] == f"{Decimal(found['entry_spot']) + Decimal('0.37')}"
    assert found["shortcode"].startswith("CALL_R_100_")
    assert "entry spot plus 0.37 at 5 minutes" in found["longcode"]
    for context, trade_id in ((desk.trader().context, running["id"]), (trader.context, new_id())):
        with pytest.raises(TradeNotFound):
            value(context, trade_id)
    with pytest.raises(Unauthorized):
        value(Context(), running["id"])
    sell(trader, running["id"])
    with pytest.raises(TradeNotOpen):
        value(trader.context, running["id"])
    with pytest.raises(TradeNotOpen):
        value(trader.context, desk.pending(trader))
