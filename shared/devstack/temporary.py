"""A PostgreSQL for a moment, with the roles and databases of all services."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.devstack.postgres import Postgres, prepare_databases, roles_of, wait_until_ready, with_login
from shared.devstack.registry import SERVICES, database_name
from shared.devstack.state import free_ports


@contextmanager
def temporary_postgres(folder: Path) -> Iterator[Callable[[str, str], str]]:
    """Gives (service, role) → URL. Passwords are the roles' names: it listens on loopback and lives for a moment."""
    server = Postgres(folder / "postgres", port=free_ports(1)[0], password="postgres", fsync=False)  # noqa: S106
    server.folder.mkdir()
    server.prepare()
    child = server.start(subprocess.DEVNULL)
    try:
        wait_until_ready(server.admin_url, seconds=30, alive=lambda: child.poll() is None)
        roles = [role for service in SERVICES for role in roles_of(service)]
        prepare_databases(server.admin_url, SERVICES, {role: role for role in [*roles, "nexus_verify"]})
        yield lambda service, role: with_login(server.admin_url, role, role, database_name(service))
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(20)
