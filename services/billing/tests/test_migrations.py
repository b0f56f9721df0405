"""Migrations go up, down and up again, and leave what they found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg2
import pytest
from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from shared.chassis.migrations import Migrations, differences
from shared.chassis.testing.databases import ADMIN, PREFIX
from shared.devstack.postgres import prepare_databases, roles_of, with_login

SHAPE = """
    SELECT 'column', table_name, column_name, data_type || is_nullable || coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'attribute', udt_name, attribute_name, data_type
    FROM information_schema.attributes WHERE udt_schema = 'public'
    UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
    FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function', proname, proargtypes::regtype[]::text, pg_get_functiondef(oid)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ORDER BY 1, 2, 3, 4
"""


@pytest.fixture
def url() -> Iterator[str]:
    """A database of billing without any table, by its owner."""
    name = f"{PREFIX}_billing_migrations"
    drop = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
    with closing(psycopg2.connect(ADMIN)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(drop)
        prepare_databases(
            ADMIN, ["billing"], {r: r for r in (*roles_of("billing"), "nexus_verify")}, name=lambda _: name
        )
        yield with_login(ADMIN, "billing_owner", "billing_owner", name)
        cursor.execute(drop)


@pytest.fixture
def go(url: str) -> Callable[..., None]:
    def run(direction: Callable[..., None], revision: str) -> None:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg2://"), poolclass=NullPool)
        with engine.connect() as connection, connection.begin():
            direction(Migrations("billing").config(connection), revision)

    return run


def shape(url: str) -> list[tuple[str, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(SHAPE)
        return cursor.fetchall()


def test_real_money_goes_up_and_down_and_up_again(url: str, go: Callable[..., None]) -> None:
    go(command.upgrade, "0001")
    before = shape(url)
    go(command.upgrade, "head")
    after = shape(url)
    assert differences("billing", url) == []
    go(command.downgrade, "0001")
    assert shape(url) == before
    go(command.upgrade, "head")
    assert shape(url) == after != before
    go(command.downgrade, "base")
    assert {row[1] for row in shape(url)} == {"alembic_version"}
