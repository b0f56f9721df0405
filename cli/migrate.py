"""Bring the databases of all services (or one) to the newest migration, in one process."""

from __future__ import annotations

from cli import common
from shared.devstack.registry import SERVICES
from shared.devstack.state import State
from shared.settings.env import env


def main(argv: list[str]) -> int:
    """Uses `<SVC>_OWNER_DB_URL`, or the running stack of --state."""
    options = common.parser("migrate", __doc__)
    options.add_argument("service", nargs="?", choices=list(SERVICES))
    options.add_argument("--rights", action="store_true", help="set every role's rights anew, too: after a restore")
    chosen = options.parse_args(argv)
    from shared.chassis import migrations

    for service in [chosen.service] if chosen.service else SERVICES:
        url = env.get(f"{service.upper()}_OWNER_DB_URL") or owner_url(chosen.state, service)
        if url is None:
            return common.fail(f"{service.upper()}_OWNER_DB_URL is not set", "./nexus up migrates by itself")
        if migrations.at_head(service, url) and not chosen.rights:
            print(f"nexus: {service} is at the newest migration")
            continue
        migrations.migrate(service, url)
        print(f"nexus: {service} migrated")
    return 0


def owner_url(state: State, service: str) -> str | None:
    """The owner's URL in a stack of ours, or None before its first start."""
    credentials = state.credentials()
    if credentials is None:
        return None
    from shared.devstack.environment import Environment, find_servers

    return Environment(state, credentials, find_servers(state, credentials)).setup()[f"{service.upper()}_OWNER_DB_URL"]
