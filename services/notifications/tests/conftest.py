"""Notifications' tests work on a migrated database by the service's own role, and end with counters that are exact."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event as engine_event

from notifications import copies, queries
from notifications.commands.create import create
from notifications.commands.delete import delete
from notifications.commands.delete_all import delete_all
from notifications.commands.mark_all_read import mark_all_read
from notifications.commands.mark_read import mark_read
from notifications.commands.notify import notify
from notifications.invariants import INVARIANTS
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.chassis.retry import run_again
from shared.contracts import schema
from shared.contracts.envelope import Envelope, EventData, Received
from shared.contracts.errors import ServiceError
from shared.contracts.notifications.rpc import NotificationView
from shared.contracts.trades.events import TradeSettled
from shared.contracts.users.events import UserRegistered
from shared.utils.ids import new_id

STAFF = Context(kind="staff", user_id="01920000-0000-7000-8000-000000000009")
SYSTEM = Context(kind="system")


def make_received(data: EventData, *, version: int = 1, republished: bool = False, **personal: str) -> Received[Any]:
    """An event as a handler gets it; its subject is left to chance, for nothing may depend on it."""
    envelope = Envelope(
        id=new_id(),
        type=data.type,
        version=data.version,
        source=data.owner,
        subject=new_id(),
        subject_version=version,
        occurred_at="2026-01-01T00:00:00Z",
        correlation_id=new_id(),
        data=schema.dump(data),
        personal=personal,
        republished=republished,
    )
    return Received(envelope, data)


@dataclass
class Board:
    """Short words for what the tests do, and for what they look at. `now` moves only when told."""

    db: Database
    admin: Any
    now: datetime = datetime(2026, 3, 2, 10, tzinfo=UTC)
    tampered: bool = False

    received = staticmethod(make_received)

    def settled(self, user_id: str, **changes: Any) -> Received[TradeSettled]:
        """A trade of somebody's has its result."""
        return make_received(replace(TradeSettled.example(), **{"trade_id": new_id(), "user_id": user_id, **changes}))

    def person(self) -> Context:
        """Somebody of whom the copies know."""
        user_id = new_id()
        self.hear_of(make_received(replace(UserRegistered.example(), user_id=user_id)))
        return Context(kind="user", user_id=user_id)

    def hear_of(self, *events: Received[Any]) -> None:
        copies.keep_users(self.db, events)

    def notify(self, *events: Received[Any]) -> None:
        notify(self.db, events, now=self.now)

    def told(self, person: Context, count: int = 1) -> list[str]:
        """As many notifications to him; their ids, oldest first."""
        self.notify(*(self.settled(person.require_user()) for _ in range(count)))
        return [one["id"] for one in reversed(self.list(person, limit=count)["results"])]

    def create(self, caller: Context = STAFF, **changes: Any) -> NotificationView:
        values = {"user_id": None, "title": "Maintenance", "body": "Tonight.", "level": "info", "data": None}
        return create(self.db, caller, **{**values, **changes}, now=self.now)

    def list(self, caller: Context, **asked: Any) -> Any:
        nothing = {"unread": None, "limit": 20, "after": None}
        return queries.list_notifications(self.db, caller, **{**nothing, **asked})

    def ids(self, caller: Context, **asked: Any) -> Sequence[str]:
        return [one["id"] for one in self.list(caller, **asked)["results"]]

    def get(self, caller: Context, notification_id: str) -> NotificationView:
        return queries.get_notification(self.db, caller, notification_id)

    def unread(self, caller: Context) -> int:
        return queries.count_unread(self.db, caller)

    def read(self, caller: Context, notification_id: str) -> NotificationView:
        return mark_read(self.db, caller, notification_id=notification_id, now=self.now)

    def read_all(self, caller: Context) -> int:
        return mark_all_read(self.db, caller, now=self.now)["count"]

    def delete(self, caller: Context, notification_id: str) -> None:
        delete(self.db, caller, notification_id=notification_id, now=self.now)

    def delete_all(self, caller: Context) -> int:
        return delete_all(self.db, caller, now=self.now)["count"]

    def numbers(self, user_id: str | None) -> list[int]:
        """Of all that a user (None: all of staff) was ever told, in their order."""
        found = self.rows(
            "SELECT number FROM notifications WHERE user_id IS NOT DISTINCT FROM %s ORDER BY number", user_id
        )
        return [number for (number,) in found]

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.admin.cursor() as cursor:
            cursor.execute(query, values or None)
            return list(cursor.fetchall()) if cursor.description else []

    def one(self, query: str, *values: Any) -> tuple[Any, ...]:
        (row,) = self.rows(query, *values)
        return row

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

    @contextmanager
    def statements(self) -> Iterator[Any]:
        """What is sent to the database meanwhile, as it is sent."""
        sent: Any = []

        def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            sent.append(cursor.mogrify(statement, parameters).decode())

        engine_event.listen(self.db.engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            engine_event.remove(self.db.engine, "before_cursor_execute", note)


@pytest.fixture
def board(database: Callable[[str], Database], sql: Callable[[str], Any]) -> Iterator[Board]:
    """An empty board; whatever a test did to it, its equations must hold at the end."""
    made = Board(database("notifications"), sql("notifications"))
    yield made
    if not made.tampered:
        assert made.violations() == {}


@pytest.fixture
def at_once(board: Board) -> Callable[..., list[Any]]:
    """Runs calls in as many threads, and gives their answers or the codes of their refusals."""

    def attempt(call: Callable[[], Any]) -> Any:
        try:
            return run_again(call)
        except ServiceError as error:
            return error.code

    def run(*calls: Callable[[], Any], threads: int = 16) -> list[Any]:
        shared = board.db
        board.db = Database(shared.url.render_as_string(hide_password=False), pool_size=threads)
        try:
            with ThreadPoolExecutor(threads) as pool:
                return list(pool.map(attempt, calls))
        finally:
            board.db.close()
            board.db = shared

    return run
