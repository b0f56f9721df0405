"""A service with its database: truth about it, deadlines down to the statement, and no death with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest

from shared.contracts.errors import DeadlineExceeded, ServiceError

SLEEPING = """
    select pid from pg_stat_activity where query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()
        and datname = current_database()
"""
ADMIN = os.environ.get("NEXUS_TEST_PG", "")
# What the relay looks at, and no more: the real table is the outbox's own test.
TABLES = """
    create table outbox (id int, next_attempt_at timestamptz not null default now(), sent_at timestamptz);
    create table marks (mark text primary key);
"""


class Store:
    def __init__(self, name: str) -> None:
        self.name = name
        self.url = self.url_of(None)

    def url_of(self, role: str | None) -> str:
        parts = urlsplit(ADMIN)
        login = f"{role}:{role}" if role else f"{parts.username}:{parts.password}"
        return f"postgresql://{login}@{parts.hostname}:{parts.port}/{self.name}"

    def admin(self, sql: str, url: str = ADMIN) -> list[Any]:
        with closing(psycopg2.connect(url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []

    def query(self, sql: str) -> list[Any]:
        return self.admin(sql, self.url)

    def close(self) -> None:
        self.admin(f"alter database {self.name} allow_connections false")
        self.admin(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{self.name}'")

    def open(self) -> None:
        self.admin(f"alter database {self.name} allow_connections true")


@pytest.fixture(scope="module")
def made_store(worker_id: str) -> Iterator[Store]:
    store = Store(f"{os.environ.get('NEXUS_TEST_PREFIX', 'test')}_chassis_{worker_id}")
    store.admin(f"drop database if exists {store.name}")
    store.admin(f"create database {store.name}")
    store.admin(
        "do $$ begin create role alpha_relay login password 'alpha_relay';"
        " exception when duplicate_object or unique_violation then null; end $$"
    )
    store.query(TABLES)
    yield store
    store.close()
    store.admin(f"drop database {store.name}")


@pytest.fixture
def store(made_store: Store) -> Iterator[Store]:
    made_store.query("truncate outbox, marks")
    yield made_store
    made_store.open()


@pytest.fixture
def relay(store: Store) -> Iterator[Any]:
    """A session as the relay has one."""
    with closing(psycopg2.connect(store.url_of("alpha_relay"))) as connection:
        yield connection


@pytest.fixture
def stored(start, store, relay) -> Any:
    return start("alpha", SAMPLE_CLASS="Stored", ALPHA_DB_URL=store.url)


def test_health_names_a_relay_that_is_not_there(stored, relay, caller, eventually) -> None:
    assert caller.call("alpha", "health")["checks"] == {
        "database": True,
        "relay": True,
        "broker": True,
        "consumers": True,
    }
    relay.close()
    eventually(lambda: stored.health()["detail"] == {"relay": "no session of alpha_relay"}, timeout=3)
    assert caller.call("alpha", "health")["healthy"] is False


def test_health_names_a_relay_that_lags(stored, store, eventually) -> None:
    store.query("insert into outbox values (1, now() - interval '11 seconds', null)")
    eventually(lambda: not stored.health()["checks"]["relay"], timeout=3)
    store.query("update outbox set sent_at = now()")
    eventually(lambda: stored.health()["healthy"], timeout=3)


def test_a_row_that_waits_for_its_next_attempt_is_no_lag(stored, store, eventually) -> None:
    store.query("insert into outbox values (1, now() + interval '1 minute', null)")
    seen = stored.health()["at"]
    eventually(lambda: stored.health()["at"] > seen + 1.5)
    assert stored.health()["healthy"]


def test_a_lost_database_shows_in_health_and_the_service_outlives_it(stored, store, caller, eventually) -> None:
    store.close()
    eventually(lambda: not stored.health()["checks"]["database"], timeout=3)
    assert caller.call("alpha", "health")["checks"]["broker"]
    with pytest.raises(ServiceError) as error:
        caller.call("alpha", "sleep_in_sql", mark="lost", milliseconds=1)
    assert error.value.status == 503
    store.open()
    eventually(lambda: stored.health()["checks"]["database"], timeout=3)
    assert caller.call("alpha", "sleep_in_sql", mark="back", milliseconds=1)
    assert stored.process.poll() is None


def test_the_statement_of_an_expired_call_is_cancelled_and_nothing_of_it_stays(
    stored, store, caller, eventually
) -> None:
    with pytest.raises(DeadlineExceeded):
        caller.call("alpha", "sleep_in_sql", mark="late", milliseconds=1300, timeout=0.4)
    eventually(lambda: not store.query(SLEEPING), timeout=0.5)
    assert caller.call("alpha", "sleep_in_sql", mark="good", milliseconds=1)
    assert store.query("select mark from marks") == [("good",)]


def test_a_call_whose_connection_is_cut_runs_again_by_itself(stored, store, caller, eventually) -> None:
    call = caller.begin("alpha", "sleep_in_sql", mark="twice", milliseconds=600)
    ((pid,),) = eventually(lambda: store.query(SLEEPING))
    store.query(f"select pg_terminate_backend({pid})")
    assert call.result(5) == {"mark": "twice"}
    assert store.query("select mark from marks") == [("twice",)]
