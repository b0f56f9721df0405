"""What `verify` reads finds what is wrong, and nothing where all is well."""

from __future__ import annotations

import pytest

from shared.utils.ids import new_id
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


def test_a_voided_trade_stays_in_the_books_with_its_first_result(desk, clock):
    trader = desk.trader(account_markup="1.00")
    expired, closed, open_, live = (desk.open(trader)["id"] for _ in range(4))
    desk.close(closed, "7.50")
    desk.void(open_)
    desk.rows("UPDATE trades SET expires_at = expires_at + interval '1 hour' WHERE id = %s", live)
    clock.go(30)
    desk.settle()
    payout = desk.row(expired)["payout"]
    for trade_id in (expired, closed):
        desk.void(trade_id)
    settled = {
        expired: f"{trader.account_id}:USD:1000:20:{payout}",
        closed: f"{trader.account_id}:USD:1000:20:750",
    }
    assert pairs(desk, CLAIMS["ledger_settlement"]) == pairs(desk, FACTS["settled_trade"]) == settled
    assert pairs(desk, CLAIMS["hold_of_open_trade"]).keys() == pairs(desk, FACTS["live_trade"]).keys() == {live}
    voided = dict.fromkeys(settled, f"{trader.account_id}:USD")
    assert pairs(desk, CLAIMS["ledger_void"]) == pairs(desk, FACTS["voided_trade"]) == voided
    decided = dict.fromkeys(settled, "settled")
    assert pairs(desk, CLAIMS["trade_decision"]) == pairs(desk, FACTS["decided_trade"]) == decided


def test_a_settled_trade_is_decided_and_not_voided(desk):
    trade_id = desk.open(desk.trader())["id"]
    assert pairs(desk, CLAIMS["trade_decision"]) == {}
    desk.close(trade_id, "0")
    assert pairs(desk, CLAIMS["trade_decision"]) == pairs(desk, FACTS["decided_trade"]) == {trade_id: "settled"}
    assert pairs(desk, CLAIMS["ledger_void"]) == pairs(desk, FACTS["voided_trade"]) == {}


def test_what_affiliates_earned_is_claimed_while_it_is_not_zero(desk):
    one, other, award_id = desk.open(desk.trader())["id"], desk.open(desk.trader())["id"], new_id()
    desk.apply(desk.awarded(one, new_id(), 30), desk.awarded(one, new_id(), 9), desk.awarded(other, award_id))
    desk.apply(desk.taken_back(other, award_id))
    assert pairs(desk, CLAIMS["award_of_trade"]) == pairs(desk, FACTS["applied_award"]) == {one: "39"}


def test_every_copy_is_claimed_with_its_version(desk):
    owner = desk.user(version=3)
    code_id = desk.code(owner, version=5)
    desk.rule(owner, "1.00", version=7)
    trader = desk.trader(referrer_id=owner, code_id=code_id)
    assert pairs(desk, CLAIMS["user_copy_trades"]) == {owner: "3", trader.user_id: "1"}
    assert pairs(desk, CLAIMS["account_copy_trades"]) == {trader.account_id: "1"}
    assert pairs(desk, CLAIMS["code_copy_trades"]) == {code_id: "5"}
    assert pairs(desk, CLAIMS["rule_copy_trades"]) == {owner: "7"}


def test_an_untouched_set_of_tables_has_no_violation(desk, clock):
    desk.open(desk.trader())
    clock.go(30)
    desk.settle()
    voided, award_id = [desk.open(desk.trader())["id"] for _ in range(2)], new_id()
    desk.close(voided[0], "7.50")
    desk.apply(desk.awarded(voided[0], award_id))
    for trade_id in voided:
        desk.void(trade_id)
    desk.apply(desk.taken_back(voided[0], award_id))
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
        ("UPDATE trades SET exit_spot = entry_spot, settled_status = 'WON'", "result_by_spots"),
        ("UPDATE trades SET barrier = '+99' WHERE status = 'WON' OR settled_status = 'WON'", "result_by_spots"),
        ("UPDATE trades SET exit_spot = entry_spot, contract_type = 'CALLE', status = 'LOST'", "result_by_spots"),
        ("UPDATE trades SET reason = 'sold'", "sold_before_end"),
        ("UPDATE trades SET payout = 0 WHERE status = 'CANCELLED'", "profit_arithmetic"),
        ("UPDATE trades SET profit = NULL WHERE status = 'CANCELLED'", "profit_arithmetic"),
        ("UPDATE trades SET settled_payout = settled_payout + 1", "profit_arithmetic"),
        ("UPDATE trades SET voided_by = NULL", "status_consistent"),
        ("UPDATE trades SET settled_payout = NULL", "status_consistent"),
        ("UPDATE trades SET status = 'OPEN' WHERE status = 'CANCELLED'", "status_consistent"),
        ("UPDATE trades SET commission_applied = commission_applied + 1", "commission_applied"),
        ("DELETE FROM applied_awards WHERE sign = -1", "commission_applied"),
        ("DELETE FROM applied_awards WHERE sign = 1", "award_mirrored"),
        ("UPDATE applied_awards SET amount = amount + 1 WHERE sign = 1", "award_mirrored"),
        ("DELETE FROM applied_awards; DELETE FROM trades", "idempotency_subject"),
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
    trades, award_id = [desk.open(desk.trader())["id"] for _ in range(2)], new_id()
    clock.go(30)
    desk.settle()
    desk.apply(desk.awarded(trades[0], award_id), desk.awarded(trades[1], new_id()))
    desk.apply(desk.taken_back(trades[0], award_id))
    desk.void(trades[0])
    clock.go(2 * 3600)
    desk.market.prepare(now=clock.now)
    assert desk.violations() == {}
    desk.rows("BEGIN")
    try:
        for table, name in desk.rows("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c'"):
            if table in ("trades", "market_hours"):
                desk.rows(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        desk.rows("ALTER TABLE applied_awards DISABLE TRIGGER USER")
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
