"""The fixtures. A test that asks for none of them needs no server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.chassis.database import Database
from shared.chassis.rpc.sync import SyncRpc
from shared.chassis.testing.broker import Broker
from shared.chassis.testing.databases import PREFIX, Databases
from shared.chassis.testing.processes import FakeService, ServiceProcess
from shared.contracts.envelope import Envelope
from shared.devstack.keys import make_key_pair, make_seal_key


@pytest.fixture(scope="session")
def databases(worker_id: str) -> Iterator[Databases]:
    """All databases of this worker."""
    made = Databases(worker_id)
    yield made
    made.close()


@pytest.fixture
def database(databases: Databases) -> Callable[[str], Database]:
    """A service's database by its runtime role, empty at the start of the test."""
    databases.empty()
    return databases.get


@pytest.fixture
def sql(database: Callable[[str], Database], databases: Databases) -> Callable[[str], Any]:
    """A superuser's connection to a service's database, for looking and for tampering."""
    return databases.admin


@pytest.fixture(scope="session")
def _broker(worker_id: str) -> Iterator[Broker]:
    made = Broker(f"{PREFIX}-{worker_id}")
    made.create()
    yield made
    made.delete()


@pytest.fixture
def broker(_broker: Broker) -> Broker:
    """The worker's virtual host, its queues empty at the start of the test."""
    _broker.empty()
    return _broker


@pytest.fixture
def publish(broker: Broker) -> Callable[..., Envelope]:
    """Publishes an event as its owner's relay would: `publish(TradeSettled.example(), subject=trade_id)`."""
    return broker.publish


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A key pair for access tokens and the key that seals the audit trail, as settings."""
    folder = tmp_path_factory.mktemp("keys")
    make_key_pair(folder / "private.pem", folder / "public")
    make_seal_key(folder / "audit_seal.pem")
    return {
        "JWT_PRIVATE_KEY_FILE": str(folder / "private.pem"),
        "JWT_PUBLIC_KEYS_DIR": str(folder / "public"),
        "AUDIT_SEAL_KEY_FILE": str(folder / "audit_seal.pem"),
    }


@pytest.fixture
def run_service(
    databases: Databases, database: Any, broker: Broker, keys: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., ServiceProcess]]:
    """Starts a service on the worker's database and virtual host; settings as keywords. Ends with the test."""
    started: list[ServiceProcess] = []

    def run(name: str, *, wait: bool = True, **env: str) -> ServiceProcess:
        settings = {
            f"{name.upper()}_DB_URL": databases.url(name, name),
            f"{name.upper()}_AMQP_URL": broker.url(name),
            "BROKER_API_URL": broker.api_url(),
            "SECRET_KEY": "a secret of the tests",
            **keys,
            **env,
        }
        process = ServiceProcess(name, tmp_path, settings)
        started.append(process)
        return process.start(wait=wait)

    yield run
    for process in started:
        process.kill()


@pytest.fixture
def fake_service(broker: Broker) -> Iterator[Callable[..., FakeService]]:
    """Stands in for a neighbour: `fake_service("billing", hold=lambda **arguments: …)`."""
    started: list[FakeService] = []

    def start(name: str, **methods: Callable[..., Any]) -> FakeService:
        started.append(FakeService(broker.url(), name, methods).start())
        return started[-1]

    yield start
    for fake in started:
        fake.stop()


@pytest.fixture
def rpc(broker: Broker) -> Iterator[SyncRpc]:
    """Calls services as the gateway does."""
    made = SyncRpc(broker.url("gateway"))
    yield made
    made.close()
