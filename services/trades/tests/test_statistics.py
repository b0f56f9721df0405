"""Statistics of a user's settled trades: by kind of account and currency, of all days or some."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.chassis.context import Context, use
from shared.contracts.billing.events import AccountOpened
from shared.contracts.errors import Unauthorized, ValidationFailed
from shared.contracts.trades.statistics import GetStatisticsRequest, StatisticsLine
from shared.utils.ids import new_id
from trades import copies
from trades.commands.get_statistics import get_statistics

STAFF = Context(kind="staff", user_id="01920000-0000-7000-8000-000000000009")


@pytest.fixture
def asked(desk):
    def ask(context, **filters):
        with use(context):
            return get_statistics(GetStatisticsRequest(**filters), db=desk.db)

    return ask


@pytest.fixture
def also(desk):
    """Another account of a trader."""

    def open_(trader, **terms):
        account = replace(AccountOpened.example(), account_id=new_id(), user_id=trader.user_id, **terms)
        with desk.db.transaction() as tx:
            copies.put_accounts(tx, [desk.received(account)])
        return replace(trader, account_id=account.account_id, currency=account.currency)

    return open_


def closed(desk, trader, *payouts):
    for payout in payouts:
        desk.close(desk.open(trader)["id"], payout)


def test_nothing_settled_is_nothing_to_say(desk, asked):
    trader = desk.trader()
    desk.open(trader)
    assert asked(trader.context) == {"user_id": trader.user_id, "since": None, "until": None, "results": []}


def test_results_are_summed_up(desk, asked):
    trader = desk.trader(account_markup="1.02")
    closed(desk, trader, "19.54", "0", "10.20", "15.00")
    desk.open(trader)
    (line,) = asked(trader.context)["results"]
    assert set(line) == set(StatisticsLine.__annotations__)
    assert line == {
        "account_type": "DEMO",
        "currency": "USD",
        "trades": 4,
        "won": 2,
        "lost": 1,
        "win_rate": "50.00",
        "staked": "40.00",
        "markup": "0.80",
        "payout": "44.74",
        "profit": "3.94",
        "biggest_win": "9.34",
        "biggest_loss": "-10.20",
    }


def test_kinds_of_accounts_and_currencies_stand_apart_and_accounts_of_one_kind_together(desk, asked, also):
    trader = desk.trader()
    second, real, bitcoin = (
        also(trader, account_type="DEMO", currency="USD"),
        also(trader, account_type="REAL", currency="USD"),
        also(trader, account_type="REAL", currency="BTC"),
    )
    for account in (trader, second, real, bitcoin):
        closed(desk, account, "0")
    lines = asked(trader.context)["results"]
    assert [(line["account_type"], line["currency"], line["trades"]) for line in lines] == [
        ("DEMO", "USD", 2),
        ("REAL", "BTC", 1),
        ("REAL", "USD", 1),
    ]
    assert lines[1]["profit"] == "-10.00000000"
    (line,) = asked(trader.context, account_id=second.account_id)["results"]
    assert line["trades"] == 1


def test_days_are_those_on_which_the_results_came(desk, asked, clock):
    trader = desk.trader()
    long = desk.open(trader, duration=2, duration_unit="d")
    closed(desk, trader, "0")
    clock.go(86_400)
    desk.close(long["id"], "15.00")

    def won_and_lost(**days):
        lines = asked(trader.context, **days)["results"]
        return [(line["won"], line["lost"]) for line in lines]

    assert won_and_lost() == [(1, 1)]
    assert won_and_lost(since="2026-03-03") == won_and_lost(since="2026-03-03", until="2026-03-03") == [(1, 0)]
    assert won_and_lost(until="2026-03-02") == [(0, 1)]
    assert won_and_lost(since="2026-03-04") == []


def test_a_voided_trade_has_no_result(desk, asked):
    trader = desk.trader()
    trade = desk.open(trader)
    desk.close(trade["id"], "19.54")
    closed(desk, trader, "0")
    desk.void(trade["id"])
    (line,) = asked(trader.context)["results"]
    assert (line["trades"], line["won"], line["win_rate"], line["biggest_win"]) == (1, 0, "0.00", "0.00")


def test_ones_own_are_for_oneself_and_anybodys_for_staff(desk, asked):
    owner, other = desk.trader(), desk.trader()
    closed(desk, owner, "0")
    assert asked(STAFF, user_id=owner.user_id) == asked(owner.context) == asked(owner.context, user_id=owner.user_id)
    assert asked(STAFF)["results"] == asked(other.context)["results"] == []
    assert asked(other.context, account_id=owner.account_id)["results"] == []
    with pytest.raises(ValidationFailed) as error:
        asked(other.context, user_id=owner.user_id)
    assert [(item["field"], item["code"]) for item in error.value.errors] == [("user_id", "not_allowed")]
    with pytest.raises(Unauthorized):
        asked(Context())
