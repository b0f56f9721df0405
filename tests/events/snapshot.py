"""All rows of all services as they are now, to begin again from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.events.world import World

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
_COLUMNS = (
    "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns"
    " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'"
)


class Snapshot:
    """Made once, restored as often as wanted; past triggers and foreign keys."""

    def __init__(self, world: World, services: Iterable[str]) -> None:
        self._world = world
        self._services = tuple(services)
        self._tables: dict[str, list[str]] = {}
        self._kept: dict[str, dict[str, str]] = {}
        for service in self._services:
            self._keep(service)

    def restore(self) -> None:
        """Everything is as it was."""
        for service, kept in self._kept.items():
            filled = self._filled(service, self._tables[service])
            work = [f"DELETE FROM public.{table}" for table in filled]
            for table, columns in kept.items():
                into = f"INSERT INTO public.{table} ({columns}) OVERRIDING SYSTEM VALUE"
                work.append(f"{into} SELECT {columns} FROM kept.{table}")
            self._world.past_guards(service, *work)

    def drop(self) -> None:
        """Leaves the databases as other tests expect them."""
        for service in self._services:
            self._world.past_guards(service, "DROP SCHEMA kept CASCADE")

    def _keep(self, service: str) -> None:
        self._tables[service] = [name for (name,) in self._world.rows(service, _TABLES)]
        filled = self._filled(service, self._tables[service])
        self._kept[service] = {table: self._world.rows(service, _COLUMNS, table)[0][0] for table in filled}
        copies = [f"CREATE TABLE kept.{table} AS TABLE public.{table}" for table in filled]
        self._world.past_guards(service, "DROP SCHEMA IF EXISTS kept CASCADE", "CREATE SCHEMA kept", *copies)

    def _filled(self, service: str, tables: Sequence[str]) -> list[str]:
        asked = " UNION ALL ".join(f"(SELECT '{table}' FROM public.{table} LIMIT 1)" for table in tables)
        return [name for (name,) in self._world.rows(service, asked)]
