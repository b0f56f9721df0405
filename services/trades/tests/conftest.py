"""Trades' tests work on a migrated database by the service's own role; billing is a fake, the clock set by hand."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

import pytest
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from sqlalchemy import event

from shared.chassis.context import Context, Idempotency, use
from shared.chassis.database import Database
from shared.chassis.errors import CommitUnknown
from shared.chassis.retry import run_again
from shared.contracts import schema
from shared.contracts.billing.errors import AccountNotFound, HoldRefused
from shared.contracts.billing.events import AccountOpened
from shared.contracts.billing.rpc import AccountTerms, HoldAnswer, ReleaseAnswer
from shared.contracts.commission.events import CommissionAccrued, CommissionReversed, CommissionRuleChanged
from shared.contracts.envelope import Envelope, EventData, Received
from shared.contracts.errors import DeadlineExceeded, ServiceError
from shared.contracts.referrals.events import ReferralCodeChanged
from shared.contracts.trades.halts import HaltRequest, ResumeRequest
from shared.contracts.trades.limits import (
    GetLimitsRequest,
    PreviewRequest,
    SetAccountLimitsRequest,
    SetSelfLimitsRequest,
)
from shared.contracts.trades.rpc import (
    CloseTradeRequest,
    OpenTradeRequest,
    QuoteRequest,
    QuoteView,
    TradeView,
    VoidTradeRequest,
)
from shared.contracts.users.events import UserRegistered
from shared.utils.ids import new_id
from shared.utils.time import to_rfc3339, use_clock
from trades import copies
from trades.commands.apply_awards import apply_awards
from trades.commands.close_trade import close_trade
from trades.commands.get_limits import get_limits
from trades.commands.halt_trading import halt_trading
from trades.commands.open_trade import open_trade
from trades.commands.preview import preview
from trades.commands.quote import quote
from trades.commands.reject_stale import reject_stale
from trades.commands.resume_trading import resume_trading
from trades.commands.set_account_limits import set_account_limits
from trades.commands.set_self_limits import set_self_limits
from trades.commands.settle_due import settle_due
from trades.commands.void_trade import void_trade
from trades.invariants import INVARIANTS
from trades.market.book import Book
from trades.market.builtin import BuiltinMarket
from trades.market.faults import faults
from trades.market.faulty import FaultyMarket
from trades.market.hours import Hours, seed_of
from trades.rules import Conditions

T = TypeVar("T")
START = datetime(2026, 3, 2, 10, 20, 30, 250_000, tzinfo=UTC)
SYSTEM = Context(kind="system")
STAFF = "01920000-0000-7000-8000-000000000009"


@dataclass(frozen=True)
class Trader:
    """Somebody with an account that the copies know."""

    user_id: str
    account_id: str
    currency: str

    @property
    def context(self) -> Context:
        return Context(kind="user", user_id=self.user_id)


class Clock:
    """Stands still until it is told."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class FakeBilling:
    """Billing as trades sees it. `calls` records; `on_hold` and `on_release` run before the answer and may raise."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.terms: dict[str, AccountTerms] = {}
        self.held: dict[str, int] = {}
        self.released: set[str] = set()
        self.available = "10000.00"
        self.on_hold: Callable[[str], None] = lambda hold_id: None
        self.on_release: Callable[[str], None] = lambda hold_id: None

    def account_terms(self, *, account_id: str) -> AccountTerms:
        self.calls.append(("account_terms", account_id))
        if account_id not in self.terms:
            raise AccountNotFound()
        return self.terms[account_id]

    def hold(self, *, hold_id: str, account_id: str, user_id: str, amount: int, currency: str) -> HoldAnswer:
        self.calls.append(("hold", hold_id))
        self.on_hold(hold_id)
        if hold_id in self.released:
            raise HoldRefused()
        self.held[hold_id] = amount
        return HoldAnswer(hold_id=hold_id, amount=amount, available=0)

    def release(self, *, hold_id: str, reason: str = "rejected") -> ReleaseAnswer:
        self.calls.append(("release", hold_id))
        self.on_release(hold_id)
        self.released.add(hold_id)
        self.held.pop(hold_id, None)
        return ReleaseAnswer(hold_id=hold_id, state="RELEASED")

    def get_account(self, *, account_id: str) -> Any:
        self.calls.append(("get_account", account_id))
        return {"available": self.available}

    def asked(self, method: str) -> list[str]:
        return [subject for name, subject in self.calls if name == method]


def received(data: EventData, version: int = 1) -> Received[Any]:
    """An event as a handler gets it."""
    envelope = Envelope(
        id=new_id(),
        type=data.type,
        version=1,
        source=data.owner,
        subject=new_id(),
        subject_version=version,
        occurred_at=to_rfc3339(START),
        correlation_id=new_id(),
        data=schema.dump(data),
    )
    return Received(envelope, data)


class Desk:
    """Short words for what the tests do, and for what they look at."""

    received = staticmethod(received)

    def __init__(self, db: Database, admin: Any, clock: Clock) -> None:
        self.db, self.admin, self.clock = db, admin, clock
        self.billing: Any = FakeBilling()
        self.conditions = Conditions()
        self.hours = Hours(make_seed=seed_of("tests"))
        self.tampered = False
        self._market = BuiltinMarket

    @property
    def market(self) -> Any:
        return self._market(self.db, self.hours, commission=Decimal("0.012"))

    def through(self, market: type[BuiltinMarket]) -> None:
        """From here on everything asks this market."""
        self._market = market

    def user(self, user_id: str | None = None, version: int = 1, **changes: Any) -> str:
        """Who has a referrer has come by a code of his, which is here too, unless `changes` name another one."""
        user_id = user_id or new_id()
        if changes.get("referrer_id") and "code_id" not in changes:
            changes["code_id"] = self.code(changes["referrer_id"])
        data = replace(UserRegistered.example(), user_id=user_id, **{"referrer_id": None, "code_id": None, **changes})
        with self.db.transaction() as tx:
            copies.put_users(tx, [received(data, version)])
        return user_id

    def code(self, owner_id: str, percent: str | None = None, code_id: str | None = None, version: int = 1) -> str:
        code_id = code_id or new_id()
        data = replace(ReferralCodeChanged.example(), code_id=code_id, owner_id=owner_id, markup_percent=percent)
        with self.db.transaction() as tx:
            copies.put_codes(tx, [received(data, version)])
        return code_id

    def rule(self, owner_id: str, percent: str, version: int = 1) -> None:
        changed = CommissionRuleChanged.example()
        data = replace(changed, owner_id=owner_id, rule_version=version, markup_percent=percent)
        with self.db.transaction() as tx:
            copies.put_rules(tx, [received(data, version)])

    def trader(self, currency: str = "USD", account_markup: str | None = None, **user: Any) -> Trader:
        trader = Trader(self.user(**user), new_id(), currency)
        data = replace(
            AccountOpened.example(),
            account_id=trader.account_id,
            user_id=trader.user_id,
            currency=currency,
            markup_percentage=account_markup,
        )
        with self.db.transaction() as tx:
            copies.put_accounts(tx, [received(data)])
        return trader

    def quote(self, trader: Trader, **changes: Any) -> QuoteView:
        with use(trader.context):
            return quote(
                QuoteRequest(**_terms(trader, changes)),
                db=self.db,
                billing=self.billing,
                market=self.market,
                conditions=self.conditions,
            )

    def open(self, trader: Trader, key: str | None = None, body: str | None = None, **changes: Any) -> TradeView:
        return self.answer(trader, key, body, **changes)["trade"]

    def answer(self, trader: Trader, key: str | None = None, body: str | None = None, **changes: Any) -> Any:
        terms = _terms(trader, changes)
        idempotency = Idempotency(key or new_id(), "POST /trades", body or repr(sorted(terms.items())))
        with use(replace(trader.context, idempotency=idempotency)):
            return open_trade(
                OpenTradeRequest(**terms),
                db=self.db,
                billing=self.billing,
                market=self.market,
                conditions=self.conditions,
            )

    def close(self, trade_id: str, payout: str, key: str | None = None, kind: Any = "staff", **changes: Any) -> Any:
        idempotency = Idempotency(key or new_id(), "POST /trades/{id}/close", f"{trade_id} {payout}")
        with use(Context(kind=kind, user_id=STAFF, idempotency=idempotency)):
            return close_trade(
                CloseTradeRequest(trade_id=trade_id, payout=payout, **changes),
                db=self.db,
                market=self.market,
                conditions=self.conditions,
            )

    def void(self, trade_id: str, reason: str = "wrong price", key: str | None = None, kind: Any = "staff") -> Any:
        idempotency = Idempotency(key or new_id(), "POST /trades/{id}/void", f"{trade_id} {reason}")
        with use(Context(kind=kind, user_id=STAFF, idempotency=idempotency)):
            return void_trade(VoidTradeRequest(trade_id=trade_id, reason=reason), db=self.db, market=self.market)

    def awarded(self, trade_id: str, award_id: str, amount: int = 39, **changes: Any) -> Received[Any]:
        data = replace(CommissionAccrued.example(), trade_id=trade_id, award_id=award_id, amount=amount, **changes)
        return received(data)

    def taken_back(self, trade_id: str, award_id: str, amount: int = 39) -> Received[Any]:
        data = replace(CommissionReversed.example(), trade_id=trade_id, award_id=award_id, amount=amount)
        return received(data, 2)

    def apply(self, *events: Received[Any]) -> None:
        with use(SYSTEM):
            apply_awards(events, db=self.db)

    def settle(self) -> datetime | None:
        with use(SYSTEM):
            return settle_due(db=self.db, market=self.market)

    def sweep(self) -> None:
        with use(SYSTEM):
            reject_stale(db=self.db, billing=self.billing, market=self.market)

    def pending(self, trader: Trader, key: str | None = None) -> str:
        """A trade whose opening breaks off in the hold; its id."""
        was, self.billing.on_hold = self.billing.on_hold, _unknown
        try:
            with pytest.raises(ServiceError):
                self.open(trader, key)
        finally:
            self.billing.on_hold = was
        return str(self.billing.asked("hold")[-1])

    def row(self, trade_id: str) -> dict[str, Any]:
        (found,) = self.rows("SELECT to_jsonb(t) FROM trades t WHERE id = %s", trade_id)
        return dict(found[0])

    def told(self, type_: str) -> list[Envelope]:
        """Events in the outbox, in their order."""
        rows = self.rows("SELECT payload::jsonb FROM outbox WHERE routing_key = %s ORDER BY seq", type_)
        return [Envelope.from_json(row[0]) for row in rows]

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.admin.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall()) if cursor.description else []

    def tamper(self, statement: str, *values: Any) -> None:
        """As somebody with the database's own password."""
        self.tampered = True
        self.rows(statement, *values)

    def violations(self) -> dict[str, list[tuple[Any, ...]]]:
        found = {invariant.name: self.rows(invariant.sql.replace("%", "%%")) for invariant in INVARIANTS}
        return {name: rows for name, rows in found.items() if rows}


class Counter:
    """Where limits are set and asked about, by the trader himself or by staff."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def own(self, trader: Trader, **wanted: Any) -> Any:
        return self._ask(set_self_limits, trader, SetSelfLimitsRequest(account_id=trader.account_id, **wanted))

    def staff(self, trader: Trader, **wanted: Any) -> Any:
        request = SetAccountLimitsRequest(account_id=trader.account_id, **wanted)
        return self._ask(set_account_limits, None, request)

    def limits(self, trader: Trader, by: Trader | None = None) -> Any:
        return self._ask(get_limits, by or trader, GetLimitsRequest(account_id=trader.account_id))

    def preview(self, trader: Trader, **changes: Any) -> Any:
        request = PreviewRequest(**_terms(trader, changes))
        return self._ask(preview, trader, request, market=self._desk.market)

    def halt(self, symbol: str | None = None, reason: str = "late prices", kind: Any = "staff") -> Any:
        with use(Context(kind=kind, user_id=STAFF)):
            request = HaltRequest(symbol=symbol, reason=reason)
            return halt_trading(request, db=self._desk.db, market=self._desk.market)

    def resume(self, symbol: str | None = None, kind: Any = "staff") -> Any:
        with use(Context(kind=kind, user_id=STAFF)):
            return resume_trading(ResumeRequest(symbol=symbol), db=self._desk.db)

    def _ask(self, command: Callable[..., T], trader: Trader | None, request: Any, **ports: Any) -> T:
        desk = self._desk
        with use(trader.context if trader else Context(kind="staff", user_id=STAFF)):
            ask = partial(command, request, db=desk.db, billing=desk.billing, conditions=desk.conditions, **ports)
            return run_again(ask)  # as the door does


def _terms(trader: Trader, changes: dict[str, Any]) -> dict[str, Any]:
    usual = {"symbol": "R_100", "stake": "10.00", "contract_type": "CALL", "duration": 5, "duration_unit": "t"}
    return {"account_id": trader.account_id, **usual, **changes}


def _unknown(hold_id: str) -> None:
    raise DeadlineExceeded()


@pytest.fixture
def clock() -> Iterator[Clock]:
    made = Clock(START)
    with use_clock(made):
        yield made


@pytest.fixture
def desk(database: Callable[[str], Database], sql: Callable[[str], Any], clock: Clock) -> Iterator[Desk]:
    """No trades yet; whatever a test did, the invariants hold at the end."""
    made = Desk(database("trades"), sql("trades"), clock)
    made.market.prepare(now=clock.now)
    yield made
    if not made.tampered:
        # The clock of the tests is not the server's.
        assert made.violations().keys() <= {"pending_overdue", "open_overdue"}


@pytest.fixture
def counter(desk: Desk) -> Counter:
    return Counter(desk)


@pytest.fixture
def at_once(desk: Desk) -> Iterator[Callable[..., list[Any]]]:
    """Runs calls in as many threads, and gives their answers or the codes of their refusals."""

    def attempt(call: Callable[[], T]) -> T | str:
        try:
            return call()
        except ServiceError as error:
            return error.code

    shared = desk.db
    desk.db = Database(shared.url.render_as_string(hide_password=False), pool_size=25)

    def run(*calls: Callable[[], Any]) -> list[Any]:
        # Threads begin with an empty context: the clock goes along.
        contexts = [contextvars.copy_context() for _ in calls]
        with ThreadPoolExecutor(25) as pool:
            return list(pool.map(lambda context, call: context.run(attempt, call), contexts, calls))

    yield run
    desk.db.close()
    desk.db = shared


@pytest.fixture
def statements() -> Callable[[Database], Any]:
    """Everything that is sent to the server inside the block."""

    @contextmanager
    def record(db: Database) -> Iterator[list[str]]:
        seen: list[str] = []

        def note(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(db.engine, "before_cursor_execute", note)

    return record


@pytest.fixture
def lost_commit() -> Callable[[Database, int], Any]:
    """The answer to the nth commit inside the block is lost: it is done, and the connection breaks.

    A statement that writes, outside of any transaction, is a commit too.
    """

    @contextmanager
    def lose(db: Database, which: int) -> Iterator[list[type[Exception]]]:
        lost: list[type[Exception]] = []
        commits = 0

        def after(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
            nonlocal commits
            alone = conn.connection.dbapi_connection.info.transaction_status == TRANSACTION_STATUS_IDLE
            if statement == "COMMIT" or (alone and statement.startswith("WITH")):
                commits += 1
                if commits == which:
                    lost.append(CommitUnknown)
                    conn.invalidate()
                    raise CommitUnknown("the connection was lost during COMMIT")

        event.listen(db.engine, "after_cursor_execute", after)
        try:
            yield lost
        finally:
            event.remove(db.engine, "after_cursor_execute", after)

    return lose


@pytest.fixture
def fail(desk: Desk, clock: Clock) -> Callable[..., None]:
    """From here on everything asks a market with these faults; none: one that has got over them.

    Without faults of its prices an opening comes as far as buying.
    """

    def switch(text: str = "seed=none", *, prices: bool = True) -> None:
        wanted = faults(text)

        class Failing(FaultyMarket):
            def __init__(self, db: Any, hours: Any, **more: Any) -> None:
                super().__init__(BuiltinMarket(db, hours, **more), Book(db), wanted, sleep=clock.go)

            def proposal(self, terms: Any, *, now: datetime) -> Any:
                return super().proposal(terms, now=now) if prices else self._market.proposal(terms, now=now)

        desk.through(Failing)

    return switch
