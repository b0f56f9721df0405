"""A private RabbitMQ node from installed binaries: own name, ports, cookie and data, nothing shared with the machine's.

server = RabbitMQ(folder, ports=BrokerPorts(…), password="…")
server.prepare()
children = [server.start_epmd(output), server.start(output)]
wait_until_ready(server.api_url, seconds=60)
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from shared.chassis.broker_api import BrokerApi, BrokerApiError
from shared.devstack import child

VHOST = "nexus"


class NoBroker(Exception):
    """There is no RabbitMQ to be found; the text says what to do."""


@dataclass(frozen=True)
class BrokerPorts:
    """The node's ports on 127.0.0.1."""

    amqp: int
    api: int
    distribution: int
    epmd: int


def script() -> Path:
    """rabbitmq-server of the installed version, past the wrapper that insists on a system user."""
    found = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    if found:
        return found[-1]
    raise NoBroker("no RabbitMQ found: `apt-get install rabbitmq-server` (as root), or set NEXUS_AMQP_URL")


class RabbitMQ:
    """One node in `folder`, on 127.0.0.1 only."""

    def __init__(self, folder: Path, *, ports: BrokerPorts, password: str) -> None:
        self.folder, self.ports, self.password = folder, ports, password
        self._script = script()
        # The long form works even where no host name resolves. Stacks differ by their port mapper, not by the name:
        # the data carry it, and must be found again when ports change.
        self._node = "nexus@127.0.0.1"

    @property
    def api_url(self) -> str:
        """The administrator's URL of the management API."""
        return f"http://admin:{self.password}@127.0.0.1:{self.ports.api}"

    def amqp_url(self, user: str = "admin", password: str | None = None, vhost: str = VHOST) -> str:
        """An AMQP URL of this node."""
        return f"amqp://{user}:{password or self.password}@127.0.0.1:{self.ports.amqp}/{vhost}"

    def prepare(self) -> None:
        """Writes the node's configuration."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "plugins").write_text("[rabbitmq_management].\n")
        (self.folder / "advanced.config").write_text("[].\n")
        settings = {
            "listeners.tcp.1": f"127.0.0.1:{self.ports.amqp}",
            "management.tcp.ip": "127.0.0.1",
            "management.tcp.port": self.ports.api,
            "default_user": "admin",
            "default_pass": self.password,
            "default_vhost": VHOST,
            "log.console.level": "warning",
            "vm_memory_high_watermark.relative": "0.4",
            "disk_free_limit.absolute": "200MB",
            # Statistics are looked at by people and tests, not by the second.
            "collect_statistics_interval": 10_000,
        }
        config = "".join(f"{name} = {value}\n" for name, value in settings.items())
        path = self.folder / "rabbitmq.conf"
        path.touch(mode=0o600)
        path.write_text(config)

    def start_epmd(self, output: IO[bytes] | int | None) -> subprocess.Popen[bytes]:
        """Erlang's port mapper in the foreground: one that the node starts itself would outlive it."""
        epmd = shutil.which("epmd") or "/usr/lib/erlang/bin/epmd"
        argv = [epmd, "-port", str(self.ports.epmd), "-address", "127.0.0.1"]
        return child.spawn(argv, env=self._env(), cwd=self.folder, output=output)

    def start(self, output: IO[bytes] | int | None) -> subprocess.Popen[bytes]:
        """The Erlang machine itself: the script replaces itself by it. SIGTERM stops it in order."""
        return child.spawn(["/bin/sh", str(self._script)], env=self._env(), cwd=self.folder, output=output)

    def _env(self) -> dict[str, str]:
        folder = self.folder
        return {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            # Makes the script exec the Erlang machine instead of waiting for it.
            "RUNNING_UNDER_SYSTEMD": "1",
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_USE_LONGNAME": "true",
            "RABBITMQ_DIST_PORT": str(self.ports.distribution),
            "ERL_EPMD_PORT": str(self.ports.epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_SCHEMA_DIR": str(folder / "schema"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            # Busy waiting of schedulers makes an idle node use the processor on a small machine.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
        }


def wait_until_ready(api_url: str, *, seconds: float, alive: Callable[[], bool] = lambda: True) -> None:
    """Returns once the management API answers. Raises TimeoutError, or RuntimeError as soon as `alive` says no."""
    api, until = BrokerApi(api_url), time.monotonic() + seconds
    while True:
        try:
            api.call("GET", "/overview")
        except (OSError, BrokerApiError) as error:
            if not alive():
                raise RuntimeError("RabbitMQ ended while starting") from error
            if time.monotonic() > until:
                raise TimeoutError(f"RabbitMQ is not ready after {seconds:g} s: {error}") from None
            time.sleep(0.2)
        else:
            return
