"""The application behind WSGI answers as the worker does."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.chassis.testing import eventually
from shared.chassis.testing.broker import Broker
from shared.devstack.environment import PYTHON_PATH, ROOT
from shared.devstack.state import free_ports

SERVER = """
import sys
from wsgiref.simple_server import make_server
from config.wsgi import application
make_server("127.0.0.1", int(sys.argv[1]), application).serve_forever()
"""


@pytest.fixture
def port(broker: Broker, keys: dict[str, str], tmp_path: Path) -> Iterator[int]:
    found = free_ports(1)[0]
    env = {
        **os.environ,
        "PYTHONPATH": PYTHON_PATH,
        "HEALTH_DIR": str(tmp_path),
        "GATEWAY_AMQP_URL": broker.url("gateway"),
        "JWT_PUBLIC_KEYS_DIR": keys["JWT_PUBLIC_KEYS_DIR"],
        "SECRET_KEY": "a secret of the tests",
    }
    running = subprocess.Popen([sys.executable, "-c", SERVER, str(found)], env=env, cwd=ROOT, stderr=subprocess.DEVNULL)
    yield found
    running.terminate()
    running.wait(20)


def post(port: int, path: str, body: Any) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except OSError:
        return 0, None
    finally:
        connection.close()


def test_a_call_reaches_its_service_and_comes_back(port: int, fake_service: Callable[..., Any]) -> None:
    tokens = {"access": "a", "refresh": "r", "token_type": "Bearer", "expires_in": 3600}
    users = fake_service(
        "users", log_in=lambda **_: tokens, list_revocations=lambda: {"sessions": [], "frozen_user_ids": []}
    )
    login = {"username": "ada", "password": "an engine of analysis"}
    eventually(lambda: post(port, "/api/v1/auth/token", login) == (200, tokens), timeout=20)
    assert ("log_in", login) in users.calls
