"""Uses of people who do not come are given back; whoever comes late has his all the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest


def test_a_claim_is_given_back_when_its_user_has_not_come(desk: Any, person: Any) -> None:
    owner, absent, next_one = desk.owner(), person(), person()
    code = desk.generate(owner, code="one-seat", max_uses=1)["code"]
    desk.claim(absent, code)
    desk.give_back(minutes=9, seconds=59)
    assert (desk.state(absent), desk.uses(code)) == ("CLAIMED", 1)
    assert desk.refusal(next_one, code) == "used_up"
    desk.give_back(seconds=1)
    assert (desk.state(absent), desk.uses(code)) == ("RETURNED", 0)
    desk.claim(next_one, code)


def test_it_says_when_the_next_claim_is_due(desk: Any, person: Any) -> None:
    assert desk.give_back() is None
    owner = desk.owner()
    desk.claim(person(), owner.code)
    assert desk.give_back(minutes=1) == desk.now + timedelta(minutes=9)


def test_a_claim_that_is_asked_for_again_waits_as_long_as_a_new_one(desk: Any, person: Any) -> None:
    owner, new = desk.owner(), person()
    desk.claim(new, owner.code)
    desk.now += timedelta(minutes=9)
    desk.claim(new, owner.code)
    desk.give_back(minutes=9)
    assert desk.state(new) == "CLAIMED"


def test_a_claim_that_was_given_back_can_be_taken_again(desk: Any, person: Any) -> None:
    owner, new = desk.owner(), person()
    desk.claim(new, owner.code)
    desk.give_back(minutes=10)
    desk.claim(new, owner.code)
    assert (desk.state(new), desk.uses(owner.code)) == ("CLAIMED", 1)


@pytest.mark.parametrize("together", [True, False])
def test_confirmed_ones_are_never_given_back(desk: Any, person: Any, together: bool) -> None:
    owner, people = desk.owner(), [person() for _ in range(3)]
    claims = [desk.claim(one, owner.code) for one in people]
    told = [one.registered(claim) for one, claim in zip(people, claims, strict=True)]
    for batch in [told] if together else [[event] for event in told]:
        desk.hear(*batch)
    assert desk.give_back(hours=1) is None
    assert desk.uses(owner.code) == 3


def test_a_row_that_somebody_works_on_is_left_for_later_without_a_busy_loop(desk: Any, person: Any) -> None:
    owner, new = desk.owner(), person()
    desk.claim(new, owner.code)
    desk.admin.autocommit = False
    try:
        desk.rows("SELECT 1 FROM referrals FOR UPDATE")
        due = desk.give_back(minutes=10)
    finally:
        desk.admin.rollback()
        desk.admin.autocommit = True
    assert (desk.state(new), due) == ("CLAIMED", desk.now + timedelta(seconds=1))
    desk.give_back()
    assert desk.state(new) == "RETURNED"
