"""Make a staff user. Interactive, or with --noinput and the password in NEXUS_SUPERUSER_PASSWORD."""

from __future__ import annotations

import getpass

from cli import common
from shared.contracts.errors import ServiceError
from shared.devstack.state import State
from shared.settings.env import env


def main(argv: list[str]) -> int:
    """Works on the database alone: the services need not run. Exit 1 with the reason when the user is refused."""
    options = common.parser("createsuperuser", __doc__)
    options.add_argument("--username")
    options.add_argument("--email")
    options.add_argument("--noinput", "--no-input", action="store_true", help="ask nothing")
    chosen = options.parse_args(argv)
    username, email = chosen.username, chosen.email
    if chosen.noinput:
        username = username or env.get("DJANGO_SUPERUSER_USERNAME")
        email = email or env.get("DJANGO_SUPERUSER_EMAIL")
        password = env.get("NEXUS_SUPERUSER_PASSWORD") or env.get("DJANGO_SUPERUSER_PASSWORD")
        if not (username and email and password):
            return common.fail("--noinput needs --username, --email and NEXUS_SUPERUSER_PASSWORD")
    else:
        username = username or input("Username: ")
        email = email or input("Email address: ")
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Password (again): "):
            return common.fail("the passwords differ")
    url = env.get("USERS_DB_URL") or _runtime_url(chosen.state)
    if url is None:
        return common.fail("USERS_DB_URL is not set and there is no stack here", "./nexus up --detach")
    try:
        create(url, username=username, email=email, password=password)
    except ServiceError as error:
        for one in error.errors:
            print(f"  {one['field']}: {one['message']}")
        return common.fail(error.detail)
    print(f"nexus: staff user {username} made")
    return 0


def create(url: str, *, username: str, email: str, password: str) -> None:
    """Makes the user in the users database at `url`. Raises ValidationFailed."""
    from shared.chassis.database import Database
    from shared.utils.time import get_utc_now
    from users.commands.create_staff import create_staff

    create_staff(Database(url), username=username, email=email, password=password, now=get_utc_now())


def _runtime_url(state: State) -> str | None:
    credentials = state.credentials()
    if credentials is None:
        return None
    from shared.devstack.environment import Environment, find_servers

    return Environment(state, credentials, find_servers(state, credentials)).database("users", "users")
