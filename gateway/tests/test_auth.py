"""Who gets in: every way of a bad token, and what users says has ended."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.chassis.testing import eventually
from shared.contracts.users.events import SessionRevoked, UserUpdated
from shared.utils.ids import new_id

NOW = int(time.time())
USER = "01920000-0000-7000-8000-000000000001"

BAD_CLAIMS = {
    "expired": {"exp": NOW - 10},
    "without expiry": {"exp": None},
    "expiry as text": {"exp": "soon"},
    "not yet": {"nbf": NOW + 3600},
    "another issuer": {"iss": "evil"},
    "another audience": {"aud": "other"},
    "without subject": {"sub": None},
    "without session": {"sid": None},
    "roles as text": {"roles": "staff"},
}
BAD_HEADERS = {
    "another type": {"typ": "JWT"},
    "a refresh token's type": {"typ": "rt+jwt"},
    "an unknown key": {"kid": "0123456789abcdef"},
    "a key by path": {"kid": "../../private"},
    "a key by SQL": {"kid": "' OR 1=1--"},
    "no key": {"kid": None},
    "critical": {"crit": ["b64"], "b64": False},
    "key in the token": {"jku": "http://127.0.0.1/", "kid": "x"},
}


@pytest.mark.parametrize("claims", BAD_CLAIMS.values(), ids=BAD_CLAIMS)
def test_a_token_with_bad_claims_is_refused(worker: Any, sign: Any, claims: dict[str, Any]) -> None:
    answer = worker.get("/users/me", {"Authorization": f"Bearer {sign(**claims)}"})
    assert (answer.status, answer.body["code"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_token_with_a_bad_header_is_refused(worker: Any, sign: Any, header: dict[str, Any]) -> None:
    assert worker.get("/users/me", {"Authorization": f"Bearer {sign(header=header)}"}).status == 401


def test_tokens_signed_by_others_are_refused(worker: Any, sign: Any, keys: dict[str, str]) -> None:
    public = next(Path(keys["JWT_PUBLIC_KEYS_DIR"]).glob("*.pem")).read_bytes()
    # PyJWT refuses to sign with a PEM as HMAC secret, so the raw bytes are wrapped.
    stranger = sign(key=Ed25519PrivateKey.generate())
    hmac = sign(key=public.replace(b"-----BEGIN PUBLIC KEY-----", b""), algorithm="HS256")
    unsigned = sign(key=None, algorithm="none")
    whole = sign()
    tampered = whole[:-4] + ("AAAA" if not whole.endswith("AAAA") else "BBBB")
    for token in (stranger, hmac, unsigned, tampered, whole + ".x", whole.rpartition(".")[0], "x", "a.b.c"):
        assert worker.get("/users/me", {"Authorization": f"Bearer {token}"}).status == 401, token
    assert worker.get("/users/me", {"Authorization": f"Bearer {whole}"}).status == 200


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Bearer", "Bearer ", "Token x"])
def test_no_bearer_token_is_no_login(worker: Any, header: str) -> None:
    answer = worker.get("/users/me", {"Authorization": header} if header else {})
    assert (answer.status, answer.body["code"]) == (401, "unauthorized")


def test_who_calls_comes_from_the_token_alone(worker: Any, users: Any, as_user: dict[str, str]) -> None:
    assert worker.get("/users/me", as_user).body["id"] == USER
    assert users.calls[-1] == ("get_user", {"user_id": USER})


@pytest.mark.parametrize("path", [f"/users/{USER}", f"/accounts/{USER}"])
def test_routes_of_staff_are_closed_to_others(worker: Any, as_user: dict[str, str], path: str) -> None:
    headers = {**as_user, "Content-Type": "application/json"}
    answer = worker.send("PATCH", f"/api/v1{path}", b'{"markup_percentage": "1.00"}', headers)
    assert (answer.status, answer.body["code"]) == (403, "forbidden")


def test_an_ended_session_is_refused_at_once(worker: Any, broker: Any, sign: Any) -> None:
    session = new_id()
    headers = {"Authorization": f"Bearer {sign(sid=session)}"}
    assert worker.get("/users/me", headers).status == 200
    until = "2099-01-01T00:00:00Z"
    # Published until heard: the worker's queue is bound a moment after it serves.
    revoked = SessionRevoked(user_id=USER, session_id=session, reason="logout", until=until)

    def refused() -> bool:
        broker.publish(revoked, subject=session)
        return bool(worker.get("/users/me", headers).status == 401)

    eventually(refused)


def test_a_frozen_user_is_refused_until_he_is_thawed(worker: Any, broker: Any, sign: Any) -> None:
    user = new_id()
    headers = {"Authorization": f"Bearer {sign(sub=user)}"}

    def told(*, frozen: bool, status: int) -> bool:
        data = UserUpdated(**{**vars(UserUpdated.example()), "user_id": user, "is_frozen": frozen})
        broker.publish(data, subject=user)
        return bool(worker.get("/users/me", headers).status == status)

    eventually(lambda: told(frozen=True, status=401))
    eventually(lambda: told(frozen=False, status=200))


def test_what_ended_before_the_start_is_asked_for(users: Any, make_worker: Any, sign: Any) -> None:
    session, user = new_id(), new_id()
    users.methods["list_revocations"] = lambda: {
        "sessions": [{"session_id": session, "until": "2099-01-01T00:00:00Z"}],
        "frozen_user_ids": [user],
    }
    worker = make_worker()
    ended, frozen = sign(sid=session), sign(sub=user)
    for token in (ended, frozen):
        eventually(lambda token=token: worker.get("/users/me", {"Authorization": f"Bearer {token}"}).status == 401)
    assert worker.get("/users/me", {"Authorization": f"Bearer {sign()}"}).status == 200
