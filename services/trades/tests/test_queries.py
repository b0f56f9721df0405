"""Reading: one's own trades, newest first, page by page."""

from __future__ import annotations

import pytest

from shared.chassis.context import Context, use
from shared.contracts.errors import Unauthorized, ValidationFailed
from shared.contracts.trades.errors import TradeNotFound
from shared.contracts.trades.rpc import GetTradeRequest, ListTradesRequest, TradeView
from shared.utils.ids import new_id
from shared.utils.time import from_rfc3339
from trades import queries

STAFF = Context(kind="staff", user_id="01920000-0000-7000-8000-000000000009")


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "a key for cursors")


@pytest.fixture
def get(desk):
    def ask(context, trade_id):
        with use(context):
            return queries.get_trade(GetTradeRequest(trade_id=trade_id), db=desk.db, spot=desk.market.spot)

    return ask


@pytest.fixture
def listed(desk):
    def ask(context, **filters):
        with use(context):
            return queries.list_trades(ListTradesRequest(**filters), db=desk.db, spot=desk.market.spot)

    return ask


def ids(page):
    return [trade["id"] for trade in page["results"]]


def test_a_trade_is_its_owners_and_staffs(desk, get):
    owner, other = desk.trader(), desk.trader()
    trade = desk.open(owner)
    assert get(owner.context, trade["id"]) == get(STAFF, trade["id"]) == trade
    for context, trade_id in ((other.context, trade["id"]), (owner.context, new_id())):
        with pytest.raises(TradeNotFound):
            get(context, trade_id)
    with pytest.raises(Unauthorized):
        get(Context(), trade["id"])


def test_an_open_trade_shows_its_entry_once_its_instant_has_come(desk, get, clock):
    trader = desk.trader()
    trade = desk.open(trader)
    clock.now = from_rfc3339("2026-03-02T10:20:31.999999Z")
    assert get(trader.context, trade["id"])["entry_spot"] is None
    clock.go(0.000001)
    entry = get(trader.context, trade["id"])["entry_spot"]
    assert entry == str(desk.market.spot("R_100", at=clock.now, now=clock.now))
    clock.go(30)
    desk.settle()
    assert get(trader.context, trade["id"])["entry_spot"] == entry


def test_a_settled_trade_shows_everything(desk, get, clock):
    trader = desk.trader(account_markup="1.00")
    trade = desk.open(trader)
    clock.go(30)
    desk.settle()
    found = get(trader.context, trade["id"])
    assert set(found) == set(TradeView.__annotations__)
    assert (found["payout"], found["profit"]) in [("19.54", "9.34"), ("0.00", "-10.20")]
    assert found["closed_at"] == found["updated_at"] == "2026-03-02T10:21:00.250000Z"
    assert None not in [found[name] for name in TradeView.__annotations__ if name not in ("proposal_id", "barrier")]


def test_the_newest_come_first_without_what_was_never_opened(desk, listed, clock):
    trader = desk.trader()
    trades = [desk.open(trader)["id"] for _ in range(3)]
    pending, rejected = desk.pending(trader), desk.pending(trader)
    desk.rows("UPDATE trades SET opening_deadline = opening_deadline + interval '1 hour' WHERE id = %s", pending)
    clock.go(10)
    desk.sweep()
    desk.open(desk.trader())
    assert ids(listed(trader.context)) == trades[::-1]
    assert ids(listed(trader.context, status="PENDING")) == [pending]
    assert ids(listed(trader.context, status="REJECTED")) == [rejected]


def test_a_cancelled_trade_is_listed_like_any_other_that_was_open(desk, listed):
    trader = desk.trader()
    trades = [desk.open(trader)["id"] for _ in range(3)]
    desk.close(trades[1], "7.50")
    for trade_id in trades[:2]:
        desk.void(trade_id)
    assert ids(listed(trader.context)) == ids(listed(STAFF)) == trades[::-1]
    assert ids(listed(trader.context, status="CANCELLED")) == ids(listed(STAFF, status="CANCELLED")) == trades[1::-1]
    shown = listed(trader.context)["results"][1]
    assert (shown["status"], shown["payout"], shown["profit"]) == ("CANCELLED", None, "0.00")


def test_pages_follow_each_other_without_gap_or_repeat(desk, listed):
    trader = desk.trader()
    trades = [desk.open(trader)["id"] for _ in range(7)]
    found, after = [], None
    while True:
        page = listed(trader.context, limit=3, after=after)
        found += ids(page)
        desk.open(trader)  # what comes in between does not shift them
        after = page["next"]
        if not page["has_more"]:
            break
    assert found == trades[::-1]
    assert after is None


def test_filters_narrow_and_can_be_combined(desk, listed, clock):
    trader = desk.trader()
    settled = desk.open(trader, symbol="R_50")["id"]
    clock.go(30)
    desk.settle()
    status = desk.row(settled)["status"]
    open_ = desk.open(trader, symbol="R_50")["id"]
    other = desk.open(trader, symbol="R_100")["id"]
    assert ids(listed(trader.context, symbol="R_50")) == [open_, settled]
    assert ids(listed(trader.context, status="OPEN")) == [other, open_]
    assert ids(listed(trader.context, status=status, symbol="R_50", account_id=trader.account_id)) == [settled]
    assert ids(listed(trader.context, account_id=new_id())) == []


def test_staff_see_everybodys_or_one_users(desk, listed):
    one, other = desk.trader(), desk.trader()
    trades = [desk.open(trader)["id"] for trader in (one, other)]
    assert ids(listed(STAFF)) == trades[::-1]
    assert ids(listed(STAFF, user_id=one.user_id)) == trades[:1]
    assert ids(listed(one.context, user_id=one.user_id)) == trades[:1]
    with pytest.raises(ValidationFailed):
        listed(one.context, user_id=other.user_id)
    assert ids(listed(one.context, account_id=other.account_id)) == []


def test_a_cursor_is_good_for_its_own_list_alone(desk, listed):
    one, other = desk.trader(), desk.trader()
    for _ in range(3):
        desk.open(one)
    cursor = listed(one.context, limit=1)["next"]
    for context, filters in (
        (other.context, {"after": cursor}),
        (one.context, {"after": cursor, "symbol": "R_100"}),
        (one.context, {"after": "AAAA"}),
    ):
        with pytest.raises(ValidationFailed):
            listed(context, **filters)


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ("user_id = '{id}' AND status NOT IN ('PENDING', 'REJECTED') ORDER BY id DESC LIMIT 21", "trades_of_user"),
        ("account_id = '{id}' ORDER BY id DESC LIMIT 21", "trades_of_account"),
        ("status = 'OPEN' AND expires_at <= now() ORDER BY expires_at LIMIT 100", "trades_due"),
        ("status = 'PENDING' AND opening_deadline <= now() ORDER BY opening_deadline LIMIT 100", "trades_pending"),
        ("id < '{id}' ORDER BY id DESC LIMIT 21", "trades_pkey"),
        ("status = 'CANCELLED' AND id < '{id}' ORDER BY id DESC LIMIT 21", "trades_cancelled"),
    ],
)
def test_hot_questions_are_answered_from_an_index_in_its_order(desk, where, index):
    desk.rows("SET enable_seqscan = off; SET enable_bitmapscan = off")
    plan = desk.rows("EXPLAIN SELECT * FROM trades WHERE " + where.format(id=new_id()))
    text = "\n".join(line for (line,) in plan)
    assert index in text
    assert "Sort" not in text
