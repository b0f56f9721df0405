"""Every equation notices the damage it is there for, and none of them complains about a sound board."""

from __future__ import annotations

from dataclasses import replace

import pytest

from notifications.invariants import CLAIMS, FACTS, INVARIANTS
from shared.chassis.context import Context, Idempotency
from shared.contracts.billing.events import DepositCompleted
from shared.contracts.commission.events import CommissionAccrued, ReferralCommissionAccrued
from shared.contracts.trades.events import TradeCancelled
from shared.utils.ids import new_id

KEY = Idempotency("0123456789abcdef", "POST /notifications", "hash of it")
DAMAGE = [
    ("UPDATE counters SET unread = 0", {"unread_exact"}),
    ("UPDATE notifications SET is_read = true, read_at = now() WHERE number = 1", {"unread_exact"}),
    ("UPDATE counters SET last_number = last_number + 1", {"numbers_consecutive"}),
    ("DELETE FROM counters", {"unread_exact", "numbers_consecutive"}),
    ("UPDATE notifications SET number = 99 WHERE number = 1", {"numbers_consecutive"}),
    ("DELETE FROM notifications WHERE is_read", {"numbers_consecutive"}),
    (
        "DELETE FROM notifications WHERE kind = 'created'",
        {"unread_exact", "numbers_consecutive", "idempotency_subject"},
    ),
    ("UPDATE notifications SET body = 'left' WHERE deleted_at IS NOT NULL", {"deleted_is_empty"}),
    ("UPDATE notifications SET data = '{\"a\": 1}' WHERE deleted_at IS NOT NULL", {"deleted_is_empty"}),
    ("UPDATE notifications SET title = '' WHERE deleted_at IS NULL", {"deleted_is_empty"}),
    ("UPDATE notifications SET read_at = NULL WHERE is_read", {"read_has_its_time"}),
    ("UPDATE notifications SET kind = 'same', fact = 'same'", {"told_once"}),
    ("UPDATE idempotency SET subject_id = gen_random_uuid()", {"idempotency_subject"}),
]


@pytest.fixture
def sound(board):
    """Somebody with an unread, a read and a deleted notification, and one to all of staff by key."""
    person = board.person()
    _, read, deleted = board.told(person, 3)
    board.read(person, read)
    board.delete(person, deleted)
    board.create(Context(kind="staff", user_id=new_id(), idempotency=KEY))
    return person


def test_a_sound_board_has_no_violation(board, sound):
    assert board.violations() == {}


@pytest.mark.parametrize(("damage", "noticed"), DAMAGE, ids=[damage for damage, _ in DAMAGE])
def test_damage_is_noticed(board, sound, damage, noticed):
    board.tamper("BEGIN")
    try:
        for constraint in ("fact", "read", "emptied", "event"):
            board.tamper(f"ALTER TABLE notifications DROP CONSTRAINT notifications_{constraint}")
        board.tamper(damage)
        assert board.violations().keys() == noticed
    finally:
        board.rows("ROLLBACK")


def test_each_violation_names_whom_it_is_about(board, sound):
    board.tamper("UPDATE counters SET unread = 0 WHERE recipient_id = %s", sound.user_id)
    assert board.violations() == {"unread_exact": [(sound.user_id, "counter 0, rows 1")]}


def test_claims_and_facts_are_whom_was_told_also_when_it_is_deleted(board):
    person, affiliate = board.person(), board.person()
    settled = board.settled(person.user_id)
    deposit = replace(DepositCompleted.example(), user_id=person.user_id)
    earned = replace(CommissionAccrued.example(), award_id=new_id(), owner_id=affiliate.user_id)
    referred = replace(ReferralCommissionAccrued.example(), award_id=new_id(), owner_id=affiliate.user_id)
    cancelled = replace(TradeCancelled.example(), trade_id=new_id(), user_id=person.user_id)
    board.notify(settled, *(board.received(fact) for fact in (deposit, earned, referred, cancelled)))
    for caller in (person, affiliate):
        board.delete_all(caller)
    expected = {
        "trade": {settled.data.trade_id: person.user_id},
        "deposit": {deposit.transaction_id: person.user_id},
        "award": {earned.award_id: affiliate.user_id, referred.award_id: affiliate.user_id},
    }
    for thing, pairs in expected.items():
        assert dict(board.rows(CLAIMS[f"notified_{thing}"])) == pairs
        assert dict(board.rows(FACTS[f"{thing}_notification"])) == pairs
    copies = {person.user_id: "1", affiliate.user_id: "1"}
    assert dict(board.rows(CLAIMS["user_copy_notifications"])) == copies
    assert (len(CLAIMS), len(FACTS)) == (4, 3)


def test_the_verifying_role_may_run_all_of_it(board, sound):
    board.rows("SET ROLE nexus_verify")
    try:
        for query in (*(one.sql for one in INVARIANTS), *CLAIMS.values(), *FACTS.values()):
            board.rows(query)
    finally:
        board.rows("RESET ROLE")
