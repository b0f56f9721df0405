"""Make a deployment's servers ready: roles, databases, migrations, the broker's users and queues, keys, a staff user.

Everything comes from the environment (docs/deploy.md). Doing it again adds what is missing and sets passwords anew.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from cli import common, migrate, topology
from cli.createsuperuser import create
from shared.chassis.broker_api import BrokerApi
from shared.contracts.errors import ServiceError
from shared.devstack import postgres, rabbitmq
from shared.devstack.environment import Servers, find_servers, named_postgres
from shared.devstack.keys import make_key_pair, make_seal_key
from shared.devstack.registry import SERVICES
from shared.devstack.state import Credentials, State
from shared.settings import production
from shared.settings.env import SettingError, env

_WAIT_SECONDS = 60.0


def main(argv: list[str]) -> int:
    """Exit 0 when everything is as services, relay and gateway need it."""
    chosen = common.parser("provision", __doc__).parse_args(argv)
    if problems := production.problems(signs=False):
        return common.fail("; ".join(problems), "docker/secrets.sh prints a random value for each")
    try:
        credentials = Credentials.told()
        servers = _servers(chosen.state, credentials)
        _keys()
        postgres.wait_until_ready(servers.admin_url, seconds=_WAIT_SECONDS)
        rabbitmq.wait_until_ready(servers.api_url, seconds=_WAIT_SECONDS)
    except (SettingError, TimeoutError) as error:
        return common.fail(str(error))
    postgres.prepare_databases(servers.admin_url, SERVICES, credentials.passwords)
    BrokerApi(servers.api_url).create_vhost(unquote(servers.vhost), urlsplit(servers.amqp_url).username or "")
    where = ["--state", str(chosen.state.folder)]
    return migrate.main(where) or topology.main(["apply", *where]) or _staff()


def _servers(state: State, credentials: Credentials) -> Servers:
    # A private server is for the machine of a developer: here somebody else looks after them.
    if named_postgres() is None:
        raise SettingError("NEXUS_POSTGRES_URL is not set")
    env.require("NEXUS_AMQP_URL")
    return find_servers(state, credentials)


def _keys() -> None:
    """Makes the keys that are not there yet; an operator's own are left alone."""
    private, seal = Path(env.require("JWT_PRIVATE_KEY_FILE")), Path(env.require("AUDIT_SEAL_KEY_FILE"))
    if not private.exists():
        make_key_pair(private, Path(env.require("JWT_PUBLIC_KEYS_DIR")))
    if not seal.exists():
        make_seal_key(seal)


def _staff() -> int:
    """Makes the first staff user, where a password is set and nobody has the name or address."""
    password = env.get("NEXUS_SUPERUSER_PASSWORD")
    if not password:
        return 0
    username = env.get("DJANGO_SUPERUSER_USERNAME", "admin")
    email = env.get("DJANGO_SUPERUSER_EMAIL", "admin@nexus.invalid")
    try:
        create(env.require("USERS_DB_URL"), username=username, email=email, password=password)
    except ServiceError as error:
        if {one["code"] for one in error.errors} == {"taken"}:
            print(f"nexus: {username} is there already")
            return 0
        return common.fail(f"the staff user is refused: {error.errors or error.detail}")
    print(f"nexus: staff user {username} made")
    return 0
