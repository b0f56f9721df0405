"""Referral codes, and who came by them."""

from __future__ import annotations

from gateway.answer import Answer, json_answer
from gateway.endpoint import Call, Endpoint
from gateway.headers import location, replayed
from gateway.schemas.bodies import CodeBody
from gateway.unknown_user import ask_for_user
from shared.contracts import schema
from shared.contracts.referrals import rpc as referrals


async def list_codes(call: Call) -> Answer:
    """The caller's, or everybody's for staff."""
    return await call.pass_on("referrals", "list_codes", schema.dump(call.query))


async def generate_code(call: Call) -> Answer:
    """A further code of the caller's; staff may name another owner."""
    arguments = schema.dump(call.body)
    found = await ask_for_user(call, "referrals", "generate_code", arguments, user_id=call.body.owner_id)
    return json_answer(found["code"], 201, location("referrals/codes", found["code"]), *replayed(found))


async def change_code(call: Call) -> Answer:
    """What is left out stays; null takes a limit or rate away."""
    arguments = {**schema.dump(call.body), "code_id": call.path["code_id"]}
    return await call.pass_on("referrals", "change_code", arguments)


async def list_referrals(call: Call) -> Answer:
    """Whom the caller has referred; everybody for staff."""
    return await call.pass_on("referrals", "list_referrals", schema.dump(call.query))


ENDPOINTS = [
    Endpoint(
        method="GET",
        path="/api/v1/referrals/codes",
        handler=list_codes,
        summary="Referral codes, newest first",
        tag="referrals",
        query=referrals.ListCodesRequest,
        answer=referrals.CodePage,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/referrals/codes",
        handler=generate_code,
        summary="Make a referral code",
        tag="referrals",
        body=referrals.GenerateCodeRequest,
        body_may_be_empty=True,
        key="accepted",
        status=201,
        headers=("Location", "Idempotent-Replayed"),
        answer=referrals.CodeView,
    ),
    Endpoint(
        method="PATCH",
        path="/api/v1/referrals/codes/{code_id}",
        handler=change_code,
        summary="Change a referral code",
        tag="referrals",
        body=CodeBody,
        answer=referrals.CodeView,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/referrals",
        handler=list_referrals,
        summary="Users who came by a code, newest first",
        tag="referrals",
        query=referrals.ListReferralsRequest,
        answer=referrals.ReferralPage,
    ),
]
