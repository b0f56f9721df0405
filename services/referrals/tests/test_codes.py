"""Further codes: who may make and change what, and what is told of it."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from referrals import queries, rules
from referrals.commands.generate_code import generate_code
from referrals.rules import affiliate_code_id
from shared.chassis.context import Context, Idempotency
from shared.contracts import schema
from shared.contracts.errors import Forbidden, IdempotencyMismatch, NotReady, Unauthorized, ValidationFailed
from shared.contracts.referrals.errors import CodeNotFound
from shared.contracts.referrals.rpc import ChangeCodeRequest, GenerateCodeRequest
from shared.utils.time import to_rfc3339

KEY = Idempotency("a-key-of-sixteen-or-more", "POST /referrals/codes", "hash")
ANYBODY = Context()


def refused(call: Any) -> dict[str, str]:
    with pytest.raises(ValidationFailed) as raised:
        call()
    return {error["field"]: error["code"] for error in raised.value.errors}


def later(desk: Any, **amount: float) -> str:
    return to_rfc3339(desk.now + timedelta(**amount))


def test_a_vanity_code_is_kept_as_written_and_told_whole(desk: Any) -> None:
    owner = desk.owner()
    until = later(desk, days=1)
    made = desk.generate(owner, code="Summer-26", max_uses=3, expires_at=until, metadata={"campaign": "ä"})
    assert made == {
        "id": made["id"],
        "code": "Summer-26",
        "owner_id": owner.id,
        "uses": 0,
        "max_uses": 3,
        "expires_at": until,
        "disabled": False,
        "markup_percent": None,
        "metadata": {"campaign": "ä"},
        "created_at": to_rfc3339(desk.now),
    }
    told = desk.told("referral_code_changed")[-1]
    terms = {"max_uses": 3, "expires_at": until, "disabled": False, "markup_percent": None}
    assert told["data"] == {
        "code_id": made["id"],
        "code": "Summer-26",
        "owner_id": owner.id,
        **terms,
        "changed": sorted(terms),
        "before": {},
        "after": terms,
    }
    assert (told["subject"], told["subject_version"]) == (made["id"], 1)


@pytest.mark.parametrize("taken", ["Summer-26", "sUMMER-26"])
def test_a_code_is_taken_in_any_case(desk: Any, taken: str) -> None:
    desk.generate(desk.owner(), code="Summer-26")
    assert refused(lambda: desk.generate(desk.owner(), code=taken)) == {"code": "taken"}


def test_many_at_once_make_one_of_a_wording(desk: Any, at_once: Any) -> None:
    answers = at_once(*[partial(desk.generate, desk.owner(), code="Summer-26") for _ in range(10)], threads=10)
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert answers.count("taken") == 9


@pytest.mark.parametrize("code", ["ADA12345678", "ada12345678", "12345678", "ABCDEFGH23456789", "skynet26"])
def test_a_vanity_code_may_not_look_like_an_affiliate_code(desk: Any, code: str) -> None:
    assert refused(lambda: desk.generate(desk.owner(), code=code)) == {"code": "reserved"}


@pytest.mark.parametrize("code", ["summer", "Summer-2026", "loyal_friends", "affiliates", "ABCDEFGHI23456789", "x23"])
def test_any_other_wording_is_free(desk: Any, code: str) -> None:
    assert desk.generate(desk.owner(), code=code)["code"] == code


@pytest.mark.parametrize(("prefix", "form"), [("bob", "BOB-[{}]{{8}}"), (None, "[{}]{{4}}-[{}]{{4}}")])
def test_a_made_code_begins_with_its_prefix_and_is_no_affiliate_code(desk: Any, prefix: str | None, form: str) -> None:
    code = desk.generate(desk.owner(), prefix=prefix)["code"]
    assert re.fullmatch(form.replace("{}", rules.ALPHABET).replace("{{", "{").replace("}}", "}"), code)
    assert not rules.is_affiliate_code(code)
    assert rules.is_code(code)


def test_terms_that_make_no_sense_are_named(desk: Any, staff: Context) -> None:
    for until in (later(desk), later(desk, seconds=-1)):
        assert refused(lambda until=until: desk.generate(staff, expires_at=until)) == {"expires_at": "in_the_past"}
    assert refused(lambda: desk.generate(staff, expires_at="2027-02-30T00:00:00Z", markup_percent="3.01")) == {
        "expires_at": "invalid",
        "markup_percent": "out_of_range",
    }
    assert desk.rows("SELECT 1 FROM referral_codes") == []


def test_rates_and_other_owners_are_for_staff(desk: Any, staff: Context) -> None:
    owner = desk.owner()
    for asked in ({"markup_percent": "1.00"}, {"owner_id": owner.id}, {"owner_id": desk.owner().id}):
        with pytest.raises(Forbidden):
            desk.generate(owner, **asked)
    with pytest.raises(Unauthorized):
        desk.generate(ANYBODY)
    made = desk.generate(staff, owner_id=owner.id, markup_percent="3")
    assert (made["owner_id"], made["markup_percent"]) == (owner.id, "3.00")


def test_an_owner_named_by_staff_must_have_been_heard_of(desk: Any, staff: Context, person: Any) -> None:
    unheard = person()
    with pytest.raises(NotReady):
        desk.generate(staff, owner_id=unheard.id)
    assert desk.generate(unheard)["owner_id"] == unheard.id


def test_the_same_key_gives_the_same_code_as_it_is_now(desk: Any) -> None:
    owner = desk.owner()
    caller = Context(kind="user", user_id=owner.id, idempotency=KEY)
    asked = GenerateCodeRequest(code="Summer-26", expires_at=later(desk, hours=1))
    first = generate_code(desk.db, caller, asked, now=desk.now)
    desk.change(owner, first["code"]["id"], max_uses=5)
    desk.now += timedelta(days=1)
    again = generate_code(desk.db, caller, asked, now=desk.now)
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert (again["code"]["id"], again["code"]["max_uses"]) == (first["code"]["id"], 5)
    other = Context(kind="user", user_id=owner.id, idempotency=Idempotency(KEY.key, KEY.route, "other"))
    with pytest.raises(IdempotencyMismatch):
        generate_code(desk.db, other, asked, now=desk.now)


def test_a_refused_request_keeps_no_key(desk: Any) -> None:
    owner = desk.owner()
    caller = Context(kind="user", user_id=owner.id, idempotency=KEY)
    assert refused(lambda: generate_code(desk.db, caller, GenerateCodeRequest(code="12345678"), now=desk.now))
    other = Context(kind="user", user_id=owner.id, idempotency=Idempotency(KEY.key, KEY.route, "other"))
    assert not generate_code(desk.db, other, GenerateCodeRequest(code="mine-alone"), now=desk.now)["replayed"]


def test_what_is_left_out_stays_and_null_takes_away(desk: Any) -> None:
    owner = desk.owner()
    made = desk.generate(owner, max_uses=3, expires_at=later(desk, hours=1), metadata={"a": 1})
    asked = schema.load(ChangeCodeRequest, {"code_id": made["id"], "max_uses": None, "disabled": True})
    changed = desk.change(owner, **vars(asked))
    assert changed == {**made, "max_uses": None, "disabled": True}
    told = desk.told("referral_code_changed")[-1]
    assert told["subject_version"] == 2
    assert (told["data"]["changed"], told["data"]["before"], told["data"]["after"]) == (
        ["disabled", "max_uses"],
        {"max_uses": 3, "disabled": False},
        {"max_uses": None, "disabled": True},
    )
    assert told["data"]["expires_at"] == made["expires_at"]


def test_what_is_so_already_and_metadata_alone_tell_nobody_anything(desk: Any) -> None:
    owner = desk.owner()
    made = desk.generate(owner, max_uses=3, expires_at=later(desk, hours=1))
    before = len(desk.told("referral_code_changed"))
    desk.now += timedelta(hours=2)
    assert desk.change(owner, made["id"], max_uses=3, expires_at=made["expires_at"], disabled=False) == made
    assert desk.change(owner, made["id"], metadata={"note": "x"})["metadata"] == {"note": "x"}
    assert desk.one("SELECT version FROM referral_codes WHERE id = %s", made["id"]) == (1,)
    assert len(desk.told("referral_code_changed")) == before


def test_only_staff_change_a_rate(desk: Any, staff: Context) -> None:
    owner = desk.owner()
    code_id = affiliate_code_id(owner.id)
    with pytest.raises(Forbidden):
        desk.change(owner, code_id, markup_percent="1.00")
    assert desk.change(staff, code_id, markup_percent="1.00")["markup_percent"] == "1.00"
    assert refused(lambda: desk.change(staff, code_id, markup_percent="3.01")) == {"markup_percent": "out_of_range"}
    with pytest.raises(Forbidden):
        desk.change(owner, code_id, markup_percent=None)
    told = desk.told("referral_code_changed")[-1]["data"]
    assert (told["before"], told["after"]) == ({"markup_percent": None}, {"markup_percent": "1.00"})


def test_somebody_elses_code_is_none(desk: Any, staff: Context, person: Any) -> None:
    code_id = desk.generate(desk.owner())["id"]
    for caller, asked in ((person(), code_id), (staff, person().id)):
        with pytest.raises(CodeNotFound):
            desk.change(caller, asked, disabled=True)
    assert refused(lambda: desk.change(staff, code_id, expires_at=later(desk))) == {"expires_at": "in_the_past"}


def test_a_change_and_claims_at_once_lose_nothing(desk: Any, person: Any, at_once: Any) -> None:
    owner = desk.owner()
    made = desk.generate(owner, code="busy-code")
    changes = [partial(desk.change, owner, made["id"], max_uses=number) for number in range(20, 30)]
    claims = [partial(desk.claim, person(), "busy-code") for _ in range(10)]
    at_once(*[call for pair in zip(changes, claims, strict=True) for call in pair], threads=10)
    assert desk.uses("busy-code") == 10
    assert desk.one("SELECT version FROM referral_codes WHERE id = %s", made["id"]) == (11,)


def test_whether_a_code_can_be_used_is_said_without_saying_whose_it_is(desk: Any, person: Any) -> None:
    owner = desk.owner()
    made = desk.generate(owner, code="one-seat", max_uses=1)
    assert queries.check_code(desk.db, "ONE-SEAT", now=desk.now) == {"valid": True, "problem": None}
    desk.claim(person(), "one-seat")
    assert queries.check_code(desk.db, "one-seat", now=desk.now)["problem"] == "used_up"
    desk.change(owner, made["id"], max_uses=None, expires_at=later(desk, hours=1))
    assert queries.check_code(desk.db, "one-seat", now=desk.now + timedelta(hours=1))["problem"] == "expired"
    desk.change(owner, made["id"], disabled=True)
    assert queries.check_code(desk.db, "one-seat", now=desk.now) == {"valid": False, "problem": "disabled"}
    for code in ("nobodys", "", "' OR 1=1--"):
        assert queries.check_code(desk.db, code, now=desk.now) == {"valid": False, "problem": "unknown"}
