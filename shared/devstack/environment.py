"""What each process is told: its own addresses and passwords, and nobody else's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from shared.devstack.postgres import Postgres, roles_of, with_login
from shared.devstack.rabbitmq import VHOST, RabbitMQ
from shared.devstack.registry import SERVICES, database_name
from shared.devstack.state import Credentials, State
from shared.settings.env import SettingError, env

ROOT = Path(__file__).resolve().parents[2]
PYTHON_PATH = os.pathsep.join(str(p) for p in (ROOT, ROOT / "gateway", *(ROOT / "services" / s for s in SERVICES)))
# Set by us for each process; what the operator's shell has under these names would mix two stacks.
_OWN = ("_DB_URL", "_AMQP_URL")


@dataclass(frozen=True)
class Servers:
    """Where PostgreSQL and RabbitMQ are: ours, or those that the settings name (then `postgres`, `broker` are None)."""

    admin_url: str
    amqp_url: str
    api_url: str
    postgres: Postgres | None
    broker: RabbitMQ | None

    @property
    def vhost(self) -> str:
        """The virtual host of the AMQP URL."""
        return urlsplit(self.amqp_url).path[1:] or "%2F"


def named_postgres() -> str | None:
    """The administrator's URL of a PostgreSQL that the settings name: NEXUS_POSTGRES_URL, or the DB_* variables."""
    if url := env.get("NEXUS_POSTGRES_URL"):
        return url
    if host := env.get("DB_HOST"):
        user, password = quote(env.get("DB_USER", "postgres"), safe=""), quote(env.get("DB_PASSWORD", ""), safe="")
        return f"postgresql://{user}:{password}@{host}:{env.get_int('DB_PORT', 5432)}/{env.get('DB_NAME', 'postgres')}"
    return None


def find_servers(state: State, credentials: Credentials) -> Servers:
    """The servers of a stack. Raises NoBinaries, NoBroker, SettingError."""
    admin_url, postgres = named_postgres(), None
    if admin_url is None:
        postgres = Postgres(
            state.postgres, port=credentials.ports["postgres"], password=credentials.passwords["postgres"]
        )
        admin_url = postgres.admin_url
    amqp_url, api_url, broker = env.get("NEXUS_AMQP_URL"), env.get("NEXUS_AMQP_API_URL"), None
    if amqp_url is None:
        broker = RabbitMQ(state.rabbitmq, ports=credentials.broker_ports, password=credentials.passwords["admin"])
        amqp_url, api_url = broker.amqp_url(), broker.api_url
    elif api_url is None:
        raise SettingError("NEXUS_AMQP_API_URL must name the management API of the broker in NEXUS_AMQP_URL")
    return Servers(admin_url, amqp_url, api_url, postgres, broker)


class Environment:
    """Builds the variables of each process of a stack."""

    def __init__(self, state: State, credentials: Credentials, servers: Servers) -> None:
        self._state, self._credentials, self._servers = state, credentials, servers
        self._base = {
            **{name: value for name, value in os.environ.items() if not name.endswith(_OWN)},
            "PYTHONPATH": PYTHON_PATH,
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore::DeprecationWarning",
            "NEXUS_ENV": env.get("NEXUS_ENV", "dev"),
            "NEXUS_STATE": str(state.folder),
            "HEALTH_DIR": str(state.health),
            **({"RELAY_WAKE": f"127.0.0.1:{credentials.ports['wake']}"} if credentials.ports else {}),
            "LOG_FORMAT": env.get("LOG_FORMAT", "console"),
        }

    def database(self, service: str, role: str) -> str:
        """The URL of a service's database for a role."""
        password = self._credentials.passwords[role]
        return with_login(self._servers.admin_url, role, password, database_name(service))

    def broker(self, user: str) -> str:
        """The AMQP URL for a user."""
        return _login(self._servers.amqp_url, user, self._credentials.broker_passwords[user])

    def service(self, service: str) -> dict[str, str]:
        """For a nameko service."""
        upper = service.upper()
        found = {
            **self._base,
            "PROCESS_NAME": service,
            f"{upper}_DB_URL": self.database(service, service),
            f"{upper}_AMQP_URL": self.broker(service),
            "BROKER_API_URL": _login(
                self._servers.api_url, "nexus_monitor", self._credentials.broker_passwords["nexus_monitor"]
            ),
            **self._secret(),
        }
        if service == "users":
            found |= {
                "JWT_PRIVATE_KEY_FILE": str(self._state.private_key),
                "JWT_PUBLIC_KEYS_DIR": str(self._state.public_keys),
            }
        if service == "audit":
            found["AUDIT_SEAL_KEY_FILE"] = str(self._state.audit_seal)
        return found

    def relay(self) -> dict[str, str]:
        """For the relay of all services."""
        urls = {f"{s.upper()}_RELAY_DB_URL": self.database(s, roles_of(s)[2]) for s in SERVICES}
        return {**self._base, **urls, "PROCESS_NAME": "relay", "RELAY_AMQP_URL": self.broker("relay")}

    def gateway(self, name: str) -> dict[str, str]:
        """For one worker of the gateway."""
        return {
            **self._base,
            **self._secret(),
            "PROCESS_NAME": name,
            "GATEWAY_AMQP_URL": self.broker("gateway"),
            "JWT_PUBLIC_KEYS_DIR": str(self._state.public_keys),
        }

    def setup(self) -> dict[str, str]:
        """For the steps that make databases, roles and the first staff user."""
        urls = {f"{s.upper()}_OWNER_DB_URL": self.database(s, roles_of(s)[0]) for s in SERVICES}
        return {**self._base, **self.service("users"), **urls}

    def verify(self) -> dict[str, str]:
        """URL by service for the read-only role that verifies."""
        return {service: self.database(service, "nexus_verify") for service in SERVICES}

    def _secret(self) -> dict[str, str]:
        return {"SECRET_KEY": env.get("SECRET_KEY") or self._credentials.passwords["secret_key"]}


def _login(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, f"{user}:{quote(password, safe='')}@{host}", parts.path or f"/{VHOST}", "", ""))
