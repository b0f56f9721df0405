"""The database itself refuses what must not be."""

from __future__ import annotations

import psycopg2
import pytest
from sqlalchemy.exc import DBAPIError

from shared.chassis.migrations import differences

APPEND_ONLY = ("awards", "decisions", "rule_versions")


@pytest.fixture
def filled(office):
    """An award with its reversal, a decision, a rule of two versions."""
    owner = office.user()
    office.set_rule(owner)
    office.go(seconds=1)
    office.set_rule(owner, "6")
    payer = office.user(owner)
    trade = office.settled(user_id=payer, affiliate_id=owner)
    office.hear(trade, office.settled(markup=0))
    office.hear(office.cancelled(trade_id=trade.data.trade_id, user_id=payer, affiliate_id=owner))
    return office


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["DELETE FROM {0}", "TRUNCATE {0} CASCADE", "UPDATE {0} SET {1} = {1}"])
def test_what_was_decided_stays_for_everybody(filled, table, statement):
    column = "version" if table == "rule_versions" else "user_id"
    for run in (filled.rows, lambda text: _as_service(filled, text)):
        with pytest.raises((psycopg2.errors.InsufficientPrivilege, DBAPIError)):
            run(statement.format(table, column))


def _as_service(office, statement):
    with office.db.transaction() as tx:
        tx.exec_driver_sql(statement)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_service_itself_has_no_right_to_change_it(office, table):
    for right, granted in (("SELECT", True), ("INSERT", True), ("UPDATE", False), ("DELETE", False)):
        assert office.one("SELECT has_table_privilege('commission', %s, %s)", table, right) == (granted,)


@pytest.mark.parametrize(
    "change",
    [
        "owner_id = gen_random_uuid(), version = version + 1, updated_at = now()",
        "referral_percent = 7",
        "version = version + 2, updated_at = now()",
        "version = version + 1",
        "version = version - 1, updated_at = now()",
        "created_at = now(), version = version + 1, updated_at = now()",
    ],
)
def test_a_rule_goes_to_its_next_version_and_in_no_other_way(filled, change):
    with pytest.raises(psycopg2.errors.IntegrityConstraintViolation):
        filled.rows(f"UPDATE rules SET {change}")


def test_a_rule_stays(filled):
    for statement in ("DELETE FROM rules", "TRUNCATE rules CASCADE"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            filled.rows(statement)


def test_a_referrer_stays(filled):
    with pytest.raises(psycopg2.errors.IntegrityConstraintViolation):
        filled.rows("UPDATE user_copies SET referrer_id = NULL WHERE referrer_id IS NOT NULL")


AWARD = (
    "INSERT INTO awards SELECT gen_random_uuid(), {rule}, {version}, {owner}, user_id, {amount}, currency, {kind},"
    " level, {sign}, gen_random_uuid(), metadata, {reverses}, now() FROM awards WHERE sign = 1"
)
SAME = {
    "rule": "commission_rule_id",
    "version": "1",
    "owner": "owner_id",
    "amount": "amount",
    "kind": "kind",
    "sign": "1",
    "reverses": "NULL",
}


@pytest.mark.parametrize(
    "change",
    [
        {"owner": "user_id"},
        {"amount": "0"},
        {"amount": "-1"},
        {"sign": "-1"},
        {"sign": "-1", "amount": "-1"},
        {"sign": "2"},
        {"reverses": "id"},
        {"kind": "'GIFT'"},
        {"kind": "'REFERRAL'", "rule": "NULL"},
        {"kind": "'REFERRAL'", "version": "NULL"},
    ],
)
def test_an_award_that_contradicts_itself_is_refused(filled, change):
    with pytest.raises(psycopg2.errors.CheckViolation):
        filled.rows(AWARD.format(**{**SAME, **change}))


def test_an_award_is_reversed_once_and_only_what_there_is(filled):
    mirror = {**SAME, "sign": "-1", "amount": "-amount"}
    with pytest.raises(psycopg2.errors.UniqueViolation):
        filled.rows(AWARD.format(**{**mirror, "reverses": "id"}))
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        filled.rows(AWARD.format(**{**mirror, "reverses": "gen_random_uuid()"}))


DECISION = (
    "INSERT INTO decisions SELECT {kind}, gen_random_uuid(), user_id, {owner}, currency, {amount}, {due}, {outcome},"
    " {reason}, {award}, now(), now() FROM decisions WHERE outcome = 'awarded'"
)
AWARDED = {
    "kind": "'trade'",
    "owner": "owner_id",
    "amount": "39",
    "due": "39",
    "outcome": "'awarded'",
    "reason": "NULL",
    "award": "award_id",
}


@pytest.mark.parametrize(
    "change",
    [
        {"due": "40"},
        {"due": "38"},
        {"due": "0"},
        {"owner": "NULL"},
        {"award": "NULL"},
        {"reason": "'demo'"},
        {"outcome": "'none_due'"},
        {"outcome": "'none_due'", "due": "0", "award": "NULL"},
        {"outcome": "'none_due'", "due": "0", "award": "NULL", "reason": "'no_rule'"},
        {"outcome": "'none_due'", "due": "0", "reason": "'demo'"},
        {"outcome": "'perhaps'"},
        {"kind": "'gift'"},
        {"kind": "'deposit'", "outcome": "'none_due'", "due": "0", "award": "NULL", "reason": "'demo'"},
    ],
)
def test_a_decision_that_contradicts_itself_is_refused(filled, change):
    with pytest.raises(psycopg2.errors.CheckViolation):
        filled.rows(DECISION.format(**{**AWARDED, **change}))


def test_a_decision_without_its_award_is_refused(filled):
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        filled.rows(DECISION.format(**{**AWARDED, "award": "gen_random_uuid()"}))


@pytest.mark.parametrize("percent", ["referral_percent = 100.01", "markup_percent = 5.01", "referral_percent = -1"])
def test_percents_out_of_range_are_refused(filled, percent):
    with pytest.raises(psycopg2.errors.CheckViolation):
        filled.rows(f"UPDATE rules SET {percent}, version = version + 1, updated_at = now()")


def test_models_and_migrations_agree(office):
    owner = office.db.url.set(username="commission_owner", password="commission_owner")
    assert differences("commission", owner.render_as_string(hide_password=False)) == []
