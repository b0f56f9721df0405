"""One real stack for all flows: started by the project's own launcher, driven over HTTP only."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.http import Http
from tests.flows.driver import Stack, Trader

ROOT = Path(__file__).resolve().parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All flows share one stack, so one worker runs them."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("stack"))
            item.add_marker(pytest.mark.stack)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running stack with its own state and port; gone afterwards."""
    state = tmp_path_factory.mktemp("stack") / "state"
    running = Stack(state=state, port=free_port(), manage=[sys.executable, str(ROOT / "manage.py")])
    running.verb("up", "--detach", "--port", str(running.port), timeout=180)
    try:
        yield running
    finally:
        subprocess.run([*running.manage, "down", "--state", str(state)], timeout=90, check=False)


@pytest.fixture
def http(stack: Stack) -> Iterator[Http]:
    client = Http(stack.port)
    yield client
    client.close()


@pytest.fixture
def trader(http: Http) -> Trader:
    """A registered person, logged in, with a demo account of 10,000.00 USD."""
    return Trader.register(http)


@pytest.fixture
def staff(stack: Stack, http: Http) -> dict[str, str]:
    """Headers of the stack's staff user."""
    known = json.loads(stack.verb("status", "--json"))["staff"]
    answer = http.post("/auth/token", {"username": known["username"], "password": known["password"]})
    assert answer.status == 200, answer
    return {"Authorization": f"Bearer {answer.body['access']}"}
