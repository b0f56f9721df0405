"""What single routes add to the question they ask: statuses, headers, optional bodies, and whether a user exists."""

from __future__ import annotations

import time
from typing import Any

import pytest

from shared.contracts.errors import NotReady, ServiceUnavailable
from shared.contracts.notifications.errors import NotificationNotFound
from shared.contracts.trades.errors import LimitReached
from shared.contracts.users.errors import UserNotFound

ID, OWNER = "01920000-0000-7000-8000-000000000011", "01920000-0000-7000-8000-0000000000ab"
KEY = {"Idempotency-Key": "a-key-of-sixteen-or-more"}
DEPOSIT = {"account_id": ID, "amount": "10.00"}
CODE = {"id": ID, "code": "SUMMER"}


def raising(error: Exception) -> Any:
    def method(**_: Any) -> Any:
        raise error

    return method


def test_a_real_account_is_made_or_updated(worker: Any, fake_service: Any, as_user: dict[str, str]) -> None:
    account = {"id": ID, "deriv_account_id": "CR1"}
    billing = fake_service("billing", sync_real_account=lambda **_: {"account": account, "created": True})
    made = worker.post("/accounts/real", {"deriv_account_id": "CR1"}, as_user)
    assert (made.status, made.body, made.headers["location"]) == (201, account, f"/api/v1/accounts/{ID}")
    billing.methods["sync_real_account"] = lambda **_: {"account": account, "created": False}
    assert worker.post("/accounts/real", {"deriv_account_id": "CR1"}, as_user).status == 200


def test_a_deposit_needs_a_key_and_says_when_it_is_replayed(worker: Any, fake_service: Any, as_user: Any) -> None:
    line = {"id": ID, "status": "PENDING"}
    billing = fake_service("billing", request_deposit=lambda **_: {"transaction": line, "replayed": False})
    assert worker.post("/transactions/deposits", DEPOSIT, as_user).status == 400
    assert billing.calls == []
    made = worker.post("/transactions/deposits", DEPOSIT, {**as_user, **KEY})
    assert (made.status, made.body) == (201, line)
    assert "idempotent-replayed" not in made.headers
    billing.methods["request_deposit"] = lambda **_: {"transaction": line, "replayed": True}
    again = worker.post("/transactions/deposits", DEPOSIT, {**as_user, **KEY})
    assert (again.status, again.body, again.headers["idempotent-replayed"]) == (201, line, "true")


@pytest.mark.parametrize("action", ["complete", "fail"])
def test_staff_decide_on_a_deposit_without_a_body(worker: Any, fake_service: Any, as_staff: Any, action: str) -> None:
    line = {"id": ID, "status": "COMPLETED"}
    method = f"{action}_deposit"
    billing = fake_service("billing", **{method: lambda **_: {"transaction": line, "replayed": False}})
    answer = worker.send("POST", f"/api/v1/transactions/{ID}/{action}", None, {**as_staff, **KEY})
    assert (answer.status, answer.body) == (200, line)
    reason = {"reason": "no such payment"} if action == "fail" else {}
    assert worker.post(f"/transactions/{ID}/{action}", reason, as_staff).status == 200
    sent = [{name: value for name, value in arguments.items() if value is not None} for _, arguments in billing.calls]
    assert sent == [{"transaction_id": ID}, {"transaction_id": ID, **reason}]


def test_a_void_needs_a_key_and_a_reason(worker: Any, fake_service: Any, as_staff: dict[str, str]) -> None:
    trade = {"id": ID, "status": "CANCELLED"}
    trades = fake_service("trades", void_trade=lambda **_: {"trade": trade, "replayed": True})
    assert worker.post(f"/trades/{ID}/void", {"reason": "bad tick"}, as_staff).status == 400
    assert worker.post(f"/trades/{ID}/void", {}, {**as_staff, **KEY}).status == 422
    assert trades.calls == []
    answer = worker.post(f"/trades/{ID}/void", {"reason": "bad tick"}, {**as_staff, **KEY})
    assert (answer.status, answer.body, answer.headers["idempotent-replayed"]) == (200, trade, "true")
    assert trades.calls == [("void_trade", {"trade_id": ID, "reason": "bad tick"})]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"/transactions/{ID}/complete", {}),
        ("POST", f"/transactions/{ID}/fail", {}),
        ("POST", f"/trades/{ID}/void", {"reason": "x"}),
        ("PUT", f"/commission/rules/{OWNER}", {"referral_percent": "1.00", "markup_percent": "1.00"}),
        ("GET", "/audit", None),
        ("PUT", f"/limits/accounts/{ID}", {"open_trades_max": 1}),
        ("POST", "/market/halt", {"reason": "x"}),
        ("DELETE", "/market/halt", {}),
    ],
)
def test_what_is_for_staff_is_closed_to_others(worker: Any, as_user: Any, method: str, path: str, body: Any) -> None:
    answer = worker.ask(method, path, body, {**as_user, **KEY})
    assert (answer.status, answer.body["code"]) == (403, "forbidden")


def test_an_accounts_limits_are_set_by_its_path(worker: Any, fake_service: Any, as_staff: dict[str, str]) -> None:
    trades = fake_service("trades", set_account_limits=lambda **_: {"account_id": ID})
    path = f"/limits/accounts/{ID}"
    assert worker.ask("PUT", path, {"open_trades_max": 0, "stake_max": "5.00"}, as_staff).body == {"account_id": ID}
    assert worker.ask("PUT", path, {"account_id": OWNER}, as_staff).status == 422
    assert worker.send("PUT", f"/api/v1{path}", None, as_staff).status == 415
    ((name, sent),) = trades.calls
    given = {field: value for field, value in sent.items() if value is not None}
    assert (name, given) == ("set_account_limits", {"account_id": ID, "open_trades_max": 0, "stake_max": "5.00"})


def test_trading_is_halted_once_and_resumed_by_symbol(worker: Any, fake_service: Any, as_staff: Any) -> None:
    halt = {"id": ID, "symbol": "R_100", "reason": "late prices", "since": "2026-01-01T00:00:00Z"}
    trades = fake_service(
        "trades",
        halt_trading=lambda **_: {"halt": halt, "created": True},
        resume_trading=lambda **_: {"resumed": True},
    )
    asked = {"reason": "late prices", "symbol": "R_100"}
    made = worker.post("/market/halt", asked, as_staff)
    assert (made.status, made.body) == (201, halt)
    trades.methods["halt_trading"] = lambda **_: {"halt": halt, "created": False}
    assert worker.post("/market/halt", asked, as_staff).status == 200
    assert worker.send("DELETE", "/api/v1/market/halt?symbol=R_100", None, as_staff).body == {"resumed": True}
    assert worker.send("DELETE", "/api/v1/market/halt", None, as_staff).status == 200
    assert trades.calls[2:] == [("resume_trading", {"symbol": "R_100"}), ("resume_trading", {"symbol": None})]


def test_a_refusal_by_a_limit_says_which_and_what_is_left(worker: Any, fake_service: Any, as_user: Any) -> None:
    extra = {"limit": "stake_per_day", "set_by": "self", "left": "5.00", "until": "2026-03-03T00:00:00Z"}
    fake_service("trades", open_trade=raising(LimitReached("stake_per_day has 5.00 left", extra=extra)))
    terms = {"account_id": ID, "symbol": "R_100", "stake": "10.00", "contract_type": "CALL", "duration_seconds": 15}
    answer = worker.post("/trades", terms, {**as_user, **KEY})
    assert (answer.status, answer.body["code"]) == (409, "limit_reached")
    assert {name: answer.body[name] for name in extra} == extra


def test_a_code_is_made_by_an_empty_request(worker: Any, fake_service: Any, as_user: dict[str, str]) -> None:
    referrals = fake_service("referrals", generate_code=lambda **_: {"code": CODE, "replayed": False})
    made = worker.send("POST", "/api/v1/referrals/codes", None, as_user)
    assert (made.status, made.body, made.headers["location"]) == (201, CODE, f"/api/v1/referrals/codes/{ID}")
    referrals.methods["generate_code"] = lambda **_: {"code": CODE, "replayed": True}
    assert worker.post("/referrals/codes", {}, {**as_user, **KEY}).headers["idempotent-replayed"] == "true"


def test_a_change_of_a_code_tells_null_from_left_out(worker: Any, fake_service: Any, as_user: Any) -> None:
    referrals = fake_service("referrals", change_code=lambda **_: CODE)
    for changes in ({}, {"max_uses": None}, {"expires_at": None, "disabled": False, "metadata": {}}):
        assert worker.ask("PATCH", f"/referrals/codes/{ID}", changes, as_user).status == 200
        assert referrals.calls[-1] == ("change_code", {"code_id": ID, **changes})
    for refused in ({"uses": 0}, {"code": "OTHER"}, {"owner_id": OWNER}, {"code_id": OWNER}, {"disabled": None}):
        assert worker.ask("PATCH", f"/referrals/codes/{ID}", refused, as_user).status == 422, refused
    assert len(referrals.calls) == 3


def test_notifications_are_filtered_counted_and_deleted(worker: Any, fake_service: Any, as_user: Any) -> None:
    page = {"results": [], "has_more": False, "next": None}
    notifications = fake_service(
        "notifications",
        list_notifications=lambda **_: page,
        mark_all_read=lambda: {"count": 3},
        delete=lambda **_: {},
        delete_all=lambda: {"count": 3},
    )
    assert worker.get("/notifications?unread=true&limit=5", as_user).body == page
    assert worker.get("/notifications?unread=false", as_user).body == page
    assert [arguments["unread"] for _, arguments in notifications.calls] == [True, False]
    assert worker.send("POST", "/api/v1/notifications/read-all", None, as_user).body == {"count": 3}
    assert worker.get("/notifications/read-all", as_user).status == 405
    for path in (f"/notifications/{ID}", "/notifications/"):
        assert worker.send("DELETE", f"/api/v1{path}", None, as_user).status == 204
    notifications.methods["delete"] = raising(NotificationNotFound())
    assert worker.send("DELETE", f"/api/v1/notifications/{ID}", None, as_user).status == 404


OF_USERS = {
    "commission": ("PUT", f"/commission/rules/{OWNER}", {"referral_percent": "1.00", "markup_percent": "1.00"}),
    "billing": ("POST", "/accounts/real", {"deriv_account_id": "CR1", "user_id": OWNER}),
    "referrals": ("POST", "/referrals/codes", {"owner_id": OWNER}),
}
METHODS = {"commission": "set_rule", "billing": "sync_real_account", "referrals": "generate_code"}


@pytest.mark.parametrize("service", OF_USERS)
def test_a_user_whom_nobody_knows_is_not_found(
    worker: Any, users: Any, fake_service: Any, as_staff: dict[str, str], service: str
) -> None:
    fake_service(service, **{METHODS[service]: raising(NotReady())})
    method, path, body = OF_USERS[service]

    users.methods["get_user"] = raising(UserNotFound())
    answer = worker.ask(method, path, body, as_staff)
    assert (answer.status, answer.body["code"]) == (404, "user_not_found")
    assert users.calls[-1] == ("get_user", {"user_id": OWNER})

    for known in (lambda **_: {"id": OWNER}, raising(ServiceUnavailable())):
        users.methods["get_user"] = known
        answer = worker.ask(method, path, body, as_staff)
        assert (answer.status, answer.body["code"], answer.headers["retry-after"]) == (503, "not_ready", "1")


def test_nobody_else_is_asked_about_the_caller_himself(
    worker: Any, users: Any, fake_service: Any, as_user: Any
) -> None:
    fake_service("billing", sync_real_account=raising(NotReady()))
    assert worker.post("/accounts/real", {"deriv_account_id": "CR1"}, as_user).status == 503
    assert {name for name, _ in users.calls} <= {"list_revocations"}


def test_two_questions_take_no_longer_than_one(worker: Any, users: Any, fake_service: Any, as_staff: Any) -> None:
    def late(**_: Any) -> Any:
        time.sleep(2)
        raise NotReady

    fake_service("billing", sync_real_account=late)
    users.stop()
    begun = time.monotonic()
    answer = worker.post("/accounts/real", {"deriv_account_id": "CR1", "user_id": OWNER}, as_staff)
    assert (answer.status, answer.body["code"]) == (503, "not_ready")
    assert time.monotonic() - begun < 4
