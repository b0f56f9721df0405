"""Claiming: exactly as often as the code allows, once per user, refused by name."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from referrals.rules import affiliate_code_id
from shared.chassis.retry import run_again
from shared.utils.time import to_rfc3339


def test_a_claim_takes_a_use_and_tells_whose_code_it_is_as_he_writes_it(desk: Any, person: Any) -> None:
    owner, new = desk.owner(), person()
    answer = desk.claim(new, owner.code.lower())
    assert answer == {"code_id": affiliate_code_id(owner.id), "code": owner.code, "owner_id": owner.id}
    assert (desk.uses(owner.code), desk.state(new)) == (1, "CLAIMED")
    assert desk.told("referral_registered") == []


def test_the_same_user_takes_one_use_however_often_he_is_claimed_for(desk: Any, person: Any, at_once: Any) -> None:
    owner, new = desk.owner(), person()
    code = desk.generate(owner, code="Summer-26", max_uses=1)["code"]
    answers = at_once(*[partial(run_again, partial(desk.claim, new, code))] * 10, threads=10)
    assert [answer["code"] for answer in answers] == ["Summer-26"] * 10
    assert desk.uses(code) == 1


def test_of_fifty_at_once_exactly_as_many_get_in_as_the_code_allows(desk: Any, person: Any, at_once: Any) -> None:
    owner = desk.owner()
    code = desk.generate(owner, code="seven-seats", max_uses=7)["code"]
    answers = at_once(*[partial(run_again, partial(desk.claim, person(), code)) for _ in range(50)])
    assert sum(isinstance(answer, dict) for answer in answers) == 7
    assert [answer for answer in answers if isinstance(answer, str)] == ["used_up"] * 43
    assert desk.uses(code) == 7
    assert desk.one("SELECT count(*) FROM referrals") == (7,)


@pytest.mark.parametrize("code", ["NOBODY12", "no-such-code", "", " ", "a b", "ä", "K", "x" * 65, "a\n"])
def test_a_code_that_is_nobodys_is_unknown(desk: Any, person: Any, code: str) -> None:
    assert desk.refusal(person(), code) == "unknown"


def test_a_refused_claim_says_why_and_leaves_nothing(desk: Any, person: Any) -> None:
    owner = desk.owner()
    soon = to_rfc3339(desk.now + timedelta(hours=1))
    expiring = desk.generate(owner, code="an-hour", expires_at=soon)
    switched = desk.generate(owner, code="switched")
    desk.change(owner, switched["id"], disabled=True)
    desk.now += timedelta(hours=1)
    assert desk.refusal(person(), expiring["code"]) == "expired"
    assert desk.refusal(person(), switched["code"]) == "disabled"
    assert desk.rows("SELECT 1 FROM referrals") == []
    assert (desk.uses("an-hour"), desk.uses("switched")) == (0, 0)


def test_nobody_is_referred_by_himself_or_by_somebody_younger(desk: Any, person: Any) -> None:
    older = person()
    owner = desk.owner()
    assert desk.refusal(older, owner.code) == "own"
    assert desk.refusal(owner, owner.code) == "own"


def test_an_affiliate_code_that_only_users_knows_is_made_and_told_of_once(desk: Any, person: Any) -> None:
    owner, first, second = person(), person(), person()
    answer = desk.claim(first, owner.code.lower(), owner.id)
    assert (answer["code"], answer["owner_id"]) == (owner.code, owner.id)
    desk.claim(second, owner.code, owner.id)
    desk.hear(owner.registered())
    (told,) = desk.told("referral_code_changed")
    assert told["subject"] == told["data"]["code_id"] == answer["code_id"]
    assert (told["data"]["owner_id"], told["subject_version"]) == (owner.id, 1)
    assert told["data"]["changed"] == ["disabled", "expires_at", "markup_percent", "max_uses"]
    assert desk.uses(owner.code) == 2


def test_many_who_bring_the_same_unheard_code_make_one(desk: Any, person: Any, at_once: Any) -> None:
    owner = person()
    answers = at_once(*[partial(run_again, partial(desk.claim, person(), owner.code, owner.id)) for _ in range(20)])
    assert {answer["code_id"] for answer in answers} == {affiliate_code_id(owner.id)}
    assert (desk.uses(owner.code), len(desk.told("referral_code_changed"))) == (20, 1)


def test_no_other_code_is_made_on_the_fly(desk: Any, person: Any) -> None:
    assert desk.refusal(person(), "not-an-affiliate-code", person().id) == "unknown"
    owner, younger = person(), person()
    assert desk.refusal(owner, younger.code, younger.id) == "own"
    assert desk.rows("SELECT 1 FROM referral_codes") == []


def test_an_affiliate_code_can_be_limited_and_switched_off(desk: Any, person: Any) -> None:
    owner = desk.owner()
    code_id = affiliate_code_id(owner.id)
    desk.change(owner, code_id, max_uses=1)
    desk.claim(person(), owner.code, owner.id)
    assert desk.refusal(person(), owner.code, owner.id) == "used_up"
    desk.change(owner, code_id, max_uses=None, disabled=True)
    assert desk.refusal(person(), owner.code, owner.id) == "disabled"
