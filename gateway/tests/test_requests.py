"""What is asked of a request before any service hears of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.contracts.billing.errors import InsufficientFunds
from shared.contracts.errors import NotReady, ValidationFailed
from shared.contracts.users.errors import LoginLocked

ACCOUNT = "01920000-0000-7000-8000-000000000011"
TERMS = {"account_id": ACCOUNT, "symbol": "R_100", "contract_type": "CALL", "stake": "1.00", "duration_seconds": 60}
KEY = {"Idempotency-Key": "a-key-of-sixteen-or-more"}
JSON = {"Content-Type": "application/json"}

POISON = {
    "typed": b'{"stake": {"__type__": "decimal", "__value__": "NaN"}}',
    "nan": b'{"stake": NaN}',
    "infinity": b'{"stake": Infinity}',
    "too large a number": b'{"stake": 1e999}',
    "repeated keys": b'{"stake": "1", "stake": "2"}',
    "levels": b'{"a":' * 2000 + b"1" + b"}" * 2000,
    "list of lists": b"[" * 2000,
    "not utf-8": b'{"symbol": "\xff"}',
    "byte order mark": b'\xef\xbb\xbf{"symbol": "R_100"}',
    "surrogate": b'{"symbol": "\\udc00"}',
    "nul": b'{"symbol": "\\u0000"}',
    "trailing": b"{} x",
    "comment": b"{/* */}",
    "single quotes": b"{'a': 1}",
    "root list": b"[]",
    "root text": b'"x"',
    "root null": b"null",
    "empty": b"",
}


@pytest.fixture
def trades(fake_service: Any) -> Any:
    """trades that opens whatever it is asked to."""
    return fake_service("trades", open_trade=lambda **terms: {"trade": {"id": ACCOUNT, **terms}, "replayed": False})


def test_a_poisoned_body_is_refused_and_nobody_hears_of_it(worker: Any, trades: Any, as_user: dict[str, str]) -> None:
    for name, raw in POISON.items():
        answer = worker.send("POST", "/api/v1/trades", raw, {**as_user, **KEY, **JSON})
        assert answer.status in {400, 422}, name
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "code", "detail", "errors", "request_id"} <= set(answer.body)
    assert trades.calls == []
    assert worker.post("/trades", TERMS, {**as_user, **KEY}).status == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stake", 1),
        ("stake", 1.5),
        ("stake", True),
        ("stake", "-1.00"),
        ("stake", "1e3"),
        ("stake", "NaN"),
        ("stake", "\N{FULLWIDTH DIGIT ONE}.00"),
        ("stake", " 1.00"),
        ("stake", "+1.00"),
        ("stake", "01.00"),
        ("stake", "1_0.00"),
        ("stake", "0x10"),
        ("stake", "1" * 30),
        ("stake", []),
        ("account_id", "x"),
        ("account_id", ACCOUNT.upper() + "0"),
        ("contract_type", "BUY"),
        ("duration_seconds", "60"),
        ("duration_seconds", 0),
        ("duration_seconds", 10**12),
        ("user_id", ACCOUNT),
        ("profit", "100.00"),
        ("status", "WON"),
    ],
)
def test_a_bad_field_is_named(worker: Any, trades: Any, as_user: dict[str, str], field: str, value: Any) -> None:
    answer = worker.post("/trades", {**TERMS, field: value}, {**as_user, **KEY})
    assert answer.status == 422
    assert [error["field"] for error in answer.body["errors"]] == [field]
    assert all(error["code"] and error["message"] for error in answer.body["errors"])
    assert trades.calls == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "limit=-1", "limit=1&limit=2", "colour=red", "status=OPENED", "%ff=1"]
)
def test_a_bad_query_is_a_field_error(worker: Any, trades: Any, as_user: dict[str, str], query: str) -> None:
    assert worker.get(f"/trades?{query}", as_user).status == 422
    assert trades.calls == []


def test_content_type_size_path_and_method_are_checked(worker: Any, as_user: dict[str, str]) -> None:
    raw = json.dumps(TERMS).encode()
    for content_type in ("text/plain", "application/xml", "application/json; charset=utf-16"):
        headers = {**as_user, **KEY, "Content-Type": content_type}
        assert worker.send("POST", "/api/v1/trades", raw, headers).status == 415
    large = worker.send("POST", "/api/v1/trades", b'{"a": "' + b"x" * 100_000 + b'"}', {**as_user, **KEY, **JSON})
    assert (large.status, large.body["code"]) == (413, "payload_too_large")
    wrong = worker.send("DELETE", "/api/v1/trades", None, as_user)
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD, POST")
    for path in ("/api/v1/nothing", "/api/v2/trades", "/", "/api/v1/trades/not-an-id", "/api/v1//trades"):
        assert worker.send("GET", path, None, as_user).status == 404, path
    assert worker.send("HEAD", "/api/v1/health/live").status == 200


def test_a_trailing_slash_is_the_same_without_redirect(worker: Any, as_user: dict[str, str]) -> None:
    assert worker.get("/users/me/", as_user).body == worker.get("/users/me", as_user).body
    assert worker.get("/health/live/").status == 200


def test_the_idempotency_key_is_asked_for_where_money_moves(worker: Any, trades: Any, as_user: dict[str, str]) -> None:
    missing = worker.post("/trades", TERMS, as_user)
    assert (missing.status, missing.body["code"]) == (400, "idempotency_key_required")
    for key in ("short", "x" * 65, "with blanks in the key", "umlaut-äöü-0123456789", "semi;colon;0123456789"):
        headers = {**as_user, "Idempotency-Key": key.encode().decode("latin-1")}
        assert worker.post("/trades", TERMS, headers).status == 400, key
    assert trades.calls == []
    assert worker.post("/auth/token", {"username": "a", "password": "b"}, {"Idempotency-Key": "short"}).status == 400


def test_a_replayed_answer_says_so(worker: Any, trades: Any, as_user: dict[str, str]) -> None:
    first = worker.post("/trades", TERMS, {**as_user, **KEY})
    assert "idempotent-replayed" not in first.headers
    assert first.headers["location"] == f"/api/v1/trades/{ACCOUNT}"
    trades.methods["open_trade"] = lambda **terms: {"trade": {"id": ACCOUNT}, "replayed": True}
    assert worker.post("/trades", TERMS, {**as_user, **KEY}).headers["idempotent-replayed"] == "true"


def test_errors_of_services_reach_the_client_as_they_are(worker: Any, trades: Any, as_user: dict[str, str]) -> None:
    def refuse(error: Exception) -> Any:
        def method(**_: Any) -> Any:
            raise error

        return method

    trades.methods["open_trade"] = refuse(InsufficientFunds("Not enough."))
    answer = worker.post("/trades", TERMS, {**as_user, **KEY, "X-Request-ID": "request-of-mine-1"})
    assert (answer.status, answer.body["code"], answer.body["detail"]) == (409, "insufficient_funds", "Not enough.")
    assert answer.body["request_id"] == answer.headers["x-request-id"] == "request-of-mine-1"

    trades.methods["open_trade"] = refuse(ValidationFailed.of("stake", "too_small", "At least 0.35."))
    answer = worker.post("/trades", TERMS, {**as_user, **KEY})
    assert answer.body["errors"] == [{"field": "stake", "code": "too_small", "message": "At least 0.35."}]

    trades.methods["open_trade"] = refuse(NotReady())
    answer = worker.post("/trades", TERMS, {**as_user, **KEY})
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


def test_a_lock_says_for_how_long(worker: Any, users: Any) -> None:
    def locked(**_: Any) -> Any:
        raise LoginLocked(extra={"retry_after": 17})

    users.methods["log_in"] = locked
    answer = worker.post("/auth/token", {"username": "a", "password": "b"})
    assert (answer.status, answer.headers["retry-after"]) == (429, "17")


def test_every_answer_has_its_headers(worker: Any) -> None:
    for answer in (worker.get("/health/live"), worker.get("/nothing"), worker.get("/users/me")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers
        assert len(answer.headers["x-request-id"]) >= 8
    odd = worker.get("/health/live", {"X-Request-ID": "a b; c"})
    assert odd.headers["x-request-id"] != "a b; c"


def test_too_many_requests_are_told_to_wait(users: Any, make_worker: Any) -> None:
    worker = make_worker(RATE_LIMIT_ANONYMOUS="8")
    body = {"refresh": "x"}
    users.methods["log_out"] = lambda refresh: {}
    answers = [worker.post("/auth/logout", body) for _ in range(6)]
    assert [a.status for a in answers[:2]] == [200, 200]
    assert answers[-1].status == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert worker.get("/health/live").status == 200
