"""Services as real processes, and fakes of their neighbours at the real broker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import kombu
from kombu.mixins import ConsumerMixin

from shared.chassis import wire
from shared.chassis.rpc.envelope import MethodNotFound
from shared.chassis.testing.waiting import eventually
from shared.contracts.errors import ServiceError
from shared.devstack.child import die_with_parent
from shared.devstack.environment import PYTHON_PATH, ROOT


class ServiceProcess:
    """A service under its own runner."""

    def __init__(self, name: str, folder: Path, env: Mapping[str, str]) -> None:
        self.name, self._folder = name, folder
        self._log = folder / f"{name}.log"
        self._env = {**os.environ, "PYTHONPATH": PYTHON_PATH, "PYTHONWARNINGS": "ignore", "NEXUS_ENV": "test", **env}
        self._env["HEALTH_DIR"] = str(folder)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> ServiceProcess:
        """Starts it, and waits until it is healthy but for the relay, which tests may not have."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "run", self.name],
                env=self._env,
                stdout=log,
                stderr=log,
                preexec_fn=lambda: die_with_parent(signal.SIGKILL),  # noqa: PLW1509  # exec follows at once
            )
        if wait:
            eventually(self._ready, timeout=30)
        return self

    def health(self) -> dict[str, Any]:
        """What its health file says; empty when that is not its own or old."""
        try:
            report: dict[str, Any] = json.loads((self._folder / f"{self.name}.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        mine = self.process is not None and report["pid"] == self.process.pid and time.time() - report["at"] < 5
        return report if mine else {}

    def log(self) -> str:
        """All that it wrote."""
        return self._log.read_text(errors="replace")

    def terminate(self, timeout: float = 25) -> int:
        """SIGTERM; its exit code."""
        return self._end(signal.SIGTERM, timeout)

    def kill(self) -> int:
        """SIGKILL."""
        return self._end(signal.SIGKILL, 10)

    def _end(self, number: int, timeout: float) -> int:
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout)

    def _ready(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended:\n{self.log()[-4000:]}")
        checks = self.health().get("checks", {})
        return all(checks.get(check, False) for check in ("broker", "consumers"))


class FakeService(ConsumerMixin):
    """Answers another service's calls at the real broker: `calls` records (method, arguments).

    Each method is a callable that takes the call's arguments as keywords, and returns or raises a ServiceError. What it
    has no method for is answered as a service answers what it does not know.
    """

    def __init__(self, url: str, name: str, methods: Mapping[str, Callable[..., Any]]) -> None:
        self.connection = kombu.Connection(url)
        self.name, self.methods = name, dict(methods)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        # Looks this often (seconds) whether it should stop.
        self._thread = threading.Thread(target=self.run, kwargs={"safety_interval": 0.05}, daemon=True)
        self._ready = threading.Event()

    def start(self) -> FakeService:
        self._thread.start()
        if not self._ready.wait(10):
            raise AssertionError(f"the fake of {self.name} is not consuming")
        return self

    def stop(self) -> None:
        self.should_stop = True
        self._thread.join(5)
        self.connection.release()

    def get_consumers(self, consumer_cls: Any, channel: Any) -> list[Any]:
        queue = kombu.Queue(f"rpc-{self.name}", no_declare=True)
        return [consumer_cls(queues=[queue], on_message=self._answer)]

    def on_consume_ready(self, *args: Any, **kwargs: Any) -> None:
        self._ready.set()

    def _answer(self, message: Any) -> None:
        method = message.delivery_info["routing_key"].partition(".")[2]
        arguments = wire.loads(message.body)["kwargs"]
        self.calls.append((method, arguments))
        body: dict[str, Any] = {"result": None, "error": None}
        try:
            if method not in self.methods:
                raise MethodNotFound(f"{self.name}.{method}")
            body["result"] = self.methods[method](**arguments)
        except ServiceError as error:
            body["error"] = {
                "exc_type": type(error).__name__,
                "exc_path": "",
                "exc_args": [error.detail],
                "value": error.detail,
                **error.to_body(),
            }
        kombu.Producer(message.channel).publish(
            wire.dumps(body),
            exchange="nameko-rpc",
            routing_key=message.properties["reply_to"],
            correlation_id=message.properties["correlation_id"],
            content_type="application/json",
            content_encoding="utf-8",
        )
        message.ack()
