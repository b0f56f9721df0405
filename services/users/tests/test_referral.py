"""Registering with a code: the use is taken last of all before the user is written, and never without him knowing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.chassis.context import Idempotency
from shared.contracts.errors import DeadlineExceeded, ServiceError, ServiceUnavailable, ValidationFailed
from shared.utils.ids import new_id
from users.invariants import CLAIMS, FACTS

KEY = Idempotency("a-key-of-sixteen-or-more", "POST /auth/register", "hash")


def refusal(people: Any, **asked: Any) -> tuple[str, str]:
    with pytest.raises(ValidationFailed) as raised:
        people.answer(**asked)
    (error,) = raised.value.errors
    return error["field"], error["code"]


def test_somebodys_affiliate_code_brings_his_referrer(people: Any) -> None:
    owner = people.register("owner")
    new = people.register("new", code=owner["affiliate_code"].lower())
    claim = {"user_id": new["id"], "code": owner["affiliate_code"], "owner_id": owner["id"]}
    assert people.referrals.calls == [claim]
    assert new["referred_by"] == owner["id"]
    told = people.events("user_registered")[-1]["data"]
    code_id = people.referrals.codes[owner["affiliate_code"]]["code_id"]
    assert (told["referrer_id"], told["referral_code"], told["code_id"]) == (
        owner["id"],
        owner["affiliate_code"],
        code_id,
    )
    value = {new["id"]: f"{owner['id']}:{code_id}"}
    assert dict(people.rows(CLAIMS["confirmed_referral"])) == dict(people.rows(FACTS["referral_of_user"])) == value


def test_any_other_code_is_asked_of_referrals_as_it_was_typed(people: Any) -> None:
    owner = people.register("owner")
    people.referrals.codes["summer-26"] = {"code_id": new_id(), "code": "Summer-26", "owner_id": owner["id"]}
    new = people.register("new", code="summer-26")
    assert people.referrals.calls == [{"user_id": new["id"], "code": "summer-26", "owner_id": None}]
    assert people.events("user_registered")[-1]["data"]["referral_code"] == "Summer-26"


def test_a_frozen_or_inactive_owner_still_counts(people: Any) -> None:
    owner = people.register("owner")
    people.rows("UPDATE users SET is_frozen = true, is_active = false RETURNING id")
    assert people.register("new", code=owner["affiliate_code"])["referred_by"] == owner["id"]


@pytest.mark.parametrize("code", ["NOBODY12", "", " ", "a b", "ä", "x" * 65, "BOB12345\n"])
def test_a_code_that_is_nobodys_is_a_field_error_and_no_user(people: Any, code: str) -> None:
    assert refusal(people, code=code) == ("referral_code", "unknown")
    assert people.rows("SELECT count(*) FROM users") == [(0,)]


def test_what_referrals_refuses_is_said_by_name(people: Any) -> None:
    people.referrals.problem = ValidationFailed.of("referral_code", "used_up", "Too late.")
    assert refusal(people, code="one-seat") == ("referral_code", "used_up")
    assert people.rows("SELECT count(*) FROM users") == [(0,)]


def test_an_owner_whom_nobody_knows_or_who_is_younger_is_a_field_error(people: Any) -> None:
    people.referrals.codes["ghost-code"] = {"code_id": new_id(), "code": "ghost-code", "owner_id": new_id()}
    assert refusal(people, code="ghost-code") == ("referral_code", "unknown")
    younger = people.register("younger")
    people.rows("UPDATE users SET id = %s RETURNING id", "ffffffff-ffff-7fff-8fff-ffffffffffff")
    people.referrals.codes["ghost-code"]["owner_id"] = "ffffffff-ffff-7fff-8fff-ffffffffffff"
    assert refusal(people, code="ghost-code") == ("referral_code", "own")
    people.rows("UPDATE users SET id = %s RETURNING id", younger["id"])


@pytest.mark.parametrize(
    "wrong", [{"name": "owner"}, {"email": "owner@example.org"}, {"password": "short"}, {"name": "a b"}]
)
def test_a_registration_that_is_refused_anyway_takes_no_use(people: Any, wrong: dict[str, str]) -> None:
    owner = people.register("owner")
    fields = {"name": "new", "email": "new@example.org", **wrong}
    assert refusal(people, **fields, code=owner["affiliate_code"])[0] in ("username", *wrong)
    assert people.referrals.calls == []


@pytest.mark.parametrize("away", [ServiceUnavailable(), DeadlineExceeded()])
def test_while_referrals_is_away_only_registrations_with_a_code_are_refused(people: Any, away: ServiceError) -> None:
    owner = people.register("owner")
    people.referrals.problem = away
    with pytest.raises(type(away)):
        people.register("new", code=owner["affiliate_code"])
    people.register("other")
    assert [row[0] for row in people.rows("SELECT username FROM users ORDER BY id")] == ["owner", "other"]


def test_a_key_that_is_seen_again_gives_the_user_and_claims_nothing(people: Any) -> None:
    owner = people.register("owner")
    first = people.answer("new", code=owner["affiliate_code"], key=KEY)
    people.referrals.problem = ServiceUnavailable()
    again = people.answer("new", code=owner["affiliate_code"], key=KEY)
    assert (again["user"], again["replayed"]) == (first["user"], True)
    assert len(people.referrals.calls) == 1


def test_who_repeats_what_broke_off_asks_for_the_use_that_is_taken(people: Any) -> None:
    owner = people.register("owner")
    people.referrals.problem = DeadlineExceeded()
    with pytest.raises(DeadlineExceeded):
        people.answer("new", code=owner["affiliate_code"], key=KEY)
    people.referrals.problem = None
    people.go(minutes=5)
    user = people.answer("new", code=owner["affiliate_code"], key=KEY)["user"]
    assert {call["user_id"] for call in people.referrals.calls} == {user["id"]}


def test_a_refusal_keeps_nothing(people: Any) -> None:
    owner = people.register("owner")
    assert refusal(people, code="NOBODY12", key=KEY) == ("referral_code", "unknown")
    assert people.rows("SELECT 1 FROM registrations") == []
    other = Idempotency(KEY.key, KEY.route, "other")
    assert not people.answer("new", code=owner["affiliate_code"], key=other)["replayed"]


def test_many_with_one_key_and_code_make_one_user(people: Any) -> None:
    owner = people.register("owner")
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: people.answer("new", code=owner["affiliate_code"], key=KEY), range(10)))
    assert len({answer["user"]["id"] for answer in answers}) == 1
    assert sum(not answer["replayed"] for answer in answers) == 1
    assert len({call["user_id"] for call in people.referrals.calls}) == 1
