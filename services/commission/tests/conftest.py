"""Commission's tests work on a migrated database by the service's own role, with a clock set by hand."""

from __future__ import annotations

import contextvars
import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from commission import copies, queries
from commission.commands.decide_deposits import decide_deposits
from commission.commands.decide_trades import decide_trades
from commission.commands.set_rule import set_rule
from commission.commands.void_trades import void_trades
from commission.invariants import INVARIANTS
from commission.rules import Conditions
from shared.chassis.context import Context, Idempotency, use
from shared.chassis.database import Database
from shared.chassis.errors import RetryTransaction
from shared.contracts import schema
from shared.contracts.billing.events import DepositCompleted
from shared.contracts.commission.rpc import CommissionPage, RuleView
from shared.contracts.envelope import Envelope, EventData, Received
from shared.contracts.errors import ServiceError
from shared.contracts.trades.events import TradeCancelled, TradeSettled
from shared.contracts.users.events import UserRegistered, UserUpdated
from shared.utils.ids import new_id
from shared.utils.time import to_rfc3339, use_clock

STAFF = Context(kind="staff", user_id="01920000-0000-7000-8000-000000000009")
SYSTEM = Context(kind="system")
OF_USERS = (UserRegistered, UserUpdated)


class Office:
    """Short words for what the tests do and look at. `now` moves only when told; `clock` may be another one."""

    def __init__(self, db: Database, admin: Any) -> None:
        self.db, self.admin = db, admin
        self.now = datetime(2026, 3, 2, 10, tzinfo=UTC)
        self.clock: Callable[[], datetime] = lambda: self.now
        self.tampered = False
        self.rolled_back: list[str] = []

    def go(self, **amount: float) -> None:
        self.now += timedelta(**amount)

    def received(self, data: EventData, subject: str, version: int = 1, **envelope: Any) -> Received[Any]:
        """An event as a handler gets it, which happened now."""
        made = Envelope(
            id=new_id(),
            type=data.type,
            version=1,
            source=data.owner,
            subject=subject,
            subject_version=version,
            **{
                "occurred_at": to_rfc3339(self.clock()),
                "correlation_id": new_id(),
                "data": schema.dump(data),
                **envelope,
            },
        )
        return Received(made, data)

    def registered(self, user_id: str, referrer_id: str | None = None, version: int = 1) -> Received[UserRegistered]:
        code = None if referrer_id is None else new_id()
        data = dataclasses.replace(
            UserRegistered.example(), user_id=user_id, referrer_id=referrer_id, referral_code=code, code_id=code
        )
        return self.received(data, user_id, version, personal={"username": f"user {user_id[-4:]}"})

    def settled(self, *, trade_id: str | None = None, **changes: Any) -> Received[TradeSettled]:
        """A REAL trade with a markup of 39 and an affiliate, unless told otherwise."""
        return self._trade(TradeSettled.example(), trade_id, changes)

    def cancelled(self, *, trade_id: str | None = None, **changes: Any) -> Received[TradeCancelled]:
        """The same trade, voided after it was settled, unless told otherwise."""
        return self._trade(TradeCancelled.example(), trade_id, changes)

    def _trade(self, example: Any, trade_id: str | None, changes: dict[str, Any]) -> Received[Any]:
        terms = {
            "trade_id": trade_id or new_id(),
            "user_id": TRADER,
            "account_type": "REAL",
            "affiliate_id": AFFILIATE,
            "rule_id": RULE,
            "rule_version": 3,
            "markup_source": "rule",
            **changes,
        }
        return self.received(dataclasses.replace(example, **terms), terms["trade_id"], 3)

    def deposit(self, user_id: str, **changes: Any) -> Received[DepositCompleted]:
        """A first deposit of 500.00, unless told otherwise."""
        terms = {"transaction_id": new_id(), "user_id": user_id, **changes}
        data = dataclasses.replace(DepositCompleted.example(), **terms)
        return self.received(data, terms["transaction_id"], 2)

    def hear(self, *events: Received[Any]) -> None:
        """All of them in one batch, each by the handler of its type."""
        work: list[tuple[Any, Callable[[list[Received[Any]]], None]]] = [
            (OF_USERS, lambda some: copies.keep_users(self.db, some)),
            (TradeSettled, lambda some: decide_trades(self.db, some, now=self.now)),
            (TradeCancelled, lambda some: void_trades(self.db, some, now=self.now)),
            (DepositCompleted, lambda some: decide_deposits(self.db, some, now=self.now)),
        ]
        with use(SYSTEM), self.db.transaction():
            for types, handler in work:
                some = [one for one in events if isinstance(one.data, types)]
                if some:
                    handler(some)

    def user(self, referrer_id: str | None = None) -> str:
        user_id = new_id()
        self.hear(self.registered(user_id, referrer_id))
        return user_id

    def set_rule(
        self,
        owner_id: str,
        referral: str = "5",
        markup: str = "2",
        *,
        caller: Context = STAFF,
        key: Idempotency | None = None,
        conditions: Conditions | None = None,
    ) -> RuleView:
        asked = dataclasses.replace(caller, idempotency=key)
        with use_clock(self.clock), use(asked):
            return set_rule(
                self.db,
                asked,
                owner_id=owner_id,
                referral_percent=referral,
                markup_percent=markup,
                conditions=conditions or Conditions(),
            )

    def listed(self, caller: Context = STAFF, **filters: Any) -> CommissionPage:
        nothing = {"owner_id": None, "user_id": None, "kind": None, "reference": None, "limit": 20, "after": None}
        return queries.list_transactions(self.db, caller, **{**nothing, **filters})

    def decision(self, subject_id: str) -> tuple[Any, ...]:
        """Kind, amount, what is due, and why not."""
        found: tuple[Any, ...] = self.one(
            "SELECT subject_kind, amount, due, reason FROM decisions WHERE subject_id = %s", subject_id
        )
        return found

    def amounts(self, reference: str) -> list[int]:
        """Of the awards and reversals for a trade or deposit, oldest first."""
        return [row[0] for row in self.rows("SELECT amount FROM awards WHERE reference = %s ORDER BY id", reference)]

    def told(self, type_: str) -> list[Envelope]:
        """Events in the outbox, in their order."""
        rows = self.rows("SELECT payload::jsonb FROM outbox WHERE routing_key = %s ORDER BY seq", type_)
        return [Envelope.from_json(row[0]) for row in rows]

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.admin.cursor() as cursor:
            cursor.execute(query, values or None)
            return list(cursor.fetchall()) if cursor.description else []

    def one(self, query: str, *values: Any) -> Any:
        (row,) = self.rows(query, *values)
        return row

    def tamper(self, statement: str) -> None:
        """As somebody with the database's own password who switches triggers and foreign keys off."""
        self.tampered = True
        self.past_guards(statement)

    def past_guards(self, statement: str) -> None:
        self.rows(f"SET session_replication_role = replica; {statement}; RESET session_replication_role")

    def violations(self) -> dict[str, list[tuple[Any, ...]]]:
        found = {one.name: self.rows(one.sql) for one in INVARIANTS}
        return {name: rows for name, rows in found.items() if rows}

    def empty(self) -> None:
        """Between the examples of one test."""
        for table in ("decisions", "awards", "rule_versions", "rules", "user_names", "user_copies", "outbox"):
            self.past_guards(f"DELETE FROM {table}")


TRADER = "01920000-0000-7000-8000-000000000001"
AFFILIATE = "01910000-0000-7000-8000-000000000002"
RULE = "01920000-0000-7000-8000-000000000063"


@pytest.fixture
def office(database: Callable[[str], Database], sql: Callable[[str], Any]) -> Iterator[Office]:
    """Nothing decided yet; whatever a test did, the invariants hold at the end."""
    made = Office(database("commission"), sql("commission"))
    yield made
    if not made.tampered:
        assert made.violations() == {}


@pytest.fixture
def at_once(office: Office) -> Iterator[Callable[..., list[Any]]]:
    """Runs calls in as many threads, and gives their answers or the codes of their refusals."""

    def attempt(call: Callable[[], Any]) -> Any:
        while True:
            try:
                return call()
            except RetryTransaction as error:
                office.rolled_back.append(str(error))
            except ServiceError as error:
                return error.code

    shared = office.db
    office.db = Database(shared.url.render_as_string(hide_password=False), pool_size=20)

    def run(*calls: Callable[[], Any]) -> list[Any]:
        contexts = [contextvars.copy_context() for _ in calls]
        with ThreadPoolExecutor(20) as pool:
            return list(pool.map(lambda context, call: context.run(attempt, call), contexts, calls))

    yield run
    office.db.close()
    office.db = shared


@pytest.fixture
def statements(office: Office) -> Callable[[], Any]:
    """Everything that is sent to the server inside the block, as the server gets it."""

    @contextmanager
    def record() -> Iterator[list[str]]:
        seen: list[str] = []

        def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            seen.append(cursor.mogrify(statement, parameters or None).decode())

        event.listen(office.db.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(office.db.engine, "before_cursor_execute", note)

    return record
