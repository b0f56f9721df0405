"""Logging in, refreshing, logging out: a token is good once, and a stolen one ends the session."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import jwt
import pytest

from shared.chassis.context import Context
from shared.contracts.errors import ServiceError
from shared.contracts.users.errors import InvalidCredentials, InvalidToken, LoginLocked, UserNotFound
from users import passwords, queries
from users.commands.log_out import log_out
from users.commands.set_active import set_active
from users.commands.set_staff import set_staff
from users.commands.set_user_markup import set_user_markup


def outcome(call: Any) -> Any:
    try:
        return call()
    except ServiceError as error:
        return error.code


def test_a_log_in_gives_tokens_with_the_claims_that_the_gateway_checks(people: Any) -> None:
    user = people.register()
    found = people.log_in("ADA@example.org")
    assert (found["token_type"], found["expires_in"]) == ("Bearer", 3600)
    header = jwt.get_unverified_header(found["access"])
    claims = jwt.decode(found["access"], options={"verify_signature": False})
    assert (header["typ"], header["alg"], len(header["kid"])) == ("at+jwt", "EdDSA", 16)
    assert (claims["iss"], claims["aud"], claims["sub"], claims["roles"]) == ("nexus", "nexus-api", user["id"], [])
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["sid"] == found["refresh"].partition(".")[0]
    (told,) = people.events("user_logged_in")
    assert told["personal"] == {"username": "ada", "ip": "127.0.0.9", "user_agent": "a test"}


def test_who_may_not_in_learns_nothing_of_why(people: Any) -> None:
    user = people.register()
    for name, password in (("ada", "wrong password"), ("nobody", "a long enough password"), ("' OR 1=1--", "x")):
        with pytest.raises(InvalidCredentials):
            people.log_in(name, password)
    set_active(people.db, user_id=user["id"], is_active=False, now=people.now)
    with pytest.raises(InvalidCredentials):
        people.log_in()
    assert [told["data"]["reason"] for told in people.events("user_login_failed")] == [
        "wrong_password",
        "unknown_user",
        "unknown_user",
        "inactive",
    ]


def test_failures_lock_the_account_and_success_forgets_them(people: Any) -> None:
    people.register()
    for _ in range(2):
        with pytest.raises(InvalidCredentials):
            people.log_in(password="wrong password")
    people.log_in()
    for _ in range(3):
        with pytest.raises(InvalidCredentials):
            people.log_in(password="wrong password")
    with pytest.raises(LoginLocked) as locked:
        people.log_in()
    assert 1 <= locked.value.extra["retry_after"] <= 11
    people.go(seconds=11)
    people.log_in()
    assert people.rows("SELECT count(*) FROM login_failures") == [(0,)]


def test_an_unknown_name_locks_nobody(people: Any) -> None:
    people.register()
    for _ in range(10):
        with pytest.raises(InvalidCredentials):
            people.log_in("nobody", "wrong password")
    people.log_in()


def test_a_hash_of_older_parameters_is_renewed(people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    people.register()
    monkeypatch.setenv("ARGON2_TIME_COST", "2")
    passwords._hasher.cache_clear()
    people.log_in()
    assert "t=2" in people.rows("SELECT password_hash FROM users")[0][0]
    people.log_in()


def test_a_refresh_token_is_good_once_and_its_successor_goes_on(people: Any) -> None:
    people.register()
    first = people.log_in()
    second = people.refresh(first["refresh"])
    assert second["refresh"] != first["refresh"]
    people.go(minutes=5)
    third = people.refresh(second["refresh"])
    people.go(minutes=5)
    with pytest.raises(InvalidToken):
        people.refresh(first["refresh"])
    # Somebody has had a copy: the whole session is over, the newest token too.
    with pytest.raises(InvalidToken):
        people.refresh(third["refresh"])
    (told,) = people.events("session_revoked")
    assert told["data"]["reason"] == "token_reuse"


def test_two_tabs_get_the_same_successor(people: Any) -> None:
    people.register()
    first = people.log_in()["refresh"]
    one = people.refresh(first)
    people.go(seconds=5)
    assert people.refresh(first)["refresh"] == one["refresh"]
    assert people.refresh(one["refresh"])["refresh"] != one["refresh"]
    assert people.events("session_revoked") == []


def test_twenty_at_once_with_one_token_are_one_rotation(people: Any) -> None:
    people.register()
    first = people.log_in()["refresh"]
    with ThreadPoolExecutor(5) as pool:
        found = list(pool.map(lambda _: outcome(lambda: people.refresh(first)["refresh"]), range(20)))
    assert len(set(found)) == 1
    assert people.rows("SELECT counter FROM sessions") == [(1,)]


def test_tokens_of_no_session_prove_nothing(people: Any) -> None:
    people.register()
    real = people.log_in()["refresh"]
    session, counter, mac = real.split(".")
    forged = [
        f"{session}.{int(counter) + 1}.{mac}",
        f"{session}.{counter}.{'0' * 64}",
        f"{session}.999999999999.{mac}",
        f"{session}.-1.{mac}",
        "x",
        "..",
        f"{session.upper()}.{counter}.{mac}",
        "' OR 1=1--",
    ]
    for token in forged:
        with pytest.raises(InvalidToken):
            people.refresh(token)
    people.refresh(real)


def test_a_session_ends_with_its_time_and_with_log_out(people: Any) -> None:
    people.register()
    old, ended = people.log_in()["refresh"], people.log_in()["refresh"]
    log_out(people.db, token=ended, now=people.now)
    log_out(people.db, token=ended, now=people.now)
    with pytest.raises(InvalidToken):
        people.refresh(ended)
    with pytest.raises(InvalidToken):
        log_out(people.db, token="x", now=people.now)
    people.go(days=8)
    with pytest.raises(InvalidToken):
        people.refresh(old)
    assert [told["data"]["reason"] for told in people.events("session_revoked")] == ["logout"]


def test_a_change_of_rights_ends_the_sessions(people: Any) -> None:
    user = people.register()
    tokens = [people.log_in()["refresh"] for _ in range(2)]
    set_staff(people.db, user_id=user["id"], is_staff=True, now=people.now)
    for token in tokens:
        with pytest.raises(InvalidToken):
            people.refresh(token)
    claims = jwt.decode(people.log_in()["access"], options={"verify_signature": False})
    assert claims["roles"] == ["staff"]
    assert len(people.events("session_revoked")) == 2
    (told,) = people.events("user_updated")
    assert (told["data"]["changed"], told["subject_version"]) == (["is_staff"], 2)
    set_staff(people.db, user_id=user["id"], is_staff=True, now=people.now)
    assert len(people.events("user_updated")) == 1


def test_the_gateway_is_told_what_has_ended(people: Any) -> None:
    user = people.register()
    token = people.log_in()["refresh"]
    log_out(people.db, token=token, now=people.now)
    with people.db.read() as tx:
        found = queries.revocations(tx, people.now)
        later = queries.revocations(tx, people.now.replace(year=2027))
    assert [session["session_id"] for session in found["sessions"]] == [token.partition(".")[0]]
    assert later["sessions"] == []
    set_active(people.db, user_id=user["id"], is_active=False, now=people.now)
    with people.db.read() as tx:
        assert queries.revocations(tx, people.now)["frozen_user_ids"] == [user["id"]]


def test_tokens_are_checked_against_their_session(people: Any) -> None:
    people.now = people.now.now(people.now.tzinfo)  # a signature's time is the real one
    people.register()
    found = people.log_in()

    def good(token: str) -> bool:
        with people.db.read() as tx:
            return bool(outcome(lambda: queries.check_token(tx, token, people.now)) is None)

    assert good(found["access"])
    assert good(found["refresh"])
    assert not good(found["access"][:-3])
    successor = people.refresh(found["refresh"])
    assert not good(found["refresh"])
    log_out(people.db, token=successor["refresh"], now=people.now)
    assert not good(found["access"])


def test_markup_is_bounded_and_told(people: Any) -> None:
    user = people.register()
    changed = set_user_markup(people.db, user_id=user["id"], percentage=Decimal("1.50"), now=people.now)
    assert queries.view(changed)["markup_percentage"] == "1.50"
    assert outcome(
        lambda: set_user_markup(people.db, user_id=user["id"], percentage=Decimal("3.01"), now=people.now)
    ) == ("validation_failed")
    (told,) = people.events("user_updated")
    assert (told["data"]["before"], told["data"]["after"]) == (
        {"markup_percentage": None},
        {"markup_percentage": "1.50"},
    )


def test_one_sees_oneself_and_staff_see_all(people: Any) -> None:
    ada, bob = people.register("ada"), people.register("bob")
    with people.db.read() as tx:
        assert queries.get_user(tx, ada["id"], Context(kind="user", user_id=ada["id"])).username == "ada"
        assert queries.get_user(tx, ada["id"], Context(kind="staff", user_id=bob["id"])).username == "ada"
        with pytest.raises(UserNotFound):
            queries.get_user(tx, ada["id"], Context(kind="user", user_id=bob["id"]))
        assert queries.get_user_by_email(tx, "ADA@example.org").id == ada["id"]
        assert [user.username for user in queries.list_active_users(tx, 10)] == ["bob", "ada"]


def test_no_token_is_kept_or_told(people: Any) -> None:
    people.register()
    found = people.log_in()
    people.refresh(found["refresh"])
    everything = json.dumps([str(people.rows(f"SELECT * FROM {t}")) for t in ("sessions", "outbox")])
    for token in (found["access"], found["refresh"]):
        assert token not in everything
