"""Keys of a stack: made once, readable by their owner alone, and told only to the service that needs them."""

from __future__ import annotations

import pytest

from shared.devstack.environment import Environment, Servers
from shared.devstack.registry import SERVICES
from shared.devstack.state import State

SERVERS = Servers(
    "postgresql://a:b@localhost/postgres", "amqp://a:b@localhost/nexus", "http://a:b@localhost", None, None
)


@pytest.fixture
def state(tmp_path):
    return State(tmp_path / "stack")


def test_keys_are_made_once_and_only_their_owner_reads_them(state):
    state.prepare()
    keys = state.private_key, state.audit_seal
    before = [key.read_bytes() for key in keys]
    assert before[0] != before[1]
    assert [key.stat().st_mode & 0o777 for key in keys] == [0o600, 0o600]
    state.prepare()
    assert [key.read_bytes() for key in keys] == before


def test_a_stack_from_before_there_was_an_audit_trail_gets_its_key_and_keeps_the_others(state):
    state.prepare()
    before = state.private_key.read_bytes()
    state.audit_seal.unlink()
    state.prepare()
    assert state.audit_seal.exists()
    assert state.private_key.read_bytes() == before


@pytest.mark.parametrize(("setting", "owner"), [("AUDIT_SEAL_KEY_FILE", "audit"), ("JWT_PRIVATE_KEY_FILE", "users")])
def test_a_private_key_is_told_to_one_service_alone(state, setting, owner, monkeypatch):
    monkeypatch.delenv(setting, raising=False)
    environment = Environment(state, state.prepare(), SERVERS)
    told = {service for service in SERVICES if setting in environment.service(service)}
    assert told == {owner}
    assert setting not in environment.relay() | environment.gateway("gateway-1")
