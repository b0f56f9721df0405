"""The database itself refuses states that must not be."""

from __future__ import annotations

import psycopg2
import pytest
from alembic import command
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from shared.chassis.migrations import Migrations, differences
from shared.utils.ids import new_id


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
        "status = 'CANCELLED', closed_at = now(), profit = 0",
        "settled_status = 'WON', settled_payout = potential_payout",
        "void_reason = 'wrong price'",
        "commission_applied = -1",
        "contract_type = 'PUTE'",
        "contract_type = 'CALLS'",
        "contract_type = 'CALLE', barrier = '+0.37'",
        "barrier = 'near'",
        "barrier = '+'",
        "barrier = '+0.37 '",
        "barrier = E'+0.37\\n'",
        "sold_commission = 0.012",
    ],
)
def test_a_row_that_contradicts_itself_is_refused(desk, change):
    trade = desk.open(desk.trader())
    with pytest.raises(psycopg2.errors.CheckViolation):
        desk.rows(f"UPDATE trades SET {change} WHERE id = %s", trade["id"])


@pytest.mark.parametrize(
    "change",
    [
        "payout = 0",
        "profit = NULL",
        "profit = 1",
        "void_reason = NULL",
        "voided_at = NULL",
        "voided_by = NULL",
        "closed_at = NULL",
        "settled_status = NULL",
        "settled_payout = NULL",
        "settled_payout = 750",
        "settled_status = 'LOST'",
        "settled_status = 'OPEN'",
        "reason = NULL",
        "settled_status = NULL, settled_payout = NULL",
        "status = 'WON'",
    ],
)
def test_a_voided_row_that_contradicts_itself_is_refused(desk, change):
    trade = desk.open(desk.trader())
    desk.close(trade["id"], "19.54")
    desk.void(trade["id"])
    with pytest.raises(psycopg2.errors.CheckViolation):
        desk.rows(f"UPDATE trades SET {change} WHERE id = %s", trade["id"])


@pytest.mark.parametrize(
    "change", ["UPDATE applied_awards SET amount = 1", "DELETE FROM applied_awards", "TRUNCATE applied_awards"]
)
def test_applied_awards_only_grow(desk, change):
    trade = desk.open(desk.trader())
    desk.apply(desk.awarded(trade["id"], new_id()))
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="it only grows"):
        desk.rows(change)
    with pytest.raises(ProgrammingError, match="permission denied"), desk.db.transaction() as tx:
        tx.execute(text(change))


@pytest.mark.parametrize(
    ("sign", "amount", "error"),
    [
        (1, 0, psycopg2.errors.CheckViolation),
        (2, 39, psycopg2.errors.CheckViolation),
        (1, 39, psycopg2.errors.ForeignKeyViolation),
    ],
)
def test_an_award_has_a_sign_an_amount_and_a_trade(desk, sign, amount, error):
    with pytest.raises(error):
        desk.rows("INSERT INTO applied_awards VALUES (%s, %s, %s, %s)", new_id(), sign, new_id(), amount)


def test_a_contract_belongs_to_one_trade(desk):
    one, other = (desk.open(desk.trader()) for _ in range(2))
    with pytest.raises(psycopg2.errors.UniqueViolation):
        desk.rows("UPDATE trades SET contract_id = %s WHERE id = %s", one["contract_id"], other["id"])


def test_a_seed_without_its_commitment_is_refused(desk):
    with pytest.raises(psycopg2.errors.CheckViolation):
        desk.rows("INSERT INTO market_hours VALUES (1, 'seed', 'other', now())")


@pytest.fixture
def owner(desk):
    return desk.db.url.set(username="trades_owner", password="trades_owner").render_as_string(hide_password=False)


def test_models_and_migrations_agree(owner):
    assert differences("trades", owner) == []


SOLD = (
    "status = 'CLOSED', reason = 'sold', payout = 1, profit = 1 - stake - markup_applied, entry_spot = 1,"
    " exit_spot = 1, closed_at = starts_at + interval '4 s'"
)


def test_a_sale_has_its_constraints(desk):
    trade = desk.open(desk.trader())
    desk.rows(f"UPDATE trades SET {SOLD}, sold_commission = 0.012 WHERE id = %s", trade["id"])


@pytest.mark.parametrize(
    "change",
    [
        "closed_at = starts_at",
        "closed_at = expires_at",
        "exit_spot = NULL",
        "entry_spot = NULL",
        "payout = potential_payout + 1, profit = potential_payout + 1 - stake - markup_applied",
        "status = 'LOST', payout = 0, profit = - stake - markup_applied",
        "reason = 'staff'",
    ],
)
def test_a_sale_that_contradicts_itself_is_refused(desk, change):
    trade = desk.open(desk.trader())
    desk.rows(f"UPDATE trades SET {SOLD}, sold_commission = 0.012 WHERE id = %s", trade["id"])
    with pytest.raises(psycopg2.errors.CheckViolation):
        desk.rows(f"UPDATE trades SET {change} WHERE id = %s", trade["id"])


NEWER = {
    *("settled_status", "settled_payout", "void_reason", "voided_at", "voided_by"),
    *("barrier", "sold_commission"),
}
"""Columns of a trade that the first migration did not have."""


def test_later_migrations_can_be_taken_back_and_made_again_over_trades(desk, owner, clock):
    trade = desk.open(desk.trader())
    clock.go(60)
    desk.settle()
    was = desk.row(trade["id"])
    with create_engine(owner, poolclass=NullPool).connect() as connection:
        migration = connection.begin()
        config = Migrations("trades").config(connection)
        command.downgrade(config, "0001")
        left = connection.execute(text("SELECT to_jsonb(t) FROM trades t")).scalar_one()
        assert left == {name: value for name, value in was.items() if name not in NEWER}
        command.upgrade(config, "head")
        assert connection.execute(text("SELECT to_jsonb(t) FROM trades t")).scalar_one() == was
        migration.rollback()
