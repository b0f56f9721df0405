"""Migrations of a service's database, in process, and the grants that follow from its tables.

Roles are named after the service: `<svc>_owner` owns and migrates, `<svc>` runs, `<svc>_relay` empties the outbox,
`nexus_verify` reads. What a role may do is written down here and applied after every upgrade, so that a table that a
migration adds cannot be forgotten.
"""

from __future__ import annotations

import importlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Migrations:
    """Where a service keeps its migrations and its tables."""

    service: str

    @property
    def folder(self) -> Path:
        return ROOT / "services" / self.service / "migrations"

    @property
    def metadata(self) -> MetaData:
        found: MetaData = importlib.import_module(f"{self.service}.models").metadata
        return found

    def config(self, connection: Connection | None = None) -> Config:
        config = Config()
        config.set_main_option("script_location", str(self.folder))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        config.attributes["metadata"] = self.metadata if connection is not None else None
        return config


def _connect(url: str) -> Any:
    return create_engine(make_url(url).set(drivername="postgresql+psycopg2"), poolclass=NullPool).connect()


def at_head(service: str, url: str) -> bool:
    """Whether the database is at the newest migration; cheap enough for every start."""
    with _connect(url) as connection:
        present = MigrationContext.configure(connection).get_current_heads()
    head = ScriptDirectory.from_config(Migrations(service).config()).get_heads()
    return set(present) == set(head)


def history(service: str, url: str) -> list[tuple[str, bool]]:
    """The service's migrations from the first one on, and whether the database has them."""
    scripts = ScriptDirectory.from_config(Migrations(service).config())
    with _connect(url) as connection:
        heads = MigrationContext.configure(connection).get_current_heads()
    applied = {script.revision for script in scripts.iterate_revisions(heads, "base")} if heads else set()
    known = reversed(list(scripts.walk_revisions()))
    return [(Path(script.path).stem, script.revision in applied) for script in known]


def migrate(service: str, owner_url: str) -> None:
    """Upgrades to the newest migration and applies the grants, in one transaction; waits for another migrator."""
    migrations = Migrations(service)
    with _connect(owner_url) as connection, connection.begin():
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:key)"), {"key": zlib.crc32(f"migrate {service}".encode())}
        )
        command.upgrade(migrations.config(connection), "head")
        grant(connection, service, migrations.metadata)


def differences(service: str, owner_url: str) -> list[str]:
    """Where the models and the migrated database disagree; empty when they agree."""
    migrations = Migrations(service)
    with _connect(owner_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [str(difference) for difference in compare_metadata(context, migrations.metadata)]


def grant(connection: Connection, service: str, metadata: MetaData) -> None:
    """Sets the rights of every role on every table, sequence and function of the database.

    A table's `info` says what the runtime role may not do: `append_only` (no UPDATE, DELETE), `writer="function"`
    (it only reads: functions of the owner write), `relay` (the outbox).
    """
    found = inspect(connection)
    relay, verify = f"{service}_relay", "nexus_verify"
    everybody = f'PUBLIC, "{service}", "{relay}", "{verify}"'
    database = connection.dialect.identifier_preparer.quote(str(connection.scalar(text("SELECT current_database()"))))
    statements = [
        f"REVOKE ALL ON DATABASE {database} FROM {everybody}",
        f'GRANT CONNECT ON DATABASE {database} TO "{service}", "{relay}", "{verify}"',
        f"REVOKE ALL ON SCHEMA public FROM {everybody}",
        f'GRANT USAGE ON SCHEMA public TO "{service}", "{relay}", "{verify}"',
        *(
            f"REVOKE ALL ON ALL {kind} IN SCHEMA public FROM {everybody}"
            for kind in ("TABLES", "SEQUENCES", "ROUTINES")
        ),
        f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{verify}"',
        f'GRANT EXECUTE ON ALL ROUTINES IN SCHEMA public TO "{service}"',
        f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO "{service}"',
        *(f'GRANT SELECT ON public."{view}" TO "{service}"' for view in found.get_view_names()),
    ]
    for name in sorted(set(found.get_table_names()) - {"alembic_version"}):
        info = metadata.tables[name].info if name in metadata.tables else {}
        if info.get("writer") == "function":
            may = "SELECT"
        elif info.get("append_only"):
            may = "SELECT, INSERT"
        else:
            may = "SELECT, INSERT, UPDATE, DELETE"
        statements.append(f'GRANT {may} ON public."{name}" TO "{service}"')
        if info.get("relay"):
            columns = "sent_at, attempts, next_attempt_at, payload"
            statements.append(f'GRANT SELECT, DELETE, UPDATE ({columns}) ON public."{name}" TO "{relay}"')
    for statement in statements:
        connection.execute(text(statement))


def run_env() -> None:
    """What a service's `migrations/env.py` calls."""
    from alembic import context

    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=context.config.attributes["metadata"])
    context.run_migrations()
