"""Check settings, databases, migrations and topology of a stack; with --migrations, models against migrations."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from cli import common, migrate, topology
from cli.colours import WARNING, paint
from shared.devstack.registry import SERVICES
from shared.devstack.state import State
from shared.settings import checked
from shared.settings.env import env


def main(argv: list[str]) -> int:
    """Exit 1 with what is wrong."""
    options = common.parser("check", __doc__)
    options.add_argument(
        "--migrations", action="store_true", help="on a throw-away server: does every migration give what models say?"
    )
    chosen = options.parse_args(argv)
    if chosen.migrations:
        return _migrations()
    for warning in checked.unknown(env):
        print(f"{paint('nexus: warning:', WARNING, sys.stderr)} {warning}", file=sys.stderr)
    problems = settings()
    if chosen.state.credentials() is None:
        problems.append("there is no stack here: ./nexus up --detach")
    else:
        problems += _databases(chosen.state)
        if not problems and topology.main(["check", "--state", str(chosen.state.folder)]) != 0:
            problems.append("the topology is not whole")
    for problem in problems:
        common.fail(problem)
    if not problems:
        print("nexus: all is well")
    return 1 if problems else 0


def settings() -> list[str]:
    """What is wrong with the settings."""
    found = checked.problems(env)
    name = env.get("NEXUS_ENV", "dev")
    if name not in ("dev", "test", "prod"):
        found.append("NEXUS_ENV must be dev, test or prod")
    if name == "prod" and len(env.get("SECRET_KEY", "")) < 32:
        found.append("prod needs a SECRET_KEY of at least 32 characters")
    if name == "prod" and env.get("MARKET_SEED"):
        found.append("MARKET_SEED makes prices predictable and is refused in prod")
    return found


def _databases(state: State) -> list[str]:
    from shared.chassis.migrations import at_head

    found = []
    for service in SERVICES:
        url = migrate.owner_url(state, service)
        try:
            if url is None or not at_head(service, url):
                found.append(f"{service} is not at the newest migration: ./nexus migrate")
        except Exception as error:
            found.append(f"{service}: {error}")
    return found


def _migrations() -> int:
    from shared.chassis.migrations import differences
    from shared.chassis.migrations import migrate as upgrade
    from shared.devstack.temporary import temporary_postgres

    code = 0
    with tempfile.TemporaryDirectory() as folder, temporary_postgres(Path(folder)) as url:
        for service in SERVICES:
            owner = url(service, f"{service}_owner")
            upgrade(service, owner)
            for difference in differences(service, owner):
                code = common.fail(f"{service}: models and migrations differ: {difference}")
    if code == 0:
        print("nexus: models and migrations agree")
    return code
