"""Users' tests work on a migrated database by the service's own role, with a clock set by hand and cheap hashes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.chassis import database
from shared.chassis.context import Context, Idempotency, use
from shared.chassis.database import Database
from shared.contracts.errors import ValidationFailed
from shared.contracts.referrals.rpc import ClaimAnswer
from shared.contracts.users.rpc import TokensView, UserView
from shared.utils.ids import new_id
from users import passwords, tokens
from users.commands.log_in import log_in
from users.commands.refresh import refresh
from users.commands.register import register
from users.invariants import INVARIANTS
from users.rules import Lifetimes, LockPolicy

PASSWORD = "a long enough password"


@dataclass
class FakeReferrals:
    """Referrals as users sees it: `codes` of its own by their text, `calls` records; `problem` is raised instead."""

    codes: dict[str, ClaimAnswer] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)
    problem: Exception | None = None

    def claim(self, *, user_id: str, code: str, owner_id: str | None = None) -> ClaimAnswer:
        assert database._open.get() is None, "a call from inside a transaction"
        self.calls.append({"user_id": user_id, "code": code, "owner_id": owner_id})
        if self.problem is not None:
            raise self.problem
        if owner_id is not None:
            return self.codes.setdefault(code, ClaimAnswer(code_id=new_id(), code=code, owner_id=owner_id))
        if code not in self.codes:
            raise ValidationFailed.of("referral_code", "unknown", "There is no such code.")
        return self.codes[code]


@dataclass
class People:
    """Short words for what the tests do, and for what they look at. `now` moves only when told."""

    db: Database
    admin: Any
    now: datetime = datetime(2026, 3, 2, 10, tzinfo=UTC)
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    referrals: FakeReferrals = field(default_factory=FakeReferrals)
    policy: LockPolicy = field(default_factory=lambda: LockPolicy(free=3, first=timedelta(seconds=10)))

    def register(self, name: str = "ada", **more: Any) -> UserView:
        return self.answer(name, **more)["user"]

    def answer(
        self,
        name: str = "ada",
        *,
        email: str | None = None,
        password: str = PASSWORD,
        code: str | None = None,
        key: Idempotency | None = None,
    ) -> Any:
        return register(
            self.db,
            self.referrals,
            username=name,
            email=email or f"{name}@example.org",
            password=password,
            referral_code=code,
            asked=key,
            now=self.now,
        )

    def log_in(
        self, name: str = "ada", password: str = PASSWORD, *, agent: str | None = "a test", **context: Any
    ) -> TokensView:
        asked = Context(ip="127.0.0.9", user_agent=agent, **context)
        with use(asked):
            return log_in(
                self.db,
                login=name,
                password=password,
                asked=asked,
                lifetimes=self.lifetimes,
                policy=self.policy,
                now=self.now,
            )

    def refresh(self, token: str) -> TokensView:
        return refresh(self.db, token=token, lifetimes=self.lifetimes, now=self.now)

    def go(self, **amount: float) -> None:
        self.now += timedelta(**amount)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.admin.cursor() as cursor:
            cursor.execute(query, values)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def events(self, type_: str) -> list[dict[str, Any]]:
        """Envelopes of a type in the outbox, oldest first."""
        return [
            json.loads(row[0])
            for row in self.rows("SELECT payload FROM outbox WHERE routing_key = %s ORDER BY seq", type_)
        ]


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, keys: dict[str, str]) -> Iterator[None]:
    """Hashes that cost little, and keys for tokens."""
    for name, value in {**keys, "ARGON2_MEMORY_KIB": "64", "ARGON2_TIME_COST": "1"}.items():
        monkeypatch.setenv(name, value)
    for cached in (passwords._hasher, passwords._nobodys_hash, tokens.signing_key):
        cached.cache_clear()
    yield
    for cached in (passwords._hasher, passwords._nobodys_hash, tokens.signing_key):
        cached.cache_clear()


@pytest.fixture
def people(database: Callable[[str], Database], sql: Callable[[str], Any]) -> Iterator[People]:
    made = People(database("users"), sql("users"))
    yield made
    for invariant in INVARIANTS:
        assert made.rows(invariant.sql.replace("%", "%%")) == [], invariant.name
