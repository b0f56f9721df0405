"""What the supervisor does once PostgreSQL is up: roles, databases, migrations, and the first staff user of dev."""

from __future__ import annotations

import secrets

from cli import common, migrate
from shared.devstack.environment import Environment, find_servers
from shared.devstack.postgres import prepare_databases
from shared.devstack.registry import SERVICES
from shared.devstack.state import State, write_json
from shared.settings.env import env


def main(argv: list[str]) -> int:
    """Exit 0 when the databases are as the services need them."""
    chosen = common.parser("setup", __doc__).parse_args(argv)
    credentials = chosen.state.credentials()
    if credentials is None:
        return common.fail(f"{chosen.state.folder} holds no stack")
    servers = find_servers(chosen.state, credentials)
    prepare_databases(servers.admin_url, SERVICES, credentials.passwords)
    code = migrate.main(["--state", str(chosen.state.folder)])
    if code == 0 and env.get("NEXUS_ENV", "dev") != "prod" and not chosen.state.staff.exists():
        _staff(chosen.state, Environment(chosen.state, credentials, servers))
    return code


def _staff(state: State, environment: Environment) -> None:
    from cli.createsuperuser import create

    login = {"username": "admin", "password": secrets.token_urlsafe(18)}
    create(environment.database("users", "users"), email="admin@nexus.invalid", **login)
    write_json(state.staff, login)
