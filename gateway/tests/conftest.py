"""A real worker in front of fake services, at the real broker."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from shared.chassis.testing import eventually
from shared.chassis.testing.broker import Broker
from shared.contracts import schema
from shared.contracts.errors import InternalError, ValidationFailed
from shared.devstack.environment import PYTHON_PATH, ROOT
from shared.devstack.state import free_ports
from shared.utils.ids import new_id

USER, STAFF = "01920000-0000-7000-8000-000000000001", "01920000-0000-7000-8000-000000000009"


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


class Worker:
    """One gateway process."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.port = free_ports(1)[0]
        self.log = folder / "gateway.log"
        base = {k: v for k, v in os.environ.items() if not k.startswith("NEXUS_TEST")}
        settings = {**base, "PYTHONPATH": PYTHON_PATH, "NEXUS_ENV": "test", "HEALTH_DIR": str(folder), **env}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "gateway", "--port", str(self.port)],
                env=settings,
                stdout=log,
                stderr=log,
            )
        report = folder / "gateway.json"
        eventually(lambda: report.exists() and json.loads(report.read_text())["healthy"], timeout=20)

    def send(self, method: str, path: str, raw: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body=raw, headers=headers or {})
            response = connection.getresponse()
            payload = response.read()
        finally:
            connection.close()
        found = {name.lower(): value for name, value in response.getheaders()}
        is_json = "json" in found.get("content-type", "")
        return Answer(response.status, json.loads(payload) if is_json and payload else payload, found)

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        return self.send("GET", f"/api/v1{path}", None, headers)

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Answer:
        return self.ask("POST", path, body, headers)

    def ask(self, method: str, path: str, body: Any, headers: dict[str, str] | None = None) -> Answer:
        given = {"Content-Type": "application/json", **(headers or {})}
        return self.send(method, f"/api/v1{path}", json.dumps(body).encode(), given)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(20)


@pytest.fixture(scope="session")
def start_worker(
    _broker: Broker, keys: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Worker]:
    """Starts a worker; settings as keywords. Whoever starts one stops it."""
    settings = {
        "GATEWAY_AMQP_URL": _broker.url("gateway"),
        "JWT_PUBLIC_KEYS_DIR": keys["JWT_PUBLIC_KEYS_DIR"],
        "SECRET_KEY": "a secret of the tests",
    }
    return lambda **env: Worker(tmp_path_factory.mktemp("worker"), {**settings, **env})


@pytest.fixture(scope="session")
def _common(start_worker: Callable[..., Worker]) -> Iterator[Worker]:
    """The worker that most tests share: what it remembers is by session and user, which tests make anew.

    It tells audit of nothing: what one test was denied would reach the audit of the next one.
    """
    made = start_worker(AUDIT_DENIALS_PER_MINUTE="0")
    yield made
    made.stop()


@pytest.fixture
def make_worker(start_worker: Callable[..., Worker]) -> Iterator[Callable[..., Worker]]:
    """A worker of the test's own."""
    started: list[Worker] = []

    def make(**env: str) -> Worker:
        started.append(start_worker(**env))
        return started[-1]

    yield make
    for worker in started:
        worker.stop()


@pytest.fixture
def users(fake_service: Callable[..., Any]) -> Any:
    """users with nobody revoked; tests add methods to it."""
    return fake_service(
        "users",
        list_revocations=lambda: {"sessions": [], "frozen_user_ids": []},
        get_user=lambda user_id: {"id": user_id, "username": "ada"},
    )


@pytest.fixture
def worker(users: Any, _common: Worker) -> Worker:
    return _common


def example(shape: Any) -> Any:
    """The least that an answer of this type can be."""
    members = get_args(shape)
    if type(None) in members:
        return None
    if is_typeddict(shape):
        return {name: example(hint) for name, hint in get_type_hints(shape).items()}
    plain: dict[Any, Any] = {str: "x", int: 1, bool: False}
    return plain[shape] if shape in plain else [] if get_origin(shape) is list else {}


@dataclass(frozen=True)
class Nothing:
    """The arguments of a call that takes none."""


def answering(service: str, method: str, request: type | None) -> Callable[..., Any]:
    """Takes what the contract says and no more, and answers with an example."""
    protocol = getattr(import_module(f"shared.contracts.{service}.rpc"), f"{service.capitalize()}Rpc")
    shape = get_type_hints(getattr(protocol, method))["return"]

    def answer(**arguments: Any) -> Any:
        try:
            schema.load_closed(request or Nothing, arguments)
        except ValidationFailed as error:
            # The client is answered 422 for what he sent; names that the contract lacks are the gateway's own.
            if any(refused["code"] == "unknown_field" for refused in error.errors):
                raise InternalError from None
            raise
        return example(shape)

    return answer


@pytest.fixture
def contracted(users: Any, fake_service: Callable[..., Any]) -> Callable[..., Any]:
    """A fake that goes by its contract: `contracted("audit", record=RecordRequest)`."""

    def start(service: str, **requests: type | None) -> Any:
        methods = {name: answering(service, name, request) for name, request in requests.items()}
        if service != "users":
            return fake_service(service, **methods)
        users.methods.update(methods)
        return users

    return start


Sign = Callable[..., str]


@pytest.fixture
def sign(keys: dict[str, str]) -> Sign:
    """Signs an access token; keywords change claims, `header` changes the header, None leaves one out."""
    private = load_pem_private_key(Path(keys["JWT_PRIVATE_KEY_FILE"]).read_bytes(), None)
    kid = next(Path(keys["JWT_PUBLIC_KEYS_DIR"]).glob("*.pem")).stem

    def make(
        *, key: Any = private, algorithm: str = "EdDSA", header: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        now = int(time.time())
        values = {
            "iss": "nexus",
            "aud": "nexus-api",
            "sub": USER,
            "sid": new_id(),
            "roles": [],
            "iat": now,
            "nbf": now,
            "exp": now + 600,
            "jti": new_id(),
            **claims,
        }
        present = {name: value for name, value in values.items() if value is not None}
        headers = {k: v for k, v in {"kid": kid, "typ": "at+jwt", **(header or {})}.items() if v is not None}
        return jwt.encode(present, key, algorithm=algorithm, headers=headers)

    return make


@pytest.fixture
def as_user(sign: Sign) -> dict[str, str]:
    return {"Authorization": f"Bearer {sign()}"}


@pytest.fixture
def as_staff(sign: Sign) -> dict[str, str]:
    return {"Authorization": f"Bearer {sign(sub=STAFF, roles=['staff'])}"}
