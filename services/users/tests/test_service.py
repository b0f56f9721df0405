"""The service as a process: it answers while it hashes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.chassis.context import Context
from shared.contracts.errors import DeadlineExceeded, ValidationFailed
from shared.contracts.users.errors import InvalidCredentials
from shared.utils.ids import new_id


def test_it_answers_at_once_while_it_hashes(run_service: Any, rpc: Any) -> None:
    # Hashes of about a third of a second each: on the hub, nobody would be answered meanwhile.
    run_service("users", ARGON2_MEMORY_KIB="65536", ARGON2_TIME_COST="8")
    rpc.call("users", "register", username="ada", email="ada@example.org", password="a long password")

    def fail() -> None:
        with pytest.raises(InvalidCredentials):
            rpc.call("users", "log_in", timeout=20, username="ada", password="wrong password")

    with ThreadPoolExecutor(6) as pool:
        attempts = [pool.submit(fail) for _ in range(4)]
        waits = []
        while not all(attempt.done() for attempt in attempts):
            begun = time.monotonic()
            rpc.call("users", "health")
            waits.append(time.monotonic() - begun)
        for attempt in attempts:
            attempt.result()
    assert len(waits) > 5
    assert sorted(waits)[len(waits) // 2] < 0.1


def test_a_refused_field_reaches_the_caller_by_name(run_service: Any, rpc: Any) -> None:
    run_service("users")
    with pytest.raises(ValidationFailed) as raised:
        rpc.call("users", "register", username="a b", email="not one", password="short")
    assert {error["field"] for error in raised.value.errors} == {"username", "email", "password"}
    with pytest.raises(ValidationFailed):
        rpc.call("users", "register", username="ada")


def test_a_code_is_claimed_of_referrals_over_the_broker(run_service: Any, fake_service: Any, rpc: Any) -> None:
    claims: list[dict[str, Any]] = []

    def claim(**asked: Any) -> dict[str, Any]:
        claims.append(asked)
        if asked["code"] == "used-up":
            raise ValidationFailed.of("referral_code", "used_up", "Too late.")
        return {"code_id": new_id(), "code": asked["code"], "owner_id": asked["owner_id"]}

    fake_service("referrals", claim=claim)
    run_service("users")
    owner = rpc.call("users", "register", username="owner", email="o@example.org", password="a long password")["user"]
    new = {"username": "new", "email": "n@example.org", "password": "a long password"}
    with pytest.raises(ValidationFailed) as raised:
        rpc.call("users", "register", **new, referral_code="used-up")
    assert [(error["field"], error["code"]) for error in raised.value.errors] == [("referral_code", "used_up")]
    made = rpc.call("users", "register", **new, referral_code=owner["affiliate_code"].lower())["user"]
    assert made["referred_by"] == owner["id"]
    assert claims[-1] == {"user_id": made["id"], "code": owner["affiliate_code"], "owner_id": owner["id"]}


def test_without_referrals_only_those_with_a_code_wait_and_no_longer_than_they_want(run_service: Any, rpc: Any) -> None:
    run_service("users")
    new = {"username": "new", "email": "n@example.org", "password": "a long password"}
    begun = time.time()
    with pytest.raises(DeadlineExceeded):
        rpc.call("users", "register", ctx=Context(deadline=begun + 0.7), timeout=5, **new, referral_code="some-code")
    assert time.time() - begun < 2
    rpc.call("users", "register", **new)


def test_users_and_referrals_as_they_are(run_service: Any, rpc: Any, sql: Any) -> None:
    run_service("referrals")
    run_service("users")

    def register(name: str, code: str | None = None) -> dict[str, Any]:
        person = {"username": name, "email": f"{name}@example.org", "password": "a long password"}
        user: dict[str, Any] = rpc.call("users", "register", **person, referral_code=code)["user"]
        return user

    owner = register("owner")
    me = Context(kind="user", user_id=owner["id"])
    rpc.call("referrals", "generate_code", ctx=me, code="one-seat", max_uses=1)
    by_affiliate = register("second", owner["affiliate_code"].lower())
    by_code = register("third", "ONE-SEAT")
    assert by_affiliate["referred_by"] == by_code["referred_by"] == owner["id"]
    with pytest.raises(ValidationFailed) as raised:
        register("fourth", "one-seat")
    assert [(error["field"], error["code"]) for error in raised.value.errors] == [("referral_code", "used_up")]
    with sql("users").cursor() as cursor:
        cursor.execute("SELECT referral_code, code_id::text FROM users WHERE referred_by IS NOT NULL ORDER BY id")
        written = cursor.fetchall()
    codes = rpc.call("referrals", "list_codes", ctx=me)["results"]
    assert dict(written) == {code["code"]: code["id"] for code in codes}
    assert [code["uses"] for code in codes] == [1, 1]
