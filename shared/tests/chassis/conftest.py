"""A vhost of its own, sample services as real processes, and a caller."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import amqp
import kombu
import pytest

from shared.chassis.broker_api import BrokerApi
from shared.chassis.context import Context
from shared.chassis.rpc.aio import AsyncRpc
from shared.chassis.rpc.sync import SyncRpc
from shared.chassis.testing.processes import ServiceProcess
from shared.chassis.testing.waiting import eventually
from shared.chassis.topology import Plan, definitions, rights

AMQP = os.environ.get("NEXUS_TEST_AMQP", "")
API = os.environ.get("NEXUS_TEST_API", "")
PREFIX = os.environ.get("NEXUS_TEST_PREFIX", "test")


PLAN = Plan(
    services=("alpha", "beta"),
    # `ghost` may be called and is not there.
    calls={"gateway": ("alpha", "beta", "ghost"), "alpha": ("beta",)},
    gateway_events={"alpha": ("opened", "closed")},
)
USERS = ("alpha", "beta", "gateway")


class Broker:
    """One vhost with the topology of the sample services; everybody works with the least rights."""

    def __init__(self, vhost: str) -> None:
        self.vhost = vhost
        self.url = self.url_of(str(urlsplit(AMQP).username), str(urlsplit(AMQP).password))
        self._api = BrokerApi(API)

    def url_of(self, user: str, password: str | None = None) -> str:
        parts = urlsplit(AMQP)
        return f"amqp://{user}:{password or user}@{parts.hostname}:{parts.port}/{quote(self.vhost, safe='')}"

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._api.call(method, path.replace("{v}", quote(self.vhost, safe="")), body)

    def create(self) -> None:
        self._api.create_vhost(self.vhost, str(urlsplit(AMQP).username))
        self.apply_topology()
        self._api.import_rights(rights(PLAN, self.vhost, {user: user for user in USERS}))

    def apply_topology(self) -> None:
        self._api.import_definitions(self.vhost, definitions(PLAN))

    def delete_queue(self, name: str) -> None:
        self.api("DELETE", f"/queues/{{v}}/{name}")

    def purge(self) -> None:
        for service in PLAN.services:
            for name in (f"rpc-{service}", f"{service}.events", f"{service}.parking"):
                self.api("DELETE", f"/queues/{{v}}/{name}/contents")

    def delete(self) -> None:
        self._api.delete_vhost(self.vhost)

    def connections(self, user_provided_name: str) -> list[str]:
        return [
            c["name"]
            for c in self.api("GET", "/vhosts/{v}/connections")
            if c.get("user_provided_name") == user_provided_name
        ]

    def close_connections(self, user_provided_name: str) -> int:
        names = self.connections(user_provided_name)
        for name in names:
            self.api("DELETE", f"/connections/{quote(name)}")
        return len(names)

    def depth(self, queue: str) -> int:
        """Messages ready; those with a consumer that has not acknowledged them do not count."""
        with kombu.Connection(self.url) as connection:
            return int(connection.default_channel.queue_declare(queue, passive=True).message_count)

    @contextmanager
    def publishing(self) -> Iterator[Callable[..., None]]:
        with kombu.Connection(self.url) as connection:
            channel = connection.default_channel

            def publish(exchange: str, key: str, body: bytes | str, **properties: Any) -> None:
                properties = {"content_type": "application/json", "content_encoding": "utf-8", **properties}
                headers = properties.pop("headers", {})
                message = amqp.Message(body, application_headers=headers, **properties)
                channel.basic_publish_confirm(message, exchange, key)

            yield publish

    def publish(self, exchange: str, key: str, body: bytes | str, **properties: Any) -> None:
        with self.publishing() as publish:
            publish(exchange, key, body, **properties)

    def get(self, queue: str) -> Any:
        with kombu.Connection(self.url) as connection:
            return connection.default_channel.basic_get(queue, no_ack=True)


class SampleProcess(ServiceProcess):
    """A sample service under the real runner."""

    def __init__(self, name: str, peer: str, url: str, folder: Path, env: Mapping[str, str]) -> None:
        self.journal_file = folder / f"{name}.journal"
        self.journal_file.touch()
        self.target = f"sample_service:{env.get('SAMPLE_CLASS', 'Sample')}"
        names = {"SAMPLE_NAME": name, "SAMPLE_PEER": peer, "JOURNAL": str(self.journal_file)}
        super().__init__(name, folder, {f"{name.upper()}_AMQP_URL": url, **names, **env})
        self._env["PYTHONPATH"] += os.pathsep + str(Path(__file__).parent)

    def start(self, *, wait: bool = True) -> SampleProcess:
        code = f"from shared.chassis.runner import run; run('{self.target}')"
        with self._log.open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-c", code], env=self._env, stdout=log, stderr=log)
        if wait:
            eventually(lambda: self.health().get("healthy") or self.process.poll() is not None, timeout=30)
            assert self.process.poll() is None, self.log()
        return self

    @property
    def journal(self) -> list[str]:
        return self.journal_file.read_text().splitlines()


class Caller(SyncRpc):
    """The asyncio client on a thread of its own; `begin` does not wait for the answer."""

    @property
    def rpc(self) -> AsyncRpc:
        return self._rpc

    def begin(self, service: str, method: str, /, *, timeout: float = 5, **arguments: Any) -> Future[Any]:
        work = self.rpc.call(service, method, arguments, ctx=Context(), timeout=timeout)
        return self.run_later(work)

    def run_later(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)


@pytest.fixture(scope="session", name="eventually")
def _eventually() -> Callable[..., Any]:
    return eventually


@pytest.fixture(scope="session")
def vhost(worker_id: str) -> Iterator[Broker]:
    broker = Broker(f"{PREFIX}-chassis-{worker_id}")
    broker.create()
    yield broker
    broker.delete()


@pytest.fixture
def broker(vhost: Broker) -> Broker:
    vhost.purge()
    return vhost


@pytest.fixture
def make_caller() -> Iterator[Callable[..., Caller]]:
    callers: list[Caller] = []

    def make(url: str, **options: str) -> Caller:
        callers.append(Caller(url, **options))
        return callers[-1]

    yield make
    for caller in callers:
        caller.close()


@pytest.fixture
def caller(broker: Broker, make_caller: Callable[..., Caller]) -> Caller:
    return make_caller(broker.url_of("gateway"))


Start = Callable[..., SampleProcess]


@pytest.fixture
def start(broker: Broker, tmp_path: Path) -> Iterator[Start]:
    processes: list[SampleProcess] = []

    def start(name: str = "alpha", *, url: str = "", wait: bool = True, **env: str) -> SampleProcess:
        peer = "beta" if name == "alpha" else "alpha"
        sample = SampleProcess(name, peer, url or broker.url_of(name), tmp_path, env)
        processes.append(sample)
        return sample.start(wait=wait)

    yield start
    for process in processes:
        process.kill()


@pytest.fixture
def alpha(start: Start) -> SampleProcess:
    return start("alpha")


@pytest.fixture
def beta(start: Start) -> SampleProcess:
    return start("beta")
