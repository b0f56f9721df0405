"""The supervisor: brings a stack up in order, keeps it up, and takes it down.

One thread starts processes (they die with it), another looks after their health. What it knows is in
`supervisor.json`, rewritten on every change and every second.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable

from shared.devstack import child, probes
from shared.devstack.environment import ROOT, Environment, Servers, find_servers
from shared.devstack.logs import Log
from shared.devstack.process import Process
from shared.devstack.registry import SERVICES
from shared.devstack.state import State, write_json

TICK = 0.05
DRAIN_SECONDS = 25.0
SERVER_SECONDS = 20.0
MANAGE = [sys.executable, str(ROOT / "manage.py")]


class AlreadyRunning(Exception):
    """Another supervisor has this state."""


class StartFailed(Exception):
    """The stack cannot come up; the text says why and what to do."""


class Supervisor:
    """One stack."""

    def __init__(self, state: State, *, port: int, workers: int, show: bool) -> None:
        self._state, self._port, self._show = state, port, show
        self._stopping = threading.Event()
        self._lock = self._take_lock()
        self._credentials = state.prepare()
        self._servers: Servers = find_servers(state, self._credentials)
        self._environment = Environment(state, self._credentials, self._servers)
        self._listener = self._listen()
        self._phase = "starting"
        self._logs = 0
        self.infrastructure = self._infrastructure()
        self.services = [self._service(name) for name in SERVICES]
        self.relay = self._of_ours("relay", "relay", ["relay"], self._environment.relay())
        self.gateways = [self._gateway(f"gateway-{number}") for number in range(1, workers + 1)]

    @property
    def processes(self) -> list[Process]:
        return [*self.infrastructure, *self.services, self.relay, *self.gateways]

    def run(self) -> None:
        """Returns after SIGTERM or SIGINT, when everything has ended. Raises StartFailed."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        for file in self._state.health.glob("*.json"):
            file.unlink()
        threading.Thread(target=self._look, daemon=True).start()
        try:
            self._bring_up()
            self._phase = "running"
            while not self._stopping.is_set():
                self._heed_operator()
                self._tick()
        finally:
            self._phase = "stopping"
            self._take_down()
            self._state.supervisor.unlink(missing_ok=True)

    # -- coming up

    def _bring_up(self) -> None:
        for process in self.infrastructure:
            process.wanted = True
        self._wait("PostgreSQL", self._database_ready, 60)
        # Roles, databases, migrations and the first staff user; RabbitMQ boots meanwhile.
        self._step("setup", ["setup"], self._environment.setup())
        for process in [*self.services, self.relay, *self.gateways]:
            process.wanted = True
        self._wait("RabbitMQ", self._broker_ready, 120)
        self._step("topology", ["topology", "apply"], self._environment.setup())

    def _database_ready(self) -> bool:
        return self._servers.postgres is None or probes.postgres(self._credentials.ports["postgres"]) is None

    def _broker_ready(self) -> bool:
        from shared.chassis.broker_api import BrokerApi, BrokerApiError

        try:
            BrokerApi(self._servers.api_url).call("GET", "/overview")
        except (OSError, BrokerApiError):
            return False
        return True

    def _wait(self, what: str, ready: Callable[[], bool], seconds: float) -> None:
        until, last = time.monotonic() + seconds, 0.0
        while not self._stopping.is_set():
            self._tick()
            if time.monotonic() - last > 0.2:
                if ready():
                    return
                last = time.monotonic()
            if time.monotonic() > until:
                raise StartFailed(f"{what} is not ready after {seconds:g} s; see `logs {what.lower()}`")

    def _step(self, name: str, verb: list[str], environment: dict[str, str]) -> None:
        """Runs a verb of manage.py to its end, looking after the processes meanwhile."""
        if self._stopping.is_set():
            return
        log = self._log(name)
        running = child.spawn(
            [*MANAGE, *verb, "--state", str(self._state.folder)], env=environment, cwd=ROOT, output=log.input
        )
        while running.poll() is None:
            self._tick()
            if self._stopping.is_set():
                running.terminate()
        if running.returncode != 0 and not self._stopping.is_set():
            raise StartFailed(f"{name} failed; see {name}.log among the logs")

    def _tick(self) -> None:
        for process in self.processes:
            if process.tick():
                self._write()
        self._stopping.wait(TICK)

    def _heed_operator(self) -> None:
        """What `stop` has marked ends and stays away until `start` takes the mark off."""
        for process in [*self.services, self.relay, *self.gateways]:
            held = self._state.is_stopped(process.name)
            if held and process.wanted:
                process.signal(process.stop_signal)
            process.wanted = not held

    # -- going down

    def _take_down(self) -> None:
        self._end(self.gateways, DRAIN_SECONDS)
        self._end(self.services, DRAIN_SECONDS)
        self._end([self.relay], DRAIN_SECONDS)
        self._end(self.infrastructure, SERVER_SECONDS)
        self._listener.close()

    def _end(self, processes: Iterable[Process], seconds: float) -> None:
        processes = list(processes)
        for process in processes:
            process.wanted = False
            process.signal(signal.SIGCONT)
            process.signal(process.stop_signal)
        until = time.monotonic() + seconds
        while any(process.alive for process in processes) and time.monotonic() < until:
            time.sleep(TICK)
        for process in processes:
            if process.alive:
                process.log.note(f"{process.name} did not stop in {seconds:g} s: killed")
            process.kill_group()
            if process.child is not None:
                process.child.wait()

    # -- what is known

    def _look(self) -> None:
        while True:
            begun = time.monotonic()
            for process in self.processes:
                process.look()
            self._write()
            time.sleep(max(0.1, 0.5 - (time.monotonic() - begun)))

    def _write(self) -> None:
        if self._phase == "stopping":
            return
        value = {
            "pid": os.getpid(),
            "at": time.time(),
            "phase": self._phase,
            "url": f"http://127.0.0.1:{self._port}",
            "port": self._port,
            "processes": [
                {
                    "name": process.name,
                    "kind": process.kind,
                    "pid": process.pid,
                    "healthy": process.alive and process.problem is None,
                    "problem": process.problem,
                    "restarts": process.restarts,
                }
                for process in self.processes
                if process.listed
            ],
        }
        with _writing:
            write_json(self._state.supervisor, value)

    # -- the processes

    def _infrastructure(self) -> list[Process]:
        found = []
        postgres, broker = self._servers.postgres, self._servers.broker
        if postgres is not None:
            postgres.prepare()
            port = self._credentials.ports["postgres"]
            log = self._log("postgres")
            found.append(
                Process(
                    "postgres",
                    "database",
                    postgres.start,
                    log,
                    probe=lambda: probes.postgres(port),
                    stop_signal=signal.SIGINT,
                )
            )
        if broker is not None:
            broker.prepare()
            log = self._log("rabbitmq")
            found.append(Process("epmd", "broker", broker.start_epmd, log, listed=False, probe=lambda: None))
            found.append(
                Process(
                    "rabbitmq",
                    "broker",
                    broker.start,
                    log,
                    probe=lambda: probes.amqp(self._credentials.ports["amqp"]),
                )
            )
        return found

    def _service(self, name: str) -> Process:
        return self._of_ours(name, "service", ["run", name], self._environment.service(name))

    def _gateway(self, name: str) -> Process:
        # Every worker accepts from one socket that we hold: while one starts again, clients wait, and are not refused.
        descriptor = self._listener.fileno()
        return self._of_ours(
            name, "gateway", ["gateway", "--fd", str(descriptor)], self._environment.gateway(name), descriptor
        )

    def _of_ours(self, name: str, kind: str, verb: list[str], environment: dict[str, str], *keep: int) -> Process:
        def start(output: int) -> child.Running:
            return child.spawn([*MANAGE, *verb], env=environment, cwd=ROOT, output=output, keep=keep)

        return Process(name, kind, start, self._log(name), health_file=self._state.health / f"{name}.json")

    def _log(self, name: str) -> Log:
        self._logs += 1
        return Log(self._state.logs, name, show=self._show, colour=self._logs)

    # -- what there is only one of

    def _listen(self) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", self._port))
        except OSError:
            raise StartFailed(f"port {self._port} is taken; choose another with --port") from None
        listener.listen(2048)
        listener.set_inheritable(True)
        return listener

    def _take_lock(self) -> int:
        self._state.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._state.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunning(f"a stack is running already in {self._state.folder}") from None
        return descriptor


_writing = threading.Lock()
