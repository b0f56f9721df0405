"""What is written stays: by grant for the service, by trigger for whoever owns the tables."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest

from audit.models import metadata

APPEND_ONLY = ["entries", "archive", "seals", "seal_heads"]


def attempt(url, statement):
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        connection.commit()


def statements(table):
    column = next(iter(metadata.tables[table].columns)).name
    yield f"UPDATE {table} SET {column} = {column}"
    yield f"UPDATE {table} SET {column} = {column} WHERE false"
    yield f"DELETE FROM {table}"
    yield f"TRUNCATE {table} CASCADE"


@pytest.mark.parametrize("role", ["audit_owner", "audit"])
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_neither_service_nor_owner_can_change_or_remove_what_is_written(five, databases, table, role):
    before = five.rows(f"SELECT t::text FROM {table} AS t ORDER BY 1")
    assert before
    for statement in statements(table):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            attempt(databases.url("audit", role), statement)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="stays as it was"), five.admin.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table} CASCADE")
    assert five.rows(f"SELECT t::text FROM {table} AS t ORDER BY 1") == before


def test_the_service_can_erase_a_person_and_nothing_else_is_personal(five, databases):
    attempt(databases.url("audit", "audit"), "DELETE FROM personal_data; DELETE FROM user_names")
    assert {name for name, table in metadata.tables.items() if table.info.get("personal")} == {
        "personal_data",
        "user_names",
    }
    assert {name for name, table in metadata.tables.items() if table.info.get("append_only")} == set(APPEND_ONLY)


@pytest.mark.parametrize(
    "changes",
    [{"record_id": "gen_random_uuid()"}, {"event_id": "NULL"}, {"result": "'maybe'"}, {"personal_hash": "'short'"}],
    ids=["two facts", "no fact", "unknown result", "no hash"],
)
def test_an_entry_is_of_one_fact_with_a_known_result(five, changes):
    names = [column.name for column in metadata.tables["entries"].columns]
    new = {"id": "gen_random_uuid()", "event_id": "gen_random_uuid()", **changes}
    values = ", ".join(new.get(name, name) for name in names)
    with pytest.raises(psycopg2.errors.CheckViolation):
        five.rows(
            f"INSERT INTO entries ({', '.join(names)}) SELECT {values} FROM entries WHERE event_id IS NOT NULL LIMIT 1"
        )
