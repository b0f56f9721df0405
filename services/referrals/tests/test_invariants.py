"""Every equation notices the damage it is there for, and none of them complains about sound tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from referrals.invariants import CLAIMS, FACTS
from shared.chassis.idempotency import NOBODY
from shared.utils.ids import new_id

USES, OLDER, ONCE, CYCLE = "uses_are_the_claims_that_stand", "owners_are_older", "referred_once", "no_cycle"
OWNER, FORM = "owner_of_the_code_refers", "codes_have_the_form_of_their_kind"
WAITS, KEYS = "nothing_waits_for_ever", "idempotency_subject"

DAMAGE = [
    ("UPDATE referral_codes SET uses = uses + 1", {USES}),
    ("DELETE FROM referrals WHERE state = 'CLAIMED'", {USES}),
    ("UPDATE referrals SET state = 'RETURNED' WHERE state = 'CLAIMED'", {USES}),
    ("UPDATE referral_codes SET code = code || '-x' WHERE kind = 'affiliate'", {FORM}),
    ("UPDATE referral_codes SET kind = 'further' WHERE kind = 'affiliate'", {FORM}),
    (f"UPDATE referrals SET owner_id = '{NOBODY}' WHERE state = 'CLAIMED'", {OWNER}),
    ("UPDATE referrals SET claimed_at = now() - interval '25 hours' WHERE state = 'CLAIMED'", {WAITS}),
    ("UPDATE referrals SET created_at = now() - interval '25 hours' WHERE state = 'EXPECTED'", {WAITS}),
    (f"INSERT INTO idempotency VALUES ('{NOBODY}', 'route', 'key', 'hash', '{NOBODY}')", {KEYS}),
]


@pytest.fixture
def sound(desk: Any, person: Any) -> list[Any]:
    """A chain of three people, a claim that stands, one that was given back and an award without a registration."""
    desk.now = datetime.now(UTC)
    first, second, third, waiting, absent = desk.owner(), person(), person(), person(), person()
    desk.generate(first)
    desk.claim(absent, first.code)
    desk.give_back(minutes=10)
    second_claim = desk.claim(second, first.code)
    desk.hear(second.registered(second_claim))
    desk.hear(third.registered(desk.claim(third, second.code)))
    desk.claim(waiting, first.code)
    desk.award(person().awarded())
    return [first, second, third]


def test_sound_tables_have_no_violation(desk: Any, sound: list[Any]) -> None:
    assert desk.violations() == set()


@pytest.mark.parametrize(("damage", "noticed"), DAMAGE, ids=[damage for damage, _ in DAMAGE])
def test_damage_is_noticed(desk: Any, sound: list[Any], damage: str, noticed: set[str]) -> None:
    desk.tamper(damage)
    assert desk.violations() == noticed


def test_a_cycle_is_noticed(desk: Any, sound: list[Any]) -> None:
    first, _, third = sound
    desk.tamper("ALTER TABLE referrals DROP CONSTRAINT referrals_owner_older")
    try:
        desk.tamper(
            "INSERT INTO referrals (id, code_id, owner_id, referred_user_id, state, confirmed_at, created_at)"
            " SELECT %s, id, %s, %s, 'CONFIRMED', now(), now() FROM referral_codes WHERE owner_id = %s AND"
            " kind = 'affiliate'",
            *(new_id(), third.id, first.id, third.id),
        )
        assert desk.violations() == {OLDER, CYCLE, USES}
    finally:
        desk.tamper("DELETE FROM referrals WHERE owner_id >= referred_user_id")
        desk.rows("ALTER TABLE referrals ADD CONSTRAINT referrals_owner_older CHECK (owner_id < referred_user_id)")


def test_somebody_who_is_referred_twice_is_noticed(desk: Any, sound: list[Any]) -> None:
    desk.tamper("ALTER TABLE referrals DROP CONSTRAINT referrals_referred_user_id_key")
    try:
        desk.tamper(
            "INSERT INTO referrals SELECT %s, code_id, owner_id, referred_user_id, 'RETURNED', false, false, now(),"
            " NULL, now() FROM referrals WHERE state = 'CLAIMED'",
            new_id(),
        )
        assert desk.violations() == {ONCE}
    finally:
        desk.tamper("DELETE FROM referrals WHERE state = 'RETURNED'")
        desk.rows("ALTER TABLE referrals ADD CONSTRAINT referrals_referred_user_id_key UNIQUE (referred_user_id)")


def test_what_others_must_agree_with_is_said_of_confirmed_ones(desk: Any, sound: list[Any]) -> None:
    first, second, third = sound
    owners = {second.id: first.id, third.id: second.id}
    for equation in (CLAIMS["referral_of_user"], FACTS["confirmed_referral"]):
        assert {key: value.partition(":")[0] for key, value in desk.rows(equation)} == owners
    assert dict(desk.rows(CLAIMS["user_copy_referrals"])) == {one.id: "1" for one in sound}
