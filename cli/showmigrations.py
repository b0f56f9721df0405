"""Show which migrations each database has. [X] is applied."""

from __future__ import annotations

from cli import common, migrate
from shared.devstack.registry import SERVICES
from shared.settings.env import env


def main(argv: list[str]) -> int:
    """Exit 1 when a database cannot be asked."""
    options = common.parser("showmigrations", __doc__)
    options.add_argument("service", nargs="?", choices=list(SERVICES))
    chosen = options.parse_args(argv)
    from sqlalchemy.exc import OperationalError

    from shared.chassis.migrations import history

    for service in [chosen.service] if chosen.service else SERVICES:
        url = env.get(f"{service.upper()}_OWNER_DB_URL") or migrate.owner_url(chosen.state, service)
        if url is None:
            return common.fail(f"{service.upper()}_OWNER_DB_URL is not set", "./nexus up --detach")
        print(service)
        try:
            for name, applied in history(service, url):
                print(f" [{'X' if applied else ' '}] {name}")
        except OperationalError as error:
            return common.fail(f"its database cannot be asked: {str(error.orig).strip()}", "./nexus status")
    return 0
