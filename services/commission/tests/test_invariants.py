"""Every equation notices the damage it is there for, and none complains about what is sound."""

from __future__ import annotations

import pytest

from commission.invariants import CLAIMS, FACTS, INVARIANTS

PAIRED = "an awarded decision has its award, and every award its decision"
NONE_DUE, AT_MOST = "where none is due there is no award", "what is earned from a trade never exceeds its markup"
NOTHING_LEFT, MIRRORS = "of a voided trade nothing is left", "a reversal mirrors its original"
HIMSELF = "nobody earns from himself"
SHARE = "a referral award is the share that its rule's version gives"
NEWEST, NO_GAP = "a rule is its newest version", "versions have no gap and follow one another in time"

AWARD_WHERE_NONE_IS_DUE = (
    "INSERT INTO awards SELECT gen_random_uuid(), NULL, NULL, a.owner_id, a.user_id, 1, 'USD', 'MARKUP', 1, 1,"
    " d.subject_id, '{}', NULL, now() FROM awards AS a, decisions AS d"
    " WHERE d.reason = 'demo' AND a.kind = 'REFERRAL'"
)
AWARD_ON_TOP = (
    "INSERT INTO awards SELECT gen_random_uuid(), NULL, NULL, owner_id, user_id, 1, currency, kind, 2, 1, reference,"
    " '{}', NULL, now() FROM awards AS a WHERE kind = 'MARKUP' AND sign = 1"
    " AND NOT EXISTS (SELECT FROM awards AS r WHERE r.reverses = a.id)"
)
DAMAGE = [
    ("DELETE FROM awards WHERE kind = 'REFERRAL'", {PAIRED}),
    ("DELETE FROM decisions WHERE subject_kind = 'trade'", {PAIRED}),
    ("UPDATE decisions SET owner_id = gen_random_uuid() WHERE outcome = 'awarded'", {PAIRED}),
    ("UPDATE decisions SET amount = 78, due = 78 WHERE due = 39", {PAIRED}),
    ("UPDATE awards SET currency = 'EUR' WHERE kind = 'REFERRAL'", {PAIRED}),
    ("UPDATE awards SET reference = gen_random_uuid() WHERE kind = 'REFERRAL'", {PAIRED}),
    (AWARD_WHERE_NONE_IS_DUE, {PAIRED, NONE_DUE}),
    (AWARD_ON_TOP, {PAIRED, AT_MOST}),
    ("UPDATE awards SET amount = -38 WHERE sign = -1", {NOTHING_LEFT, MIRRORS}),
    ("UPDATE awards SET owner_id = gen_random_uuid() WHERE sign = -1", {MIRRORS}),
    ("UPDATE awards SET reverses = gen_random_uuid() WHERE sign = -1", {MIRRORS}),
    ("UPDATE awards SET commission_rule_id = NULL WHERE sign = -1", {MIRRORS}),
    (
        "UPDATE awards SET amount = 2501 WHERE kind = 'REFERRAL'; UPDATE decisions SET due = 2501 WHERE due = 2500",
        {SHARE},
    ),
    ("UPDATE awards SET rule_version = 2 WHERE kind = 'REFERRAL'", {SHARE}),
    ("UPDATE awards SET commission_rule_id = gen_random_uuid() WHERE kind = 'REFERRAL'", {SHARE}),
    ("UPDATE decisions SET occurred_at = occurred_at - interval '1 day'", {SHARE}),
    ("UPDATE rules SET markup_percent = 1.99", {NEWEST}),
    ("UPDATE rules SET version = 3", {NEWEST}),
    ("UPDATE rules SET updated_at = updated_at + interval '1 second'", {NEWEST}),
    ("DELETE FROM rule_versions WHERE version = 2", {NEWEST}),
    ("DELETE FROM rule_versions", {NEWEST, SHARE}),
    ("UPDATE rule_versions SET version = 3 WHERE version = 2; UPDATE rules SET version = 3", {NO_GAP}),
    ("UPDATE rule_versions SET valid_from = valid_from + interval '1 day' WHERE version = 1", {NO_GAP, SHARE}),
]


@pytest.fixture
def sound(office):
    """A standing award, a reversed one, a share of a deposit, a demo trade, a rule of two versions."""
    owner = office.user()
    payer = office.user(owner)
    office.set_rule(owner)
    office.go(seconds=1)
    deposit = office.deposit(payer)
    office.go(seconds=1)
    office.set_rule(owner, "6")
    parties = {"user_id": payer, "affiliate_id": owner}
    standing, voided = office.settled(**parties, markup=7), office.settled(**parties)
    demo = office.settled(**parties, account_type="DEMO")
    office.hear(standing, voided, demo, deposit)
    office.hear(office.cancelled(trade_id=voided.data.trade_id, **parties))
    return standing.data, voided.data, demo.data, deposit.data


def test_what_is_sound_has_no_violation(office, sound):
    assert office.violations() == {}


@pytest.mark.parametrize(("damage", "noticed"), DAMAGE, ids=[damage[:60] for damage, _ in DAMAGE])
def test_damage_is_noticed(office, sound, damage, noticed):
    office.tamper(damage)
    assert office.violations().keys() == noticed


def test_who_earns_from_himself_is_noticed_where_the_constraint_is_gone(office, sound):
    office.tampered = True
    office.rows("BEGIN; ALTER TABLE awards DROP CONSTRAINT awards_parties")
    try:
        office.rows("SET LOCAL session_replication_role = replica")
        office.rows("UPDATE awards SET owner_id = user_id WHERE kind = 'REFERRAL'")
        assert {HIMSELF, PAIRED} <= office.violations().keys()
    finally:
        office.rows("ROLLBACK")


def test_the_verifying_role_may_run_all_of_it(office, sound):
    office.rows("SET ROLE nexus_verify")
    try:
        for query in (*(one.sql for one in INVARIANTS), *CLAIMS.values(), *FACTS.values()):
            office.rows(query)
    finally:
        office.rows("RESET ROLE")


def test_claims_and_facts_say_what_was_decided(office, sound):
    standing, voided, demo, deposit = sound
    owner, payer = standing.affiliate_id, standing.user_id
    award = {
        reference: id_ for id_, reference in office.rows("SELECT id::text, reference::text FROM awards WHERE sign = 1")
    }
    awards = {
        award[standing.trade_id]: f"{owner}:USD:7",
        award[voided.trade_id]: f"{owner}:USD:39",
        award[deposit.transaction_id]: f"{owner}:USD:2500",
    }
    earners = dict.fromkeys(awards, owner)
    reversed_ = {award[voided.trade_id]: "39"}
    trades = {one.trade_id: "settled" for one in (standing, voided, demo)}
    assert {name: dict(office.rows(query)) for name, query in CLAIMS.items()} == {
        "award_credited": awards,
        "award_notification": earners,
        "audited_award": dict.fromkeys(awards, "1"),
        "award_taken_back": reversed_,
        "first_deposit": {deposit.transaction_id: f"{payer}:USD:50000"},
        "decided_trade": trades,
        "applied_award": {standing.trade_id: "7"},
        "user_copy_commission": {owner: "1", payer: "1"},
    }
    assert {name: dict(office.rows(query)) for name, query in FACTS.items()} == {
        "paid_award": awards,
        "notified_award": earners,
        "reversed_award": reversed_,
        "deposit_decision": {deposit.transaction_id: payer},
        "trade_decision": trades,
        "award_of_trade": {standing.trade_id: "7"},
        "rule_copy_trades": {owner: "2"},
    }
