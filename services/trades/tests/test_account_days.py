"""What is counted of an account by day, by whichever path its trades go, and what limits and statistics read of it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from shared.contracts.billing.errors import InsufficientFunds
from shared.contracts.trades.errors import SettlementConflict, TradeNotOpen
from shared.utils.ids import new_id

TODAY, TOMORROW = "2026-03-02", "2026-03-03"
ASKED = ("staked", "open_trades", "at_risk")
CLOSED = (
    "settled",
    "won",
    "lost",
    "settled_stake",
    "settled_markup",
    "payout",
    "profit",
    "biggest_win",
    "biggest_loss",
)


def days(desk, trader):
    """By day, what is not zero."""
    rows = desk.rows("SELECT day::text, to_jsonb(d) FROM account_days d WHERE account_id = %s", trader.account_id)
    return {day: {name: row[name] for name in (*ASKED, *CLOSED) if row[name]} for day, row in rows}


def test_an_open_trade_is_staked_and_at_risk_on_the_day_it_was_asked_for(desk):
    trader = desk.trader(account_markup="2.00")
    desk.open(trader)
    assert days(desk, trader) == {TODAY: {"staked": 1000, "open_trades": 1, "at_risk": 1039}}
    desk.pending(trader)
    assert days(desk, trader) == {TODAY: {"staked": 2000, "open_trades": 2, "at_risk": 2078}}


def test_a_result_counts_on_the_day_it_comes_and_the_stake_stays_where_it_was(desk, clock):
    trader = desk.trader(account_markup="2.00")
    lost, won = (desk.open(trader, duration=1, duration_unit="d") for _ in range(2))
    clock.go(86_400)
    desk.close(lost["id"], "0")
    desk.close(won["id"], won["potential_payout"])
    payout = desk.row(won["id"])["payout"]
    profit = payout - 2 * 1000 - 2 * won_markup(desk, won)
    assert days(desk, trader) == {
        TODAY: {"staked": 2000},
        TOMORROW: {
            "settled": 2,
            "won": 1,
            "lost": 1,
            "settled_stake": 2000,
            "settled_markup": 2 * won_markup(desk, won),
            "payout": payout,
            "profit": profit,
            "biggest_win": payout - 1000 - won_markup(desk, won),
            "biggest_loss": -1000 - won_markup(desk, won),
        },
    }


def won_markup(desk, trade):
    return desk.row(trade["id"])["markup_applied"]


def test_what_never_opened_gives_its_share_back(desk, clock):
    trader = desk.trader()
    desk.pending(trader)
    clock.go(60)
    desk.sweep()

    def none(hold_id):
        raise InsufficientFunds

    desk.billing.on_hold = none
    with pytest.raises(InsufficientFunds):
        desk.open(trader)
    assert days(desk, trader) == {TODAY: {}}
    assert desk.rows("SELECT DISTINCT status FROM trades") == [("REJECTED",)]


@pytest.mark.parametrize("closed", [None, "0", "7.50", "19.54"])
def test_what_is_voided_has_never_been(desk, closed):
    trader = desk.trader()
    trade = desk.open(trader)
    if closed is not None:
        desk.close(trade["id"], closed)
    desk.void(trade["id"])
    assert days(desk, trader) == {TODAY: {}}


def test_the_biggest_are_found_again_when_one_is_voided(desk):
    trader = desk.trader()
    trades = [desk.open(trader, stake=stake)["id"] for stake in ("1.00", "2.00", "3.00", "4.00")]
    for trade_id, payout in zip(trades, ("1.50", "0", "5.86", "0"), strict=True):
        desk.close(trade_id, payout)
    assert (days(desk, trader)[TODAY]["biggest_win"], days(desk, trader)[TODAY]["biggest_loss"]) == (286, -400)
    desk.void(trades[2])
    desk.void(trades[3])
    assert (days(desk, trader)[TODAY]["biggest_win"], days(desk, trader)[TODAY]["biggest_loss"]) == (50, -200)


def test_what_changes_nothing_that_is_counted_leaves_the_days_alone(desk):
    trader = desk.trader()
    trade_id = desk.open(trader)["id"]
    desk.close(trade_id, "0")
    before = desk.rows("SELECT xmin::text FROM account_days")
    desk.apply(desk.awarded(trade_id, new_id()))
    assert desk.rows("SELECT xmin::text FROM account_days") == before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE account_days SET staked = 0",
        "DELETE FROM account_days",
        "INSERT INTO account_days SELECT * FROM account_days",
    ],
)
def test_the_service_itself_cannot_write_what_is_counted(desk, change):
    desk.open(desk.trader())
    with pytest.raises(ProgrammingError, match="permission denied"), desk.db.transaction() as tx:
        tx.execute(text(change))


def wrong(desk):
    return {"account_days", "account_day_owner"} & set(desk.violations())


@pytest.mark.parametrize("name", [*ASKED, *CLOSED])
def test_a_wrong_count_is_found(desk, name):
    desk.open(desk.trader())
    assert wrong(desk) == set()
    desk.tamper(f"UPDATE account_days SET {name} = {name} + 1")
    assert wrong(desk) == {"account_days"}


@pytest.mark.parametrize(
    ("damage", "invariant"),
    [
        ("DELETE FROM account_days", "account_days"),
        ("UPDATE account_days SET day = day + 1", "account_days"),
        ("UPDATE account_days SET user_id = account_id", "account_day_owner"),
        ("UPDATE account_days SET currency = 'EUR'", "account_day_owner"),
    ],
)
def test_a_day_that_is_missing_or_somebody_elses_is_found(desk, damage, invariant):
    desk.open(desk.trader())
    desk.tamper(damage)
    assert wrong(desk) == {invariant}


def test_two_batches_on_the_same_accounts_do_not_wait_for_each_other_crosswise(desk, clock, at_once):
    traders = [desk.trader() for _ in range(10)]
    for _ in range(6):
        for trader in traders:
            desk.open(trader, symbol="1HZ100V")
    clock.go(60)
    answers = at_once(*[desk.settle] * 6, *[lambda trader=trader: desk.open(trader)["status"] for trader in traders])
    assert [answer for answer in answers if isinstance(answer, str) and answer != "OPEN"] == []
    assert desk.rows("SELECT sum(settled), sum(open_trades) FROM account_days") == [(60, 10)]


acts = st.lists(
    st.tuples(st.sampled_from(["open", "pending", "close", "void", "settle", "sweep"]), st.integers(0, 7)), max_size=12
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=acts)
def test_whatever_happens_to_trades_the_days_say_the_same(desk, clock, acts):
    """The invariant `account_days` states it; here midnight passes, too, and everything comes in any order."""
    trader, trades = desk.trader(), []
    for act, number in acts:
        clock.go(7200 * number)
        if act == "open":
            trades.append(desk.open(trader, duration=number + 1, duration_unit="h")["id"])
        elif act == "pending":
            desk.pending(trader)
        elif act == "close" and trades:
            with suppress(TradeNotOpen, SettlementConflict):
                desk.close(trades[number % len(trades)], ("0", "7.50", "19.00")[number % 3])
        elif act == "void" and trades:
            desk.void(trades[number % len(trades)])
        elif act == "settle":
            desk.settle()
        elif act == "sweep":
            desk.sweep()
        assert "account_days" not in desk.violations()
