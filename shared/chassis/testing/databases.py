"""A database per service and worker, copied from a template that was migrated once, and emptied for each test."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from shared.chassis import migrations
from shared.chassis.database import Database
from shared.devstack.postgres import prepare_databases, roles_of, with_login
from shared.devstack.registry import SERVICES

ADMIN = os.environ.get("NEXUS_TEST_PG", "")
PREFIX = os.environ.get("NEXUS_TEST_PREFIX", "test")
_LOCK = 7_305_901


class Databases:
    """The databases of one worker."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._made: dict[str, Database] = {}
        self._admins: dict[str, Any] = {}
        self._tables: dict[str, list[str]] = {}
        self._initial: dict[str, list[str]] = {}

    def name(self, service: str) -> str:
        return f"{PREFIX}_{service}_{self._worker}"

    def url(self, service: str, role: str) -> str:
        """For a role of the service; test roles have their names as passwords."""
        self.get(service)
        return with_login(ADMIN, role, role, self.name(service))

    def get(self, service: str) -> Database:
        """The service's database by its runtime role."""
        if service not in self._made:
            self._make(service)
            self._made[service] = Database(with_login(ADMIN, service, service, self.name(service)))
        return self._made[service]

    def admin(self, service: str) -> Any:
        """A superuser's connection that commits by itself."""
        self.get(service)
        if service not in self._admins:
            self._admins[service] = connection = psycopg2.connect(_at(self.name(service)))
            connection.autocommit = True
        return self._admins[service]

    def empty(self) -> None:
        """Takes all rows away but those of migrations, past triggers and foreign keys: only a superuser can."""
        for service in self._made:
            with self.admin(service).cursor() as cursor:
                filled = _filled(cursor, self._tables[service])
                if filled:
                    work = [f"DELETE FROM public.{t};" for t in filled]
                    work += [
                        f"INSERT INTO public.{t} OVERRIDING SYSTEM VALUE SELECT * FROM initial.{t};"
                        for t in self._initial[service]
                    ]
                    cursor.execute(
                        "".join(["SET session_replication_role = replica;", *work, "RESET session_replication_role"])
                    )

    def close(self) -> None:
        """Drops what this worker made."""
        for database in self._made.values():
            database.close()
        for connection in self._admins.values():
            connection.close()
        with _admin() as cursor:
            for service in self._made:
                cursor.execute(f'DROP DATABASE IF EXISTS "{self.name(service)}" WITH (FORCE)')

    def _make(self, service: str) -> None:
        template = ensure_template(service)
        with _admin() as cursor:
            # A template with a session in it cannot be copied, so copies are made one at a time.
            cursor.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            cursor.execute(f'DROP DATABASE IF EXISTS "{self.name(service)}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{self.name(service)}" TEMPLATE "{template}" OWNER "{service}_owner"')
            roles = ", ".join(f'"{role}"' for role in (*roles_of(service), "nexus_verify"))
            cursor.execute(f'GRANT CONNECT ON DATABASE "{self.name(service)}" TO {roles}')
            cursor.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
        self._keep_initial(service)

    def _keep_initial(self, service: str) -> None:
        """Notes the tables, and keeps a copy of the rows that migrations wrote, so that `empty` can restore them."""
        with (
            closing(psycopg2.connect(_at(self.name(service)))) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            )
            self._tables[service] = [row[0] for row in cursor.fetchall()]
            self._initial[service] = _filled(cursor, self._tables[service])
            for table in self._initial[service]:
                cursor.execute(
                    f"CREATE SCHEMA IF NOT EXISTS initial; CREATE TABLE initial.{table} AS TABLE public.{table}"
                )


def _filled(cursor: Any, tables: Sequence[str]) -> list[str]:
    cursor.execute(" UNION ALL ".join(f"(SELECT '{t}' FROM public.{t} LIMIT 1)" for t in tables))
    return [row[0] for row in cursor.fetchall()]


def ensure_template(service: str) -> str:
    """The name of a migrated template of the service, made anew when its migrations have changed."""
    folder = migrations.Migrations(service).folder
    files = sorted(p for p in folder.rglob("*") if p.suffix in (".py", ".sql"))
    models = [*sorted((folder.parent / service).glob("models*")), Path(migrations.__file__)]
    digest = hashlib.sha256()
    for path in [*files, *models]:
        digest.update(path.read_bytes() if path.is_file() else b"".join(p.read_bytes() for p in path.rglob("*.py")))
    name = f"{PREFIX}_{service}_{digest.hexdigest()[:12]}"
    with _admin() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if cursor.fetchone() is None:
            roles = {role: role for role in (*roles_of(service), "nexus_verify")}
            partial = f"{name}_partial"
            cursor.execute(f'DROP DATABASE IF EXISTS "{partial}" WITH (FORCE)')
            prepare_databases(ADMIN, [service], roles, name=lambda _: partial)
            migrations.migrate(service, with_login(ADMIN, f"{service}_owner", f"{service}_owner", partial))
            cursor.execute(f'ALTER DATABASE "{partial}" RENAME TO "{name}"')
            cursor.execute(
                "SELECT datname FROM pg_database WHERE datname <> %s AND datname ~ %s",
                (name, f"^{PREFIX}_{service}_[0-9a-f]{{12}}$"),
            )
            for (stale,) in cursor.fetchall():
                cursor.execute(f'DROP DATABASE "{stale}" WITH (FORCE)')
        cursor.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
    return name


def ensure_templates() -> None:
    """Templates of all services, before the workers start."""
    for service in SERVICES:
        ensure_template(service)


def _at(database: str) -> str:
    return f"{ADMIN.rpartition('/')[0]}/{database}"


@contextmanager
def _admin() -> Iterator[Any]:
    with closing(psycopg2.connect(ADMIN)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor
