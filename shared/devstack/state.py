"""What a stack keeps between runs: ports, passwords, keys, data, logs, in a folder that only its owner reads."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from shared.devstack.rabbitmq import BrokerPorts
from shared.devstack.registry import BROKER_USERS, SERVICES
from shared.settings.env import EnvConfig, SettingError, env

PORTS = ("postgres", "amqp", "api", "distribution", "epmd", "wake")


def write_json(path: Path, value: Any, mode: int = 0o600) -> None:
    """Replaces a file in one step."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file, indent=2)
    partial.replace(path)


def read_json(path: Path) -> Any:
    """The file's value, or None when there is none."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def is_free(port: int) -> bool:
    """Whether a TCP port of 127.0.0.1 can be bound now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_ports(count: int) -> list[int]:
    """Different ports that are free now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@dataclass(frozen=True)
class State:
    """The folder of one stack, and the names of what is in it."""

    folder: Path

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def rabbitmq(self) -> Path:
        return self.folder / "rabbitmq"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def health(self) -> Path:
        return self.folder / "health"

    @property
    def private_key(self) -> Path:
        return self.folder / "keys" / "private.pem"

    @property
    def public_keys(self) -> Path:
        return self.folder / "keys" / "public"

    @property
    def audit_seal(self) -> Path:
        """The key that seals the audit trail."""
        return self.folder / "keys" / "audit_seal.pem"

    @property
    def supervisor(self) -> Path:
        """What the supervisor says of itself and its processes."""
        return self.folder / "supervisor.json"

    @property
    def staff(self) -> Path:
        """The login of the staff user that was made on the first start."""
        return self.folder / "staff.json"

    @property
    def lock(self) -> Path:
        """Held by the one supervisor of this state."""
        return self.folder / "lock"

    def is_stopped(self, process: str) -> bool:
        """Whether the operator wants a process to stay away."""
        return (self.folder / "stopped" / process).exists()

    def stop(self, process: str) -> None:
        """Marks a process to end and stay away."""
        (self.folder / "stopped").mkdir(exist_ok=True)
        (self.folder / "stopped" / process).touch()

    def start(self, process: str) -> None:
        """Takes the mark off."""
        (self.folder / "stopped" / process).unlink(missing_ok=True)

    def prepare(self) -> Credentials:
        """Makes what is missing and returns the credentials, with ports that can be bound."""
        for folder in (self.folder, self.postgres, self.rabbitmq, self.logs, self.health, self.private_key.parent):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        # A new `up` brings everything up.
        shutil.rmtree(self.folder / "stopped", ignore_errors=True)
        credentials = self._kept() or Credentials.new()
        if not all(is_free(port) for port in credentials.ports.values()):
            credentials = Credentials({**dict(zip(PORTS, free_ports(len(PORTS)), strict=True))}, credentials.passwords)
        credentials.complete()
        write_json(self.folder / "credentials.json", {"ports": credentials.ports, "passwords": credentials.passwords})
        if not (self.private_key.exists() and self.audit_seal.exists()):
            self._make_keys()
        return credentials

    def _make_keys(self) -> None:
        from shared.devstack.keys import make_key_pair, make_seal_key  # slow to import, and this is done once

        if not self.private_key.exists():
            make_key_pair(self.private_key, self.public_keys)
        if not self.audit_seal.exists():
            make_seal_key(self.audit_seal)

    def credentials(self) -> Credentials | None:
        """What is kept, else what the environment of a deployment tells, or None before the first start.

        Raises SettingError when the environment tells a part of it.
        """
        return self._kept() or (Credentials.told() if env.get("VERIFY_DB_PASSWORD") else None)

    def _kept(self) -> Credentials | None:
        kept = read_json(self.folder / "credentials.json")
        return Credentials(kept["ports"], kept["passwords"]) if kept else None


@dataclass(frozen=True)
class Credentials:
    """Ports by server and passwords by role or user; for a private stack `secret_key` is among the passwords."""

    ports: dict[str, int]
    passwords: dict[str, str] = field(repr=False)

    @classmethod
    def new(cls) -> Credentials:
        return cls(dict(zip(PORTS, free_ports(len(PORTS)), strict=True)), {})

    @classmethod
    def told(cls, settings: EnvConfig = env) -> Credentials:
        """The passwords in the URLs of a deployment's environment, which has no ports of ours.

        Raises SettingError, naming the variable that is missing or that names another user.
        """
        urls = {
            "broker_nexus_monitor": ("BROKER_API_URL", "nexus_monitor"),
            **{f"broker_{user}": (f"{user.upper()}_AMQP_URL", user) for user in (*SERVICES, "relay", "gateway")},
        }
        for service in SERVICES:
            for suffix in ("", "_owner", "_relay"):
                urls[f"{service}{suffix}"] = (f"{service.upper()}{suffix.upper()}_DB_URL", f"{service}{suffix}")
        passwords = {"nexus_verify": settings.require("VERIFY_DB_PASSWORD")}
        for name, (variable, user) in urls.items():
            parts = urlsplit(settings.require(variable))
            if unquote(parts.username or "") != user or not parts.password:
                raise SettingError(f"{variable} must name the user {user} and its password")
            passwords[name] = unquote(parts.password)
        return cls({}, passwords)

    def complete(self) -> None:
        """Adds passwords for whoever has none yet (a service that came with an upgrade)."""
        names = ["postgres", "secret_key", "admin", *(f"broker_{user}" for user in BROKER_USERS), "nexus_verify"]
        names += [f"{service}{suffix}" for service in SERVICES for suffix in ("", "_owner", "_relay")]
        for name in names:
            self.passwords.setdefault(name, secrets.token_urlsafe(24))

    @property
    def broker_ports(self) -> BrokerPorts:
        ports = self.ports
        return BrokerPorts(ports["amqp"], ports["api"], ports["distribution"], ports["epmd"])

    @property
    def broker_passwords(self) -> dict[str, str]:
        """Plain passwords by broker user."""
        return {user: self.passwords[f"broker_{user}"] for user in BROKER_USERS}
