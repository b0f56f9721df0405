"""Audit's tests work on a migrated database by the service's own role, and end with a trail that holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from audit import chain, copies
from audit.commands.list_entries import list_entries
from audit.commands.record import record
from audit.commands.record_events import record_events
from audit.commands.seal_entries import seal_entries
from audit.invariants import FACTS, INVARIANTS
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts import schema
from shared.contracts.envelope import Actor, Envelope, EventData, Received
from shared.contracts.trades.events import TradeOpened, TradeSettled
from shared.contracts.users.events import UserLoggedIn
from shared.devstack.keys import make_seal_key
from shared.settings.env import EnvConfig
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now


class Trail:
    """Short words for what the tests do to the audit trail, and for what they look at."""

    personal = {"username": "lovelace", "email": "ada@lovelace.example", "ip": "203.0.113.7", "user_agent": "a browser"}
    staff = Context(kind="staff", roles=("staff",), user_id="01920000-0000-7000-8000-0000000000aa", ip="198.51.100.4")

    def __init__(self, db: Database, admin: Any, key: chain.SealKey) -> None:
        self.db, self.admin, self.key = db, admin, key
        self.tampered = False

    def told(self, data: type[EventData] | EventData, **changes: Any) -> Received[EventData]:
        """An event as a handler gets it: of a class, its example."""
        data = data.example() if isinstance(data, type) else data
        values = {
            "id": new_id(),
            "type": data.type,
            "version": data.version,
            "source": data.owner,
            "subject": new_id(),
            "subject_version": 3,
            "occurred_at": "2026-03-02T09:59:59.125Z",
            "correlation_id": new_id(),
            "causation_id": new_id(),
            "actor": Actor(user_id="01920000-0000-7000-8000-000000000001", role="user", kind="user"),
            "data": schema.dump(data),
        }
        return Received(Envelope(**{**values, **changes}), data)

    def hear(self, *events: Received[Any], now: datetime | None = None) -> None:
        record_events(self.db, events, now=now or get_utc_now())

    def keep(self, *events: Received[Any]) -> None:
        copies.keep_users(self.db, events)

    def record(self, caller: Context, **changes: Any) -> None:
        values = {
            "record_id": new_id(),
            "action": "ACCESS_DENIED",
            "result": "denied",
            "subject_type": "route",
            "subject_id": "GET /audit",
            "occurred_at": "2026-03-02T10:00:00Z",
            "description": "Not allowed",
            "metadata": {"code": "forbidden"},
        }
        record(self.db, caller, **{**values, **changes}, now=get_utc_now())

    def read(self, caller: Context | None = None, **asked: Any) -> Any:
        values = {"action": None, "user_id": None, "subject_id": None, "limit": 20, "after": None, **asked}
        return list_entries(self.db, caller or self.staff, **values, now=get_utc_now())

    def seal(self, now: datetime | None = None) -> int:
        return seal_entries(self.db, self.key, now=now or get_utc_now())

    def verify(self) -> Any:
        return chain.verify_chain(self.db, self.staff, self.key)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.admin.cursor() as cursor:
            cursor.execute(query, values or None)
            return list(cursor.fetchall()) if cursor.description else []

    def one(self, query: str, *values: Any) -> Any:
        (row,) = self.rows(query, *values)
        return row

    def count(self, table: str) -> int:
        return int(self.one(f"SELECT count(*) FROM {table}")[0])

    def facts(self, name: str) -> dict[str, str]:
        return dict(self.rows(FACTS[name]))

    def tamper(self, statement: str, *values: Any) -> None:
        """As somebody with the database's own password who switches the triggers off."""
        self.tampered = True
        self.rows("SET session_replication_role = replica")
        try:
            self.rows(statement, *values)
        finally:
            self.rows("SET session_replication_role = origin")

    def violations(self) -> dict[str, list[tuple[Any, ...]]]:
        found = {one.name: self.rows(one.sql) for one in INVARIANTS}
        return {name: rows for name, rows in found.items() if rows}


@pytest.fixture(scope="session")
def key(keys: dict[str, str]) -> chain.SealKey:
    return chain.SealKey.load(EnvConfig(keys, dotenv=None))


@pytest.fixture
def trail(database: Callable[[str], Database], sql: Callable[[str], Any], key: chain.SealKey) -> Iterator[Trail]:
    """An empty audit trail; unless a test tampers with it, it must hold at the end, sealed or not."""
    made = Trail(database("audit"), sql("audit"), key)
    yield made
    if not made.tampered:
        assert made.violations() == {}
        while made.seal():
            pass
        assert made.violations() == {}
        assert made.verify()["ok"]


@pytest.fixture
def other_key(tmp_path: Path) -> chain.SealKey:
    """Somebody else's."""
    make_seal_key(tmp_path / "other.pem")
    return chain.SealKey.load(EnvConfig({"AUDIT_SEAL_KEY_FILE": str(tmp_path / "other.pem")}, dotenv=None))


@pytest.fixture
def five(trail: Trail) -> Trail:
    """Five sealed entries in two rounds: four events, with personal data, and a record."""
    trail.hear(*(trail.told(cls, personal=trail.personal) for cls in (TradeOpened, TradeSettled, UserLoggedIn)))
    assert trail.seal() == 3
    trail.hear(trail.told(TradeOpened, personal=trail.personal))
    trail.record(Context(kind="user", user_id=new_id(), ip="203.0.113.9"))
    assert trail.seal() == 2
    assert trail.violations() == {}
    return trail
