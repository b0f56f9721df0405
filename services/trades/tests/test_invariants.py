"""What `verify` reads finds what is wrong, and nothing where all is well."""

from __future__ import annotations

import pytest

from trades.invariants import CLAIMS, FACTS


def pairs(desk, query):
    return dict(desk.rows(query))


def test_claims_and_facts_are_what_billing_compares(desk, clock):
    trader = desk.trader(account_markup="1.00")
    settled, closed = desk.open(trader), desk.open(trader)
    clock.go(30)
    desk.settle()
    desk.rows("UPDATE trades SET closed_at = closed_at")
    open_ = desk.open(trader)
    closed = desk.open(trader)
    desk.close(closed["id"], "7.50")
    pending = desk.pending(trader)
    payout = desk.row(settled["id"])["payout"]
    booked = pairs(desk, CLAIMS["ledger_settlement"])
    assert booked == pairs(desk, FACTS["settled_trade"])
    assert booked[settled["id"]] == f"{trader.account_id}:USD:1000:20:{payout}"
    assert booked[closed["id"]] == f"{trader.account_id}:USD:1000:20:750"
    assert not {open_["id"], pending} & set(booked)
    assert pairs(desk, CLAIMS["hold_of_open_trade"]) == {open_["id"]: f"{trader.account_id}:1020"}
    assert pairs(desk, FACTS["live_trade"]) == {open_["id"]: "1020", pending: "1020"}


def test_an_untouched_set_of_tables_has_no_violation(desk, clock):
    desk.open(desk.trader())
    clock.go(30)
    desk.settle()
    desk.pending(desk.trader())
    desk.rows("UPDATE trades SET opening_deadline = now()")
    assert desk.violations() == {}


@pytest.mark.parametrize(
    ("damage", "invariant"),
    [
        ("UPDATE trades SET status = 'PENDING'", "pending_overdue"),
        ("UPDATE trades SET profit = profit + 1", "profit_arithmetic"),
        ("UPDATE trades SET held = held - 1", "profit_arithmetic"),
        ("UPDATE trades SET payout = payout + 1", "profit_arithmetic"),
        ("UPDATE trades SET closed_at = NULL", "status_consistent"),
        ("UPDATE trades SET exit_spot = NULL", "status_consistent"),
        ("UPDATE trades SET exit_spot = entry_spot, status = 'WON'", "result_by_spots"),
        ("DELETE FROM trades", "idempotency_subject"),
        (
            "DELETE FROM market_hours WHERE hour = (SELECT min(hour) + 1 FROM market_hours)",
            "market_hours",
        ),
        ("UPDATE market_hours SET seed = 'x'", "market_hours"),
        (
            "UPDATE market_levels SET opening = opening + 1",
            "market_chain",
        ),
        (
            "DELETE FROM market_levels WHERE symbol = 'R_50' AND hour = (SELECT min(hour) + 1 FROM market_hours)",
            "market_chain",
        ),
    ],
)
def test_damage_is_found(desk, clock, damage, invariant):
    desk.open(desk.trader())
    clock.go(30)
    desk.settle()
    clock.go(2 * 3600)
    desk.market.prepare(now=clock.now)
    assert desk.violations() == {}
    desk.rows("BEGIN")
    try:
        for table, name in desk.rows("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c'"):
            if table in ("trades", "market_hours"):
                desk.rows(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        desk.rows(damage)
        assert invariant in desk.violations()
    finally:
        desk.rows("ROLLBACK")


def test_a_trade_that_nobody_settles_is_found(desk):
    desk.open(desk.trader())
    desk.tamper("UPDATE trades SET expires_at = now() - interval '59 seconds'")
    assert desk.violations() == {}
    desk.tamper("UPDATE trades SET expires_at = now() - interval '61 seconds'")
    assert set(desk.violations()) == {"open_overdue"}
