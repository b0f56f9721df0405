"""What the broker lets nobody do. That least rights are enough is shown by all other tests, which run with them."""

from __future__ import annotations

import pytest

from shared.contracts.errors import ServiceError


def test_a_forbidden_call_fails_and_the_caller_lives_on(alpha, beta, broker, make_caller, eventually) -> None:
    caller = make_caller(broker.url_of("alpha"), name="alpha")
    with pytest.raises(ServiceError) as error:
        caller.call("alpha", "wait", mark="forbidden", milliseconds=1)
    assert error.value.status == 503
    eventually(lambda: caller.rpc.connected)
    assert caller.call("beta", "echo", note="still here") == {"note": "still here"}
    assert alpha.journal == []


def test_a_service_whose_call_is_forbidden_lives_on(alpha, beta, caller, eventually) -> None:
    """The broker closes the channel; the calls of others that wait on it fail with it, and then all is well again."""
    with pytest.raises(ServiceError) as error:
        caller.call("beta", "ask", method="wait", arguments={"mark": "forbidden", "milliseconds": 1})
    assert error.value.status == 503
    assert alpha.journal == []
    eventually(lambda: beta.health()["healthy"])
    assert caller.call("beta", "echo", note="x")
