"""Check settings, databases, migrations and topology of a stack; with --migrations, models against migrations."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from cli import common, migrate, topology
from cli.common import WARNING, paint
from shared.devstack.registry import SERVICES
from shared.devstack.state import State
from shared.settings import checked, production
from shared.settings.env import env


def main(argv: list[str]) -> int:
    """Exit 1 with what is wrong."""
    options = common.parser("check", __doc__)
    options.add_argument(
        "--migrations",
        nargs="*",
        metavar="SERVICE",
        choices=list(SERVICES),
        help="on a throw-away server: do the migrations of all services, or of these, give what their models say?",
    )
    chosen = options.parse_args(argv)
    if chosen.migrations is not None:
        return _migrations(chosen.migrations or list(SERVICES))
    for warning in checked.unknown(env, others=_of_compose()):
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
    return checked.problems(env) + production.problems(signs=True)


def _of_compose() -> set[str]:
    """What docker-compose.yml reads, from the same `.env`."""
    compose = common.ROOT / "docker-compose.yml"
    return set(re.findall(r"\$\{([A-Z_]+)", compose.read_text())) if compose.exists() else set()


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


def _migrations(services: list[str]) -> int:
    from shared.chassis.migrations import differences
    from shared.chassis.migrations import migrate as upgrade
    from shared.devstack.temporary import temporary_postgres

    code = 0
    with tempfile.TemporaryDirectory() as folder, temporary_postgres(Path(folder)) as url:
        for service in services:
            owner = url(service, f"{service}_owner")
            upgrade(service, owner)
            for difference in differences(service, owner):
                code = common.fail(f"{service}: models and migrations differ: {difference}")
    if code == 0:
        print("nexus: models and migrations agree")
    return code
