"""A service that has lost its copies gets them back by `republish`, as a new one gets its first, and nobody is told."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import psycopg2
import pytest

from client.http import Http
from shared.chassis.testing import eventually
from shared.devstack.registry import SERVICES
from tests.flows.driver import Stack, Trader

COPIES = {
    ("users", "user_registered"): {
        "trades": ("user_copies",),
        "billing": ("user_copies", "user_names"),
        "commission": ("user_copies", "user_names"),
        "referrals": ("user_copies", "user_names"),
        "notifications": ("user_copies", "user_contacts"),
        "audit": ("user_copies", "user_names"),
    },
    ("billing", "account_opened"): {"trades": ("account_copies",)},
    ("referrals", "referral_code_changed"): {"trades": ("code_copies",)},
    ("commission", "commission_rule_changed"): {"trades": ("rule_copies",)},
}
"""What is filled by each present state: readers and their tables."""


class Tables:
    """The stack's databases as a superuser sees them."""

    def __init__(self, stack: Stack, closing_with: ExitStack) -> None:
        found = stack.status()["postgres"]
        server = found["admin_url"].rpartition("/")[0]
        self._connections: dict[str, Any] = {}
        for service in SERVICES:
            connection = psycopg2.connect(f"{server}/{found['databases'][service]}")
            connection.autocommit = True
            self._connections[service] = closing_with.enter_context(closing(connection))

    def rows(self, service: str, query: str) -> list[tuple[Any, ...]]:
        with self._connections[service].cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall()) if cursor.description else []

    def copy(self, service: str, table: str) -> list[str]:
        """All rows of a table, as text."""
        return sorted(row[0] for row in self.rows(service, f"SELECT to_jsonb(t)::text FROM {table} t"))

    def empty(self, service: str, table: str) -> None:
        """Past every trigger, as a disaster would."""
        self.rows(service, f"SET session_replication_role = replica; DELETE FROM {table}")

    def told(self) -> dict[str, int]:
        """How much anybody has been told, ever: events (which may have been pruned), notifications, audit entries."""
        last = "SELECT pg_sequence_last_value(pg_get_serial_sequence('outbox', 'seq'))"
        found = {service: self.rows(service, last)[0][0] for service in SERVICES}
        for service, table in (("notifications", "notifications"), ("audit", "entries")):
            found[table] = self.rows(service, f"SELECT count(*) FROM {table}")[0][0]
        return found


@pytest.fixture(scope="module")
def tables(stack: Stack) -> Iterator[Tables]:
    with ExitStack() as closing_with:
        yield Tables(stack, closing_with)


@pytest.fixture(scope="module")
def known(stack: Stack) -> None:
    """An affiliate with a rule, a code and markups of his own, each in a later version, and whom he has referred."""
    http = Http(stack.port)
    who = json.loads(stack.verb("status", "--json"))["staff"]
    login = {"username": who["username"], "password": who["password"]}
    staff = {"Authorization": f"Bearer {http.post('/auth/token', login).body['access']}"}
    affiliate = Trader.register(http)
    code = http.post("/referrals/codes", {"code": f"V-{uuid.uuid4().hex[:12]}"}, affiliate.headers).body
    rule, user = f"/commission/rules/{affiliate.user_id}", f"/users/{affiliate.user_id}"
    for percent in ("1.00", "1.50"):
        changes = [
            ("PUT", rule, {"referral_percent": "5.00", "markup_percent": percent}),
            ("PATCH", user, {"markup_percentage": percent}),
            ("PATCH", f"/accounts/{affiliate.account_id}", {"markup_percentage": percent}),
            ("PATCH", f"/referrals/codes/{code['id']}", {"markup_percent": percent}),
        ]
        for method, path, body in changes:
            answer = http.call(method, path, body, staff)
            assert answer.status == 200, (path, answer)
    name, password = f"t{uuid.uuid4().hex[:16]}", f"pw-{uuid.uuid4().hex}"
    person = {"username": name, "email": f"{name}@example.org", "password": password}
    answer = http.post("/auth/register", {**person, "referral_code": code["code"]})
    assert answer.status == 201, answer
    http.close()


@pytest.mark.parametrize(("owner", "type_"), COPIES, ids=lambda value: value)
def test_lost_copies_come_back_and_nobody_is_told(
    stack: Stack, tables: Tables, known: None, owner: str, type_: str
) -> None:
    eventually(lambda: stack.verify()["pending"] == {}, timeout=60)
    told = tables.told()
    before = {
        (reader, name): tables.copy(reader, name) for reader, names in COPIES[owner, type_].items() for name in names
    }
    assert all(before.values())
    for reader, name in before:
        tables.empty(reader, name)
    for reader in COPIES[owner, type_]:
        stack.verb("republish", owner, type_, "--to", reader)
    eventually(lambda: {copy: tables.copy(*copy) for copy in before} == before, timeout=20)
    found = stack.verify()
    assert (found["violations"], found["pending"]) == ([], {})
    assert tables.told() == told
