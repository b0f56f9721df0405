from __future__ import annotations

import time
from concurrent.futures import wait

import pytest

from shared.contracts.errors import ServiceError


def test_consumers_are_back_soon_after_the_broker_closed_their_connections(alpha, broker, caller, eventually) -> None:
    assert caller.call("alpha", "echo", note="before")
    eventually(lambda: len(broker.connections("alpha")) >= 3)
    begun = time.monotonic()
    assert broker.close_connections("alpha") >= 3
    eventually(lambda: _answers(caller, "alpha", "echo", note="after"))
    assert time.monotonic() - begun < 5
    eventually(lambda: alpha.health().get("healthy"))
    assert alpha.process.poll() is None


def test_no_message_is_lost_when_the_connection_is_closed_under_the_handlers(alpha, broker, eventually) -> None:
    eventually(lambda: len(broker.connections("alpha")) >= 3)
    with broker.publishing() as publish:
        for n in range(500):
            publish("", "alpha.events", f'{{"n": {n}}}', delivery_mode=2)
    eventually(lambda: alpha.journal)
    assert broker.close_connections("alpha") >= 3
    assert len(alpha.journal) < 500
    eventually(lambda: {f"mark {n}" for n in range(500)} <= set(alpha.journal), timeout=30)
    assert broker.depth("alpha.parking") == 0


def test_calls_between_services_work_again_after_the_connection_was_closed(
    alpha, beta, broker, caller, eventually
) -> None:
    ask = {"method": "echo", "arguments": {"note": "x"}}
    assert caller.call("alpha", "ask", **ask)
    eventually(lambda: broker.close_connections("alpha"))
    eventually(lambda: _answers(caller, "alpha", "ask", **ask))


def test_calls_that_wait_for_an_answer_fail_at_once_when_the_connection_is_lost(
    alpha, beta, broker, caller, eventually
) -> None:
    eventually(lambda: broker.connections("alpha"))
    call = caller.begin(
        "alpha", "ask", method="wait", arguments={"mark": "x", "milliseconds": 8000}, timeout_ms=8000, timeout=9
    )
    eventually(lambda: beta.journal)
    begun = time.monotonic()
    broker.close_connections("alpha")
    eventually(lambda: "the broker went away before the answer" in alpha.log())
    assert time.monotonic() - begun < 2
    call.cancel()


def test_a_consumer_whose_channel_was_closed_locally_comes_back(alpha, broker, caller, eventually) -> None:
    caller.call("alpha", "close_the_channel")
    eventually(lambda: "the channel was closed" in alpha.log())
    broker.publish("", "alpha.events", '{"n": 1}')
    eventually(lambda: alpha.journal == ["mark 1"], timeout=5)


def test_the_asyncio_client_reconnects_and_fails_what_waited(alpha, broker, caller, eventually) -> None:
    calls = [caller.begin("alpha", "wait", mark=f"{n}", milliseconds=8000, timeout=9) for n in range(5)]
    eventually(lambda: len(alpha.journal) == 5)
    begun = time.monotonic()
    eventually(lambda: broker.close_connections("gateway"))
    wait(calls)
    assert time.monotonic() - begun < 7
    for call in calls:
        with pytest.raises(ServiceError) as error:
            call.result()
        assert error.value.status == 503
    eventually(lambda: caller.rpc.connected)
    assert caller.call("alpha", "echo", note="again") == {"note": "again"}


def _answers(caller, service: str, method: str, /, **arguments: object) -> bool:
    try:
        caller.call(service, method, timeout=1, **arguments)
    except ServiceError:
        return False
    return True
