from __future__ import annotations

import time
from concurrent.futures import wait
from uuid import uuid4

import pytest

from shared.chassis.context import Context
from shared.contracts.errors import DeadlineExceeded


def test_a_caller_is_free_again_at_its_deadline(alpha, caller) -> None:
    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        caller.call("alpha", "wait", mark="a", milliseconds=1500, timeout=0.3)
    assert 0.25 < time.monotonic() - begun < 0.6


def test_a_service_waits_for_another_no_longer_than_its_own_timeout(alpha, beta, caller) -> None:
    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        caller.call("alpha", "ask", method="wait", arguments={"mark": "b", "milliseconds": 1500}, timeout_ms=300)
    assert 0.25 < time.monotonic() - begun < 0.6


def test_the_deadline_of_the_first_caller_binds_every_hop(alpha, beta, caller) -> None:
    ctx = Context(deadline=time.time() + 0.7)
    assert 0 < caller.call("alpha", "ask", method="who", arguments={}, timeout_ms=9000, ctx=ctx)["time_left"] < 0.7
    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        caller.call(
            "alpha", "ask", method="wait", arguments={"mark": "b", "milliseconds": 2000}, timeout_ms=9000, ctx=ctx
        )
    assert time.monotonic() - begun < 1


def test_a_call_after_the_deadline_is_not_even_sent(alpha, caller) -> None:
    with pytest.raises(DeadlineExceeded):
        caller.call("alpha", "wait", mark="late", milliseconds=1, ctx=Context(deadline=time.time() - 1))
    caller.call("alpha", "wait", mark="next", milliseconds=1)
    assert alpha.journal == ["begin next", "end next"]


def test_an_expired_call_is_taken_away_and_not_executed(alpha, broker, caller) -> None:
    headers = {"nameko.deadline": int(time.time() * 1000) - 50}
    body = '{"args": [], "kwargs": {"mark": "expired", "milliseconds": 1}}'
    broker.publish("nameko-rpc", "alpha.wait", body, headers=headers, reply_to=str(uuid4()))
    caller.call("alpha", "wait", mark="good", milliseconds=1)
    assert alpha.journal == ["begin good", "end good"]
    assert alpha.terminate() == 0
    assert broker.depth("rpc-alpha") == 0


def test_calls_to_a_service_that_is_down_are_not_executed_when_it_comes_back(start, broker, caller) -> None:
    with pytest.raises(DeadlineExceeded):
        caller.call("alpha", "wait", mark="orphan", milliseconds=1, timeout=0.3)
    alpha = start("alpha")
    caller.call("alpha", "wait", mark="good", milliseconds=1)
    assert alpha.journal == ["begin good", "end good"]


def test_a_call_that_expires_while_all_workers_are_busy_is_not_executed(alpha, caller, eventually) -> None:
    busy = [caller.begin("alpha", "wait", mark=f"busy{n}", milliseconds=1500) for n in range(30)]
    eventually(lambda: len(alpha.journal) == 30)
    with pytest.raises(DeadlineExceeded):
        caller.call("alpha", "wait", mark="expired", milliseconds=1, timeout=0.4)
    wait(busy)
    caller.call("alpha", "wait", mark="good", milliseconds=1)
    assert "begin good" in alpha.journal
    assert "begin expired" not in alpha.journal


def test_a_full_pool_of_workers_stops_neither_answers_nor_health(alpha, beta, caller, eventually) -> None:
    busy = [
        caller.begin("alpha", "ask", method="wait", arguments={"mark": f"{n}", "milliseconds": 1000}) for n in range(45)
    ]
    eventually(lambda: len(beta.journal) >= 30)
    begun = time.monotonic()
    assert caller.call("alpha", "health")["healthy"]
    assert time.monotonic() - begun < 0.5
    assert sorted(int(call.result(10)["mark"]) for call in busy) == list(range(45))
    assert alpha.health()["healthy"]
