"""Open and recent trades at a glance, and lists that show whatever has changed, however it changed."""

from __future__ import annotations

import json

import pytest

from shared.chassis.context import Context, use
from shared.contracts.trades.rpc import ListTradesRequest, SummaryRequest
from shared.utils.ids import new_id
from trades import queries


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "a key for cursors")


@pytest.fixture
def listed(desk):
    def ask(context, **filters):
        with use(context):
            return queries.list_trades(ListTradesRequest(**filters), db=desk.db, spot=desk.market.spot)

    return ask


@pytest.fixture
def summary(desk):
    def ask(context, limit=10):
        with use(context):
            return queries.summary(SummaryRequest(limit=limit), db=desk.db, spot=desk.market.spot)

    return ask


def test_it_has_the_first_pages_of_the_callers_lists(desk, listed, summary, clock):
    trader, other = desk.trader(), desk.trader()
    for _ in range(3):
        desk.open(trader)
    desk.open(other)
    clock.go(3600)
    desk.settle()
    desk.open(trader)
    for limit in (2, 10):
        found = summary(trader.context, limit)
        assert found["open_trades"] == listed(trader.context, status="OPEN", limit=limit)["results"]
        assert found["recent_trades"] == listed(trader.context, limit=limit)["results"]
        assert json.loads(found.json) == found
    assert [len(found["open_trades"]), len(found["recent_trades"])] == [1, 4]
    assert summary(Context(kind="user", user_id=new_id())) == {"open_trades": [], "recent_trades": []}


def test_a_list_shows_every_change_of_what_it_has_shown_before(desk, listed, clock):
    trader = desk.trader()
    trade_id = desk.open(trader)["id"]
    assert [trade["status"] for trade in listed(trader.context)["results"]] == ["OPEN"]
    clock.go(3600)
    desk.settle()
    (settled,) = listed(trader.context)["results"]
    assert settled["status"] in ("WON", "LOST")
    assert listed(trader.context)["results"] == [settled]
    desk.rows("UPDATE trades SET updated_at = updated_at + interval '1 second' WHERE id = %s", trade_id)
    assert listed(trader.context)["results"][0]["updated_at"] != settled["updated_at"]
