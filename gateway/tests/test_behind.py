"""When what is behind the gateway is slow or missing; and what the gateway says of itself."""

from __future__ import annotations

import time
from typing import Any

from gateway.settings import SERVICES

USER = "01920000-0000-7000-8000-000000000001"
CHECKS = {"database": True, "broker": True, "consumers": True, "relay": True}


def page(*items: Any) -> dict[str, Any]:
    return {"results": list(items), "has_more": False, "next": None}


def test_a_service_that_is_not_there_is_known_at_once(worker: Any, as_user: dict[str, str]) -> None:
    begun = time.monotonic()
    answer = worker.get("/accounts", as_user)
    # Its queue is there, as on any stack, but nobody consumes it: the deadline decides.
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert time.monotonic() - begun < 4
    assert worker.get("/users/me", as_user).status == 200


def test_a_missing_part_of_the_dashboard_is_named(worker: Any, fake_service: Any, as_user: dict[str, str]) -> None:
    fake_service("billing", summary=lambda **_: {"accounts": [{"id": 1}], "recent_transactions": []})
    begun = time.monotonic()
    answer = worker.get("/dashboard", as_user)
    assert answer.status == 200
    assert answer.body["user"]["id"] == USER
    assert answer.body["accounts"] == [{"id": 1}]
    assert answer.body["recent_transactions"] == []
    assert answer.body["open_trades"] is None
    assert answer.body["partial"] == ["open_trades", "recent_trades", "unread_notifications"]
    assert time.monotonic() - begun < 3.5


def test_the_dashboard_asks_each_service_once_for_ten_of_each(worker: Any, fake_service: Any, as_user: Any) -> None:
    billing = fake_service("billing", summary=lambda **_: {"accounts": [], "recent_transactions": [{"id": "\u00e9"}]})
    trades = fake_service("trades", summary=lambda **_: {"open_trades": [{"id": 2}], "recent_trades": [{"id": 3}]})
    fake_service("notifications", count_unread=lambda: 7)
    answer = worker.get("/dashboard", as_user)
    assert answer.body == {
        "user": answer.body["user"],
        "accounts": [],
        "recent_transactions": [{"id": "\u00e9"}],
        "open_trades": [{"id": 2}],
        "recent_trades": [{"id": 3}],
        "unread_notifications": 7,
        "partial": [],
    }
    assert billing.calls == trades.calls == [("summary", {"limit": 10})]


def test_readiness_tells_of_each_service(worker: Any, users: Any, fake_service: Any) -> None:
    well = {"healthy": True, "checks": CHECKS}
    others = {name: fake_service(name, health=lambda: well) for name in SERVICES if name != "users"}
    users.methods["health"] = lambda: {"healthy": False, "checks": {**CHECKS, "relay": False}}
    answer = worker.get("/health/ready")
    assert answer.status == 503
    assert answer.body["services"]["billing"] == {"healthy": True, **CHECKS}
    assert answer.body["services"]["users"]["relay"] is False
    users.methods["health"] = lambda: well
    assert (worker.get("/health/ready").status, worker.get("/health/live").status) == (200, 200)
    others["audit"].stop()
    answer = worker.get("/health/ready")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert [name for name, found in answer.body["services"].items() if not found["healthy"]] == ["audit"]


def test_it_starts_and_lives_without_users(make_worker: Any) -> None:
    worker = make_worker()
    assert worker.get("/health/live").status == 200
    assert worker.get("/health/ready").status == 503
    assert worker.stop() == 0


def test_browsers_of_named_origins_are_let_in(users: Any, make_worker: Any) -> None:
    worker = make_worker(CORS_ALLOWED_ORIGINS="https://app.example", NEXUS_ENV="prod")
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    preflight = worker.send("OPTIONS", "/api/v1/trades", None, asked)
    assert preflight.headers["access-control-allow-origin"] == "https://app.example"
    for origin in ("https://evil.example", "null", "https://app.example.evil.example", "http://localhost:3000"):
        answer = worker.get("/health/live", {"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers, origin


def test_the_documentation_needs_nobody_else(worker: Any) -> None:
    index = worker.send("GET", "/docs")
    assert index.status == 200
    assert b"http" not in index.body.replace(b"http-equiv", b"")
    for asset in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
        assert worker.send("GET", f"/docs/{asset}").status == 200
    assert worker.send("GET", "/docs/../settings.py").status == 404
