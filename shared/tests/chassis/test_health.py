from __future__ import annotations

import time


def test_a_channel_that_keeps_being_closed_shows_in_health_and_heals(alpha, caller, eventually) -> None:
    call = caller.begin("alpha", "keep_breaking_the_channel")
    begun = time.monotonic()
    eventually(lambda: not alpha.health()["checks"]["consumers"], timeout=3)
    assert "Marks" in alpha.health()["detail"]["consumers"] or "alpha.events" in alpha.health()["detail"]["consumers"]
    assert time.monotonic() - begun < 3
    call.result(10)
    eventually(lambda: alpha.health()["healthy"])


def test_a_deleted_queue_shows_in_health_within_three_seconds_and_heals(alpha, broker, caller, eventually) -> None:
    broker.delete_queue("alpha.events")
    try:
        eventually(lambda: not alpha.health()["checks"]["consumers"], timeout=3)
        answer = caller.call("alpha", "health")
        assert not answer["healthy"]
        assert answer["checks"] == {"broker": True, "consumers": False}
    finally:
        broker.apply_topology()
    eventually(lambda: alpha.health()["healthy"])
    broker.publish("", "alpha.events", '{"n": 1}')
    eventually(lambda: alpha.journal == ["mark 1"])


def test_health_is_written_every_second_by_the_living_process(alpha, eventually) -> None:
    first = alpha.health()
    assert first["pid"] == alpha.process.pid
    eventually(lambda: alpha.health()["at"] > first["at"], timeout=3)
    alpha.kill()
    eventually(lambda: alpha.health() == {}, timeout=7)


def test_a_process_whose_consumers_do_not_come_back_ends_for_the_supervisor_to_start_it_again(start, broker) -> None:
    alpha = start("alpha", CONSUMERS_TIMEOUT="2")
    broker.delete_queue("alpha.events")
    try:
        assert alpha.process.wait(15) == 1
        assert "consumers not back after 2 s" in alpha.log()
    finally:
        broker.apply_topology()
