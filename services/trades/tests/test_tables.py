"""The database itself refuses states that must not be."""

from __future__ import annotations

import psycopg2
import pytest

from shared.chassis.migrations import differences


@pytest.mark.parametrize(
    "change",
    [
        "status = 'DONE'",
        "direction = 'FALL'",
        "account_type = 'BONUS'",
        "held = stake + markup_applied - 1",
        "stake = 0",
        "markup_applied = -1",
        "markup_percent = 5.01",
        "markup_source = 'mood'",
        "duration_unit = 'w'",
        "status = 'PENDING'",
        "contract_id = NULL",
        "expires_at = NULL",
        "payout = 0",
        "closed_at = now()",
        "status = 'REJECTED'",
        "rejection = '{}'",
        "status = 'WON'",
        "status = 'WON', closed_at = now(), reason = 'expired', payout = 1, profit = 1 - stake - markup_applied",
        "status = 'LOST', closed_at = now(), reason = 'expired', payout = 0, profit = 0",
        "status = 'LOST', closed_at = now(), reason = 'mood', payout = 0, profit = - stake - markup_applied",
        "status = 'CLOSED', closed_at = now(), reason = 'staff', payout = 0, profit = - stake - markup_applied",
        "status = 'CLOSED', reason = 'staff', payout = 1, profit = 1 - stake - markup_applied",
    ],
)
def test_a_row_that_contradicts_itself_is_refused(desk, change):
    trade = desk.open(desk.trader())
    with pytest.raises(psycopg2.errors.CheckViolation):
        desk.rows(f"UPDATE trades SET {change} WHERE id = %s", trade["id"])


def test_a_contract_belongs_to_one_trade(desk):
    one, other = (desk.open(desk.trader()) for _ in range(2))
    with pytest.raises(psycopg2.errors.UniqueViolation):
        desk.rows("UPDATE trades SET contract_id = %s WHERE id = %s", one["contract_id"], other["id"])


def test_a_seed_without_its_commitment_is_refused(desk):
    with pytest.raises(psycopg2.errors.CheckViolation):
        desk.rows("INSERT INTO market_hours VALUES (1, 'seed', 'other', now())")


def test_models_and_migrations_agree(desk):
    host = desk.db.url
    owner = host.set(username="trades_owner", password="trades_owner").render_as_string(hide_password=False)
    assert differences("trades", owner) == []
