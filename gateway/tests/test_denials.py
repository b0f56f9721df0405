"""Denied access is told to audit, whatever audit does, and no request waits for it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from gateway.auth import Identity
from gateway.denials import CAPACITY, Denials
from gateway.errors import SessionEnded
from gateway.request import Request
from gateway.routes import ENDPOINTS
from shared.chassis.testing import eventually
from shared.contracts.audit.rpc import RecordRequest
from shared.contracts.errors import Forbidden, NotFound, ServiceUnavailable, ValidationFailed
from shared.utils.ids import new_id

ACCOUNT = "01920000-0000-7000-8000-000000000011"
PATH = f"/accounts/{ACCOUNT}"
AUDIT = next(endpoint for endpoint in ENDPOINTS if endpoint.path == "/api/v1/audit")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def recorded(audit: Any) -> list[dict[str, Any]]:
    return [arguments for name, arguments in audit.calls if name == "record"]


def deny(worker: Any, headers: dict[str, str]) -> None:
    assert worker.ask("PATCH", PATH, {"markup_percentage": "1.00"}, headers).status == 403


def test_a_refusal_of_rights_is_told_once(make_worker: Any, contracted: Any, sign: Any) -> None:
    audit = contracted("audit", record=RecordRequest)
    worker = make_worker()
    user = bearer(sign())
    deny(worker, user)
    # Other refusals are not of rights; the one after them shows that they were left out.
    assert worker.get("/accounts/x", user).status == 404
    assert worker.get("/audit", bearer("x.y.z")).status == 401
    assert worker.get("/audit").status == 401
    assert worker.get("/audit", user).status == 403
    eventually(lambda: len(recorded(audit)) >= 2)
    first, second = recorded(audit)
    assert first == {
        "record_id": first["record_id"],
        "action": "ACCESS_DENIED",
        "description": "Not allowed",
        "result": "denied",
        "subject_type": "route",
        "subject_id": "PATCH /api/v1/accounts/{account_id}",
        "occurred_at": first["occurred_at"],
        "metadata": {"status": 403, "code": "forbidden", "path": f"/api/v1{PATH}"},
    }
    assert second["subject_id"] == "GET /api/v1/audit"
    assert first["record_id"] != second["record_id"]


def test_a_refusal_by_a_service_is_told_too(make_worker: Any, contracted: Any, fake_service: Any, sign: Any) -> None:
    def forbidden(**_: Any) -> Any:
        raise Forbidden

    audit = contracted("audit", record=RecordRequest)
    fake_service("trades", list_trades=forbidden)
    assert make_worker().get("/trades", bearer(sign())).status == 403
    eventually(lambda: [record["subject_id"] for record in recorded(audit)] == ["GET /api/v1/trades"])


def test_the_use_of_an_ended_session_is_told(make_worker: Any, users: Any, contracted: Any, sign: Any) -> None:
    session, frozen = new_id(), new_id()
    ended = {"session_id": session, "until": "2099-01-01T00:00:00Z"}
    users.methods["list_revocations"] = lambda: {"sessions": [ended], "frozen_user_ids": [frozen]}
    audit = contracted("audit", record=RecordRequest)
    worker = make_worker()
    for token in (sign(sid=session), sign(sub=frozen)):
        eventually(lambda token=token: worker.get("/users/me", bearer(token)).status == 401)
    eventually(lambda: len(recorded(audit)) == 2)
    assert [record["metadata"]["code"] for record in recorded(audit)] == ["invalid_token", "invalid_token"]


def test_nobody_waits_while_audit_is_away_and_it_hears_of_all_later(
    make_worker: Any, contracted: Any, users: Any, sign: Any
) -> None:
    worker = make_worker()
    begun = time.monotonic()
    for _ in range(5):
        deny(worker, bearer(sign()))
    assert time.monotonic() - begun < 1
    audit = contracted("audit", record=RecordRequest)
    # A call that audit did not answer in time may have been heard all the same: the record's id tells.
    eventually(lambda: len({record["record_id"] for record in recorded(audit)}) == 5)


def test_a_flood_of_one_user_is_cut_off(make_worker: Any, contracted: Any, sign: Any) -> None:
    audit = contracted("audit", record=RecordRequest)
    worker = make_worker(AUDIT_DENIALS_PER_MINUTE="8")
    one, other = bearer(sign()), bearer(sign(sub=new_id()))
    for _ in range(20):
        deny(worker, one)
    assert worker.get("/audit", other).status == 403
    eventually(lambda: any(record["subject_id"] == "GET /api/v1/audit" for record in recorded(audit)))
    assert len(recorded(audit)) <= 4
    assert b"denials not recorded" in worker.log.read_bytes()


def test_what_waits_is_told_before_the_end(make_worker: Any, contracted: Any, users: Any, sign: Any) -> None:
    worker = make_worker()
    audit = contracted("audit", record=RecordRequest)
    answer = audit.methods["record"]

    def slow(**arguments: Any) -> Any:
        time.sleep(0.15)
        return answer(**arguments)

    audit.methods["record"] = slow
    for _ in range(4):
        deny(worker, bearer(sign()))
    assert worker.stop() == 0
    assert len(recorded(audit)) == 4


def test_it_ends_in_time_without_audit(make_worker: Any, users: Any, sign: Any) -> None:
    worker = make_worker()
    deny(worker, bearer(sign()))
    begun = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - begun < 4
    assert b"denials not recorded" in worker.log.read_bytes()


class Audit:
    """Stands in for the client of calls: `errors` are raised one by one, then all is heard."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.heard: list[tuple[Any, dict[str, Any]]] = []

    async def call(self, service: str, method: str, arguments: Any, *, ctx: Any, timeout: float) -> Any:  # noqa: ASYNC109  # as in the client
        if self.errors:
            raise self.errors.pop(0)
        self.heard.append((ctx, arguments))


def request(user_id: str) -> Request:
    async def nothing() -> Any:
        raise AssertionError

    identity = Identity(user_id, ACCOUNT, (), 0.0)
    headers = {b"user-agent": b"bot"}
    return Request("GET", "/api/v1/audit", b"", headers, "10.0.0.1", nothing, "r" * 8, new_id(), identity)


def told(audit: Audit, *noted: tuple[Exception, str]) -> list[tuple[Any, dict[str, Any]]]:
    async def run() -> None:
        denials = Denials(audit, per_minute=40)  # type: ignore[arg-type]
        for error, user_id in noted:
            denials.note(error, AUDIT, request(user_id))  # type: ignore[arg-type]
        denials.start()
        await denials.close()

    asyncio.run(run())
    return audit.heard


def test_who_and_from_where_is_in_the_context() -> None:
    user = new_id()
    [(context, _)] = told(Audit(), (SessionEnded(), user))
    assert (context.user_id, context.kind, context.session_id, context.ip) == (user, "user", ACCOUNT, "10.0.0.1")
    assert (context.user_agent, context.request_id, context.deadline) == ("bot", "r" * 8, None)


def test_the_oldest_goes_when_too_many_wait() -> None:
    people = [new_id() for _ in range(CAPACITY + 3)]
    heard = told(Audit(), *((Forbidden(), person) for person in people))
    assert [context.user_id for context, _ in heard] == people[3:]


def test_it_tries_again_while_audit_is_away_but_not_what_audit_refuses() -> None:
    first, second = new_id(), new_id()
    refused = told(Audit(ValidationFailed()), (Forbidden(), first), (Forbidden(), second))
    assert [context.user_id for context, _ in refused] == [second]
    away = told(Audit(ServiceUnavailable()), (Forbidden(), first), (Forbidden(), second))
    assert [context.user_id for context, _ in away] == [first, second]


def test_other_errors_are_none_of_audits_business() -> None:
    assert told(Audit(), (NotFound(), new_id()), (ValidationFailed(), new_id())) == []
