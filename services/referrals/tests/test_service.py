"""The service as a process: calls, events and the sweep, over the real broker."""

from __future__ import annotations

from typing import Any

import pytest

from shared.chassis.context import Context
from shared.chassis.testing import eventually
from shared.contracts.errors import ValidationFailed
from shared.contracts.referrals.errors import ReferralNotFound
from shared.utils.ids import new_id


def test_a_person_comes_by_a_code_and_his_referrer_sees_it(
    run_service: Any, rpc: Any, publish: Any, person: Any, desk: Any
) -> None:
    run_service("referrals")
    owner, new = person(), person()
    publish(owner.registered().data, subject=owner.id, personal={"username": "ada"})
    eventually(lambda: rpc.call("referrals", "check_code", code=owner.code)["valid"])
    claim = rpc.call("referrals", "claim", user_id=new.id, code=owner.code.lower())
    with pytest.raises(ReferralNotFound):
        rpc.call("referrals", "get_referral", ctx=new.context, user_id=new.id)
    publish(new.awarded().data, subject=new_id())
    publish(new.registered(claim).data, subject=new.id)

    def listed() -> Any:
        return rpc.call("referrals", "list_referrals", ctx=owner.context)["results"]

    (seen,) = eventually(listed)
    eventually(lambda: listed()[0]["commission_awarded"])
    assert seen == rpc.call("referrals", "get_referral", ctx=new.context, user_id=new.id) | {
        "commission_awarded": seen["commission_awarded"]
    }
    assert [told["data"]["referred_user_id"] for told in desk.told("referral_registered")] == [new.id]


def test_an_owner_makes_and_changes_his_codes(run_service: Any, rpc: Any, person: Any) -> None:
    run_service("referrals")
    owner = person()
    made = rpc.call("referrals", "generate_code", ctx=owner.context, prefix="bob", max_uses=2)["code"]
    changed = rpc.call("referrals", "change_code", ctx=owner.context, code_id=made["id"], max_uses=None)
    assert changed == {**made, "max_uses": None}
    assert rpc.call("referrals", "list_codes", ctx=owner.context)["results"] == [changed]
    for field, arguments in (
        ("code", {"code": "a b"}),
        ("prefix", {"prefix": "a-b"}),
        ("max_uses", {"max_uses": 0}),
        ("expires_at", {"expires_at": "tomorrow"}),
        ("metadata", {"metadata": {"x": "x" * 2000}}),
    ):
        with pytest.raises(ValidationFailed) as raised:
            rpc.call("referrals", "generate_code", ctx=owner.context, **arguments)
        assert [error["field"] for error in raised.value.errors] == [field]
    with pytest.raises(ValidationFailed) as raised:
        rpc.call("referrals", "claim", ctx=Context(), user_id=person().id, code="nobodys-code")
    assert [(error["field"], error["code"]) for error in raised.value.errors] == [("referral_code", "unknown")]


def test_claims_of_people_who_do_not_come_are_given_back_by_themselves(
    run_service: Any, rpc: Any, person: Any, desk: Any
) -> None:
    run_service("referrals", CLAIM_SECONDS="0.5")
    owner, absent = person(), person()
    code = rpc.call("referrals", "generate_code", ctx=owner.context, code="one-seat", max_uses=1)["code"]
    rpc.call("referrals", "claim", user_id=absent.id, code=code["code"])
    assert rpc.call("referrals", "check_code", code="one-seat")["problem"] == "used_up"
    eventually(lambda: desk.state(absent) == "RETURNED", timeout=15)
    assert rpc.call("referrals", "check_code", code="one-seat")["valid"]
