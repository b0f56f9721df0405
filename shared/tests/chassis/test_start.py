"""Waiting for servers, and refusing to start without what is needed."""

from __future__ import annotations

import os

import pytest


def test_a_service_that_cannot_reach_its_broker_gives_up_with_a_message(start) -> None:
    alpha = start("alpha", url="amqp://nobody:nothing@127.0.0.1:1//", wait=False, BOOT_TIMEOUT="1")
    assert alpha.process.wait(20) == 4
    assert "broker not reached" in alpha.log()


def test_a_service_that_cannot_reach_its_database_gives_up_with_a_message(start) -> None:
    url = "postgresql://nobody:nothing@127.0.0.1:1/nothing"
    alpha = start("alpha", wait=False, BOOT_TIMEOUT="1", ALPHA_DB_URL=url)
    assert alpha.process.wait(20) == 4
    assert "database not reached" in alpha.log()


def test_a_service_without_its_settings_says_which(start) -> None:
    alpha = start("alpha", wait=False, ALPHA_AMQP_URL="")
    assert alpha.process.wait(20) == 5
    assert "ALPHA_AMQP_URL is not set" in alpha.log()


def test_a_service_waits_for_a_broker_that_is_still_booting(start, broker, caller, eventually) -> None:
    """Its user does not exist yet; then it does, as when the topology is applied after the boot."""
    alpha = start("alpha", url=broker.url_of("late"), wait=False)
    eventually(lambda: "broker" in alpha.health().get("detail", {}))
    assert alpha.health()["healthy"] is False
    broker.api("PUT", "/users/late", {"password": "late", "tags": ""})
    try:
        broker.api("PUT", "/permissions/{v}/late", {"configure": ".*", "write": ".*", "read": ".*"})
        eventually(lambda: alpha.health().get("healthy"), timeout=15)
        assert caller.call("alpha", "echo", note="up") == {"note": "up"}
    finally:
        broker.api("DELETE", "/users/late")


def test_a_service_starts_when_the_topology_is_whole(start) -> None:
    start("alpha", BROKER_API_URL=os.environ["NEXUS_TEST_API"])


@pytest.mark.parametrize("lacking", ["binding", "queue"])
def test_a_service_refuses_to_start_when_a_binding_or_queue_is_missing(start, broker, lacking) -> None:
    if lacking == "queue":
        broker.delete_queue("alpha.parking")
    else:
        broker.api("DELETE", "/bindings/{v}/e/nameko-rpc/q/rpc-alpha/alpha.%2A")
    try:
        alpha = start("alpha", wait=False, BROKER_API_URL=os.environ["NEXUS_TEST_API"], BOOT_TIMEOUT="3")
        assert alpha.process.wait(20) == 5
        name = "alpha.parking" if lacking == "queue" else "alpha.* from nameko-rpc"
        assert f"the broker lacks {lacking}" in alpha.log()
        assert name in alpha.log()
    finally:
        broker.apply_topology()
