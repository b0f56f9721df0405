"""Commission: who earns what, and what was earned."""

from __future__ import annotations

from gateway.answer import Answer, json_answer
from gateway.endpoint import Call, Endpoint
from gateway.schemas.bodies import RuleBody
from gateway.unknown_user import ask_for_user
from shared.contracts import schema
from shared.contracts.commission import rpc as commission


async def get_rule(call: Call) -> Answer:
    """The caller's own, or anybody's for staff."""
    return await call.pass_on("commission", "get_rule", {"owner_id": call.path["owner_id"]})


async def set_rule(call: Call) -> Answer:
    """A new version; the past keeps its own."""
    owner_id = call.path["owner_id"]
    arguments = {**schema.dump(call.body), "owner_id": owner_id}
    return json_answer(await ask_for_user(call, "commission", "set_rule", arguments, user_id=owner_id))


async def list_commissions(call: Call) -> Answer:
    """Newest first."""
    return await call.pass_on("commission", "list_transactions", schema.dump(call.query))


ENDPOINTS = [
    Endpoint(
        method="GET",
        path="/api/v1/commission/rules/{owner_id}",
        handler=get_rule,
        summary="An affiliate's rates",
        tag="commission",
        answer=commission.RuleView,
    ),
    Endpoint(
        method="PUT",
        path="/api/v1/commission/rules/{owner_id}",
        handler=set_rule,
        summary="Set an affiliate's rates",
        tag="commission",
        who="staff",
        body=RuleBody,
        answer=commission.RuleView,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/commission/transactions",
        handler=list_commissions,
        summary="Commissions earned and taken back, newest first",
        tag="commission",
        query=commission.ListCommissionsRequest,
        answer=commission.CommissionPage,
    ),
]
