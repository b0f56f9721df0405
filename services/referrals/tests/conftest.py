"""Referrals' tests work on a migrated database by the service's own role, with a clock set by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from referrals.commands.change_code import change_code
from referrals.commands.claim import claim
from referrals.commands.confirm_referrals import confirm_referrals
from referrals.commands.generate_code import generate_code
from referrals.commands.mark_awarded import mark_awarded
from referrals.commands.return_claims import return_claims
from referrals.invariants import INVARIANTS
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts import schema
from shared.contracts.commission.events import ReferralCommissionAccrued
from shared.contracts.envelope import Envelope, EventData, Received
from shared.contracts.errors import ServiceError, ValidationFailed
from shared.contracts.referrals.rpc import ChangeCodeRequest, ClaimAnswer, CodeView, GenerateCodeRequest
from shared.contracts.users.events import UserRegistered
from shared.utils.ids import generate_affiliate_code, new_id
from shared.utils.time import to_rfc3339

T = TypeVar("T")
PATIENCE = timedelta(minutes=10)
STAFF = Context(kind="staff", user_id="01920000-0000-7000-8000-000000000009")


def make_received(data: EventData, *, subject: str, version: int = 1, name: str | None = None, **more: Any) -> Any:
    envelope = Envelope(
        id=new_id(),
        type=data.type,
        version=1,
        source=data.owner,
        subject=subject,
        subject_version=version,
        occurred_at=to_rfc3339(datetime(2026, 3, 2, 9, tzinfo=UTC)),
        correlation_id=new_id(),
        data=schema.dump(data),
        personal={} if name is None else {"username": name},
        **more,
    )
    return Received(envelope, data)


@dataclass(frozen=True)
class Person:
    """Somebody with an id and an affiliate code, whether or not anybody has heard of him."""

    id: str = field(default_factory=new_id)
    code: str = field(default_factory=lambda: generate_affiliate_code("ada"))

    @property
    def context(self) -> Context:
        return Context(kind="user", user_id=self.id)

    def registered(self, by: ClaimAnswer | None = None, **more: Any) -> Received[UserRegistered]:
        """The event of his registration, by somebody's code or not."""
        data = replace(
            UserRegistered.example(),
            user_id=self.id,
            affiliate_code=self.code,
            referrer_id=by["owner_id"] if by else None,
            referral_code=by["code"] if by else None,
            code_id=by["code_id"] if by else None,
        )
        return make_received(data, subject=self.id, name="ada", **more)

    def awarded(self) -> Received[ReferralCommissionAccrued]:
        """The event of a commission on his first deposit."""
        return make_received(replace(ReferralCommissionAccrued.example(), user_id=self.id), subject=new_id())


@dataclass
class Desk:
    """Short words for what the tests do, and for what they look at. `now` moves only when told."""

    db: Database
    admin: Any
    now: datetime = datetime(2026, 3, 2, 10, tzinfo=UTC)
    tampered: bool = False

    def owner(self) -> Person:
        """Somebody who has registered."""
        made = Person()
        self.hear(made.registered())
        return made

    def hear(self, *told: Received[UserRegistered]) -> None:
        confirm_referrals(self.db, told, now=self.now)

    def award(self, *told: Received[ReferralCommissionAccrued]) -> None:
        mark_awarded(self.db, told, now=self.now)

    def claim(self, person: Person, code: str, owner_id: str | None = None) -> ClaimAnswer:
        return claim(self.db, user_id=person.id, code=code, owner_id=owner_id, now=self.now)

    def refusal(self, person: Person, code: str, owner_id: str | None = None) -> str:
        """The code of the field error with which a claim is refused."""
        with pytest.raises(ValidationFailed) as raised:
            self.claim(person, code, owner_id)
        (error,) = raised.value.errors
        assert error["field"] == "referral_code"
        return error["code"]

    def give_back(self, **later: float) -> datetime | None:
        self.now += timedelta(**later)
        return return_claims(self.db, patience=PATIENCE, now=self.now)

    def generate(self, owner: Person | Context, **asked: Any) -> CodeView:
        context = owner if isinstance(owner, Context) else owner.context
        return generate_code(self.db, context, GenerateCodeRequest(**asked), now=self.now)["code"]

    def change(self, owner: Person | Context, code_id: str, **asked: Any) -> CodeView:
        context = owner if isinstance(owner, Context) else owner.context
        return change_code(self.db, context, ChangeCodeRequest(code_id=code_id, **asked), now=self.now)

    def uses(self, code: str) -> int:
        return int(self.one("SELECT uses FROM referral_codes WHERE lower(code) = lower(%s)", code)[0])

    def state(self, person: Person) -> str | None:
        found = self.rows("SELECT state FROM referrals WHERE referred_user_id = %s", person.id)
        return found[0][0] if found else None

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.admin.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall()) if cursor.description else []

    def one(self, query: str, *values: Any) -> tuple[Any, ...]:
        (row,) = self.rows(query, *values)
        return row

    def told(self, type_: str) -> list[dict[str, Any]]:
        """Envelopes of a type in the outbox, oldest first."""
        rows = self.rows("SELECT payload FROM outbox WHERE routing_key = %s ORDER BY seq", type_)
        return [json.loads(row[0]) for row in rows]

    def tamper(self, statement: str, *values: Any) -> None:
        """As somebody with the database's own password who switches the triggers off."""
        self.tampered = True
        self.rows("SET session_replication_role = replica")
        try:
            self.rows(statement, *values)
        finally:
            self.rows("SET session_replication_role = origin")

    def violations(self) -> set[str]:
        return {one.name for one in INVARIANTS if self.rows(one.sql.replace("%", "%%"))}


@pytest.fixture
def desk(database: Callable[[str], Database], sql: Callable[[str], Any]) -> Iterator[Desk]:
    """An empty database; whatever a test did to it, its equations must hold at the end."""
    made = Desk(database("referrals"), sql("referrals"))
    yield made
    if not made.tampered:
        assert made.violations() <= {"nothing_waits_for_ever"}  # the clock of the tests is not the database's


@pytest.fixture
def at_once(desk: Desk) -> Callable[..., list[Any]]:
    """Runs calls in as many threads, and gives their answers or their refusals."""

    def attempt(call: Callable[[], T]) -> T | str:
        try:
            return call()
        except ServiceError as error:
            return error.errors[0]["code"] if error.errors else error.code

    def run(*calls: Callable[[], T], threads: int = 25) -> list[T | str]:
        shared = desk.db
        desk.db = Database(shared.url.render_as_string(hide_password=False), pool_size=threads)
        try:
            with ThreadPoolExecutor(threads) as pool:
                return list(pool.map(attempt, calls))
        finally:
            desk.db.close()
            desk.db = shared

    return run


@pytest.fixture
def person() -> type[Person]:
    """Makes people, each younger than the one before."""
    return Person


@pytest.fixture
def received() -> Callable[..., Any]:
    """Makes events as handlers get them."""
    return make_received


@pytest.fixture
def staff() -> Context:
    """A member of staff."""
    return STAFF
