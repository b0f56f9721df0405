"""The API's description says what the routes do."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway.openapi import describe
from gateway.routes import ENDPOINTS
from gateway.schemas import bodies, queries
from shared.contracts.billing.rpc import FailRequest
from shared.contracts.commission.rpc import SetRuleRequest
from shared.contracts.referrals.rpc import ChangeCodeRequest
from shared.contracts.schema import schema_of
from shared.contracts.trades.limits import SetAccountLimitsRequest
from shared.contracts.trades.rpc import (
    CloseTradeRequest,
    ListCandlesRequest,
    ListTicksRequest,
    SellTradeRequest,
    VoidTradeRequest,
)

DOCUMENT = describe(ENDPOINTS)


def operation(method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][f"/api/v1{path}"][method]
    return found


def body(method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = operation(method, path)["requestBody"]["content"]["application/json"]["schema"]
    return found


def query(path: str) -> dict[str, Any]:
    return {p["name"]: p["schema"] for p in operation("get", path)["parameters"] if p["in"] == "query"}


def test_it_has_every_route_once(worker: Any) -> None:
    assert DOCUMENT["openapi"] == "3.0.3"  # the newest that the packaged page shows
    described = {(m.upper(), path) for path, methods in DOCUMENT["paths"].items() for m in methods}
    assert described == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
    names = [found["operationId"] for methods in DOCUMENT["paths"].values() for found in methods.values()]
    assert len(set(names)) == len(names)
    assert worker.get("/openapi.json").body == DOCUMENT


def test_bodies_are_closed_and_say_what_is_required() -> None:
    assert body("post", "/trades")["additionalProperties"] is False
    assert body("post", "/trades")["required"] == ["account_id", "symbol"]
    assert "required" not in body("patch", "/referrals/codes/{code_id}")
    assert operation("post", "/transactions/{transaction_id}/fail")["requestBody"]["required"] is False


def test_null_and_left_out_differ() -> None:
    properties = body("patch", "/referrals/codes/{code_id}")["properties"]
    assert {name for name, shape in properties.items() if shape.get("nullable")} == {
        "max_uses",
        "expires_at",
        "markup_percent",
    }
    assert not any("default" in shape for shape in properties.values())


def test_parameters_have_their_types_values_and_defaults() -> None:
    assert query("/notifications")["unread"] == {"type": "boolean"}
    assert query("/notifications")["limit"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    assert query("/commission/transactions")["kind"] == {"type": "string", "enum": ["MARKUP", "REFERRAL"]}
    assert body("post", "/accounts/real")["properties"]["currency"]["default"] == "USD"


def test_a_parameter_that_is_needed_says_so() -> None:
    needed = {
        (path, p["name"])
        for path, methods in DOCUMENT["paths"].items()
        for p in methods.get("get", {"parameters": []})["parameters"]
        if p["in"] == "query" and p["required"]
    }
    assert needed == {("/api/v1/limits", "account_id")}


def test_patterns_are_those_of_javascript() -> None:
    id_ = query("/audit")["user_id"]["pattern"]
    assert re.compile(id_).fullmatch("01920000-0000-7000-8000-000000000001")
    assert r"\Z" not in str(DOCUMENT)


def test_answers_say_their_status_headers_and_content() -> None:
    assert set(operation("post", "/accounts/real")["responses"]) >= {"200", "201"}
    made = operation("post", "/referrals/codes")["responses"]["201"]
    assert set(made["headers"]) == {"Location", "Idempotent-Replayed"}
    assert made["content"]["application/json"]["schema"]["properties"]["max_uses"]["nullable"] is True
    assert set(operation("post", "/transactions/deposits")["responses"]["201"]["headers"]) == {"Idempotent-Replayed"}
    for path in ("/notifications", "/notifications/{notification_id}"):
        assert operation("delete", path)["responses"]["204"] == {"description": "Done"}


def test_every_reference_points_somewhere() -> None:
    for reference in re.findall(r"'\$ref': '#/([^']+)'", str(DOCUMENT)):
        found: Any = DOCUMENT
        for part in reference.split("/"):
            found = found[part]


@pytest.mark.parametrize(
    ("public", "asked", "in_path"),
    [
        (bodies.CodeBody, ChangeCodeRequest, "code_id"),
        (bodies.RuleBody, SetRuleRequest, "owner_id"),
        (bodies.FailBody, FailRequest, "transaction_id"),
        (bodies.VoidBody, VoidTradeRequest, "trade_id"),
        (bodies.CloseBody, CloseTradeRequest, "trade_id"),
        (bodies.SellBody, SellTradeRequest, "trade_id"),
        (bodies.AccountLimitsBody, SetAccountLimitsRequest, "account_id"),
        (queries.TicksQuery, ListTicksRequest, "symbol"),
        (queries.CandlesQuery, ListCandlesRequest, "symbol"),
    ],
)
def test_a_body_or_query_is_the_contract_without_what_is_in_the_path(public: type, asked: type, in_path: str) -> None:
    def shape(cls: type) -> dict[str, str]:
        return {name: repr(field) for name, field in schema_of(cls, closed=True).fields.items() if name != in_path}

    assert shape(public) == shape(asked)
