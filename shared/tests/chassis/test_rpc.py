from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from shared.chassis.context import Context, Idempotency
from shared.contracts.errors import (
    Conflict,
    DeadlineExceeded,
    InternalError,
    ServiceError,
    ServiceUnavailable,
    UnknownError,
    ValidationFailed,
)

CONTEXT = Context(
    user_id="0192f0c0-0000-7000-8000-000000000001",
    roles=("client", "affiliate"),
    kind="user",
    session_id="s1",
    correlation_id="c1",
    causation_id="e1",
    ip="192.0.2.1",
    user_agent="curl",
    request_id="r1",
    idempotency=Idempotency("k", "POST /x", "abc"),
)


def test_the_whole_context_reaches_the_last_hop(alpha, beta, caller) -> None:
    seen = caller.call("alpha", "ask", method="who", arguments={}, ctx=CONTEXT)
    left = seen.pop("time_left")
    assert seen == {
        "user_id": CONTEXT.user_id,
        "roles": ["client", "affiliate"],
        "kind": "user",
        "session_id": "s1",
        "correlation_id": "c1",
        "causation_id": "e1",
        "ip": "192.0.2.1",
        "user_agent": "curl",
        "request_id": "r1",
        "idempotency": ["k", "POST /x", "abc"],
    }
    assert 1 < left <= 2


def test_refused_arguments_name_their_fields(alpha, caller) -> None:
    with pytest.raises(ValidationFailed) as refused:
        caller.call("alpha", "echo", times="many")
    assert {e["field"] for e in refused.value.errors} == {"note", "times"}


def test_an_error_arrives_as_the_class_that_was_raised(alpha, beta, caller) -> None:
    with pytest.raises(Conflict) as near:
        caller.call("alpha", "fail", how="conflict")
    with pytest.raises(Conflict) as far:
        caller.call("alpha", "ask", method="fail", arguments={"how": "conflict"})
    for error in (near.value, far.value):
        assert (error.detail, error.extra) == ("taken", {"by": "somebody"})


def test_an_error_of_a_newer_peer_keeps_its_code_and_status(alpha, caller) -> None:
    with pytest.raises(UnknownError) as error:
        caller.call("alpha", "fail", how="own")
    assert (error.value.code, error.value.status) == ("test_out_of_stock", 409)
    assert error.value.errors == [{"field": "size", "code": "sold_out", "message": "No more of it"}]


def test_the_text_of_a_foreign_exception_stays_in_the_log(alpha, caller) -> None:
    with pytest.raises(InternalError) as error:
        caller.call("alpha", "fail", how="foreign")
    assert "hunter2" not in str(vars(error.value))
    assert "hunter2" in alpha.log()


def test_a_result_that_is_not_json_is_an_internal_error(alpha, caller) -> None:
    with pytest.raises(InternalError):
        caller.call("alpha", "fail", how="nan")
    assert caller.call("alpha", "echo", note="still there") == {"note": "still there"}


def test_an_unknown_method_is_refused_at_once(alpha, caller) -> None:
    with pytest.raises(ServiceError) as error:
        caller.call("alpha", "no_such_method")
    assert error.value.code == "method_not_found"


@pytest.mark.parametrize("hops", [1, 2])
def test_an_unknown_service_is_known_in_milliseconds(alpha, beta, caller, hops, broker) -> None:
    call: Callable[[], object] = lambda: caller.call("ghost", "echo", note="")  # noqa: E731
    if hops == 2:
        broker.api("DELETE", "/bindings/{v}/e/nameko-rpc/q/rpc-beta/beta.*")
        call = lambda: caller.call("alpha", "ask", method="who", arguments={})  # noqa: E731
    try:
        begun = time.monotonic()
        with pytest.raises(ServiceUnavailable):
            call()
        assert time.monotonic() - begun < 0.2
    finally:
        broker.api("POST", "/bindings/{v}/e/nameko-rpc/q/rpc-beta", {"routing_key": "beta.*"})


def test_a_rolled_back_command_runs_again_and_succeeds(alpha, caller) -> None:
    assert caller.call("alpha", "fail", how="once") == {"done": True}
    assert alpha.journal == ["fail once"] * 2


@pytest.mark.parametrize(("how", "error"), [("rolled_back", ServiceUnavailable), ("commit_unknown", DeadlineExceeded)])
def test_a_command_that_is_always_rolled_back_is_given_up_after_three_attempts(alpha, caller, how, error) -> None:
    with pytest.raises(error):
        caller.call("alpha", "fail", how=how)
    assert alpha.journal == [f"fail {how}"] * 3
