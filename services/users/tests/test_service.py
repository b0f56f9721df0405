"""The service as a process: it answers while it hashes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.contracts.errors import ValidationFailed
from shared.contracts.users.errors import InvalidCredentials


def test_it_answers_at_once_while_it_hashes(run_service: Any, rpc: Any) -> None:
    # Hashes of about a third of a second each: on the hub, nobody would be answered meanwhile.
    run_service("users", ARGON2_MEMORY_KIB="65536", ARGON2_TIME_COST="8")
    rpc.call("users", "register", username="ada", email="ada@example.org", password="a long password")

    def fail() -> None:
        with pytest.raises(InvalidCredentials):
            rpc.call("users", "log_in", timeout=20, username="ada", password="wrong password")

    with ThreadPoolExecutor(6) as pool:
        attempts = [pool.submit(fail) for _ in range(4)]
        waits = []
        while not all(attempt.done() for attempt in attempts):
            begun = time.monotonic()
            rpc.call("users", "health")
            waits.append(time.monotonic() - begun)
        for attempt in attempts:
            attempt.result()
    assert len(waits) > 5
    assert sorted(waits)[len(waits) // 2] < 0.1


def test_a_refused_field_reaches_the_caller_by_name(run_service: Any, rpc: Any) -> None:
    run_service("users")
    with pytest.raises(ValidationFailed) as raised:
        rpc.call("users", "register", username="a b", email="not one", password="short")
    assert {error["field"] for error in raised.value.errors} == {"username", "email", "password"}
    with pytest.raises(ValidationFailed):
        rpc.call("users", "register", username="ada")
