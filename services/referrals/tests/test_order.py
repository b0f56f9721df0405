"""Claim, registration, award and give-back in any order, however often, end the same."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from referrals.rules import affiliate_code_id
from shared.chassis.retry import run_again

STEPS = ("claim", "owner", "registered", "republished", "awarded", "give_back")
FINAL = (
    "SELECT r.state, r.commission_awarded, r.owner_id::text, c.code, c.uses FROM referrals r"
    " JOIN referral_codes c ON c.id = r.code_id WHERE r.referred_user_id = %s"
)


def act(desk: Any, owner: Any, new: Any, step: str) -> None:
    claim = {"code_id": affiliate_code_id(owner.id), "code": owner.code, "owner_id": owner.id}
    match step:
        case "claim":
            assert desk.claim(new, owner.code, owner.id) == claim
        case "owner":
            desk.hear(owner.registered())
        case "registered":
            desk.hear(new.registered(claim))
        case "republished":
            desk.hear(new.registered(claim, republished=True), owner.registered(republished=True))
        case "awarded":
            desk.award(new.awarded())
        case "give_back":
            desk.give_back(minutes=11)


@given(steps=st.lists(st.sampled_from(STEPS), max_size=12))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_ends_the_same(desk: Any, person: Any, steps: list[str]) -> None:
    owner, new = person(), person()
    for step in steps:
        act(desk, owner, new, step)
        assert desk.violations() <= {"nothing_waits_for_ever"}
    # Whatever has happened until now, these come in the end, and again.
    for step in ("awarded", "registered", "owner", "registered", "give_back", "claim", "give_back"):
        act(desk, owner, new, step)
    assert desk.one(FINAL, new.id) == ("CONFIRMED", True, owner.id, owner.code, 1)
    registered = [told for told in desk.told("referral_registered") if told["data"]["referred_user_id"] == new.id]
    made = [told for told in desk.told("referral_code_changed") if told["data"]["owner_id"] == owner.id]
    assert (len(registered), len(made)) == (1, 1)


@pytest.mark.parametrize("order", list(itertools.permutations(("claim", "registered", "awarded", "give_back"))))
def test_a_mark_is_never_lost(desk: Any, person: Any, order: tuple[str, ...]) -> None:
    owner, new = person(), person()
    for step in order:
        act(desk, owner, new, step)
    assert desk.one(FINAL, new.id) == ("CONFIRMED", True, owner.id, owner.code, 1)


def test_an_award_alone_makes_nobody_referred(desk: Any, person: Any) -> None:
    new = person()
    desk.award(new.awarded(), new.awarded())
    assert desk.state(new) == "EXPECTED"
    assert desk.rows("SELECT 1 FROM referral_codes") == []


def test_all_at_the_same_moment_end_the_same(desk: Any, person: Any, at_once: Any) -> None:
    owner, people = person(), [person() for _ in range(5)]
    calls = [
        partial(run_again, partial(act, desk, owner, new, step)) for _ in range(3) for new in people for step in STEPS
    ]
    assert set(at_once(*calls, threads=10)) == {None}
    for new in people:
        assert desk.one(FINAL, new.id) == ("CONFIRMED", True, owner.id, owner.code, 5)
    assert len(desk.told("referral_registered")) == 5
