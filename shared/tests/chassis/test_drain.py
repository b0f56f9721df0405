from __future__ import annotations

import signal
import time

import pytest

from shared.contracts.errors import ServiceError


def test_a_call_under_way_is_answered_before_the_process_leaves_and_not_executed_again(
    start, broker, caller, eventually
) -> None:
    alpha = start("alpha")
    call = caller.begin("alpha", "wait", mark="one", milliseconds=1500)
    eventually(lambda: alpha.journal == ["begin one"])
    assert alpha.terminate() == 0
    assert call.result(1) == {"mark": "one"}
    assert broker.depth("rpc-alpha") == 0
    alpha.start()
    caller.call("alpha", "echo", note="back")
    assert alpha.journal == ["begin one", "end one"]


def test_calls_that_still_wait_for_a_worker_are_left_to_the_next_process(start, broker, caller, eventually) -> None:
    alpha = start("alpha")
    calls = [caller.begin("alpha", "wait", mark=f"{n}", milliseconds=700, timeout=20) for n in range(40)]
    eventually(lambda: len(alpha.journal) >= 30)
    assert alpha.terminate() == 0
    alpha.start()
    assert sorted(int(call.result(20)["mark"]) for call in calls) == list(range(40))
    assert len([line for line in alpha.journal if line.startswith("begin")]) == 40


def test_an_idle_service_stops_in_less_than_two_seconds(alpha) -> None:
    begun = time.monotonic()
    assert alpha.terminate() == 0
    assert time.monotonic() - begun < 2


def test_work_that_does_not_end_is_left_after_the_bound(start, caller, eventually) -> None:
    alpha = start("alpha", DRAIN_TIMEOUT="1")
    call = caller.begin("alpha", "wait", mark="long", milliseconds=20_000, timeout=8)
    eventually(lambda: alpha.journal)
    begun = time.monotonic()
    assert alpha.terminate() == 3
    assert time.monotonic() - begun < 3
    call.cancel()


def test_a_second_signal_ends_the_process_at_once(alpha, caller, eventually) -> None:
    call = caller.begin("alpha", "wait", mark="long", milliseconds=20_000, timeout=8)
    eventually(lambda: alpha.journal)
    alpha.process.send_signal(signal.SIGTERM)
    with pytest.raises(Exception, match="timed out"):
        alpha.process.wait(1)
    begun = time.monotonic()
    assert alpha.terminate() == 128 + signal.SIGTERM
    assert time.monotonic() - begun < 1
    call.cancel()


def test_a_caller_of_a_killed_service_gets_an_answer_by_its_deadline(alpha, caller, eventually) -> None:
    call = caller.begin("alpha", "wait", mark="cut", milliseconds=1000, timeout=1.5)
    eventually(lambda: alpha.journal)
    alpha.kill()
    with pytest.raises(ServiceError) as error:
        call.result(3)
    assert error.value.status == 503


def test_a_service_can_be_stopped_while_its_broker_is_away(start, broker, eventually) -> None:
    broker.api("PUT", "/users/away", {"password": "away", "tags": ""})
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    broker.api("PUT", "/permissions/{v}/away", everything)
    try:
        alpha = start("alpha", url=broker.url_of("away"))
    finally:
        # Deleting a user closes its connections.
        broker.api("DELETE", "/users/away")
    eventually(lambda: not alpha.health()["checks"]["broker"])
    begun = time.monotonic()
    assert alpha.terminate() == 0
    assert time.monotonic() - begun < 5
