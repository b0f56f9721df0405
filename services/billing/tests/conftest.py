"""Billing's tests work on a migrated database through the service's own role, and end with books that add up."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from billing import ledger, queries
from billing.commands.checkpoint_accounts import checkpoint_accounts
from billing.commands.open_demo_account import open_demo_account
from billing.commands.place_hold import place_hold
from billing.commands.release_hold import release_hold
from billing.commands.settle_trades import settle_trades
from billing.commands.sync_real_account import sync_real_account
from billing.commands.void_trades import void_trades
from billing.invariants import INVARIANTS
from billing.rules import Account, LedgerTx, Leg, Posted
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.chassis.retry import run_again
from shared.chassis.testing import eventually
from shared.contracts import schema
from shared.contracts.billing.rpc import HoldAnswer
from shared.contracts.envelope import Data, Envelope, Received
from shared.contracts.errors import ServiceError
from shared.contracts.trades.events import TradeCancelled, TradeSettled
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now, to_rfc3339

T = TypeVar("T")
SYSTEM = Context(kind="system")


_TAILS = """
    SELECT p.tx_id FROM postings AS p LEFT JOIN checkpoints AS c
        ON c.account_id = p.account_id AND c.upto <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    WHERE p.version IS NULL AND p.xact >= coalesce(c.upto, 0)
"""


@dataclass(frozen=True)
class Trader:
    """Somebody with a demo account that holds 10,000.00, or a real one with nothing."""

    context: Context
    account_id: str
    currency: str

    @property
    def user_id(self) -> str:
        return self.context.require_user()


class Books:
    """Short words for what the tests do to the ledger, and for what they look at."""

    def __init__(self, db: Database, admin: Any) -> None:
        self.db, self.admin = db, admin
        self.tampered = False

    def trader(self, currency: str = "USD", user_id: str | None = None) -> Trader:
        context = Context(kind="user", user_id=user_id or new_id())
        answer = open_demo_account(self.db, context, currency=currency, now=get_utc_now())
        return Trader(context, answer["account"]["id"], currency)

    def real_trader(self, currency: str = "USD", user_id: str | None = None) -> Trader:
        context = Context(kind="user", user_id=user_id or new_id())
        asked = {"currency": currency, "metadata": None, "is_default": None, "user_id": None, "allow_unlinked": True}
        answer = sync_real_account(self.db, context, deriv_account_id=f"CR-{new_id()}", now=get_utc_now(), **asked)
        return Trader(context, answer["account"]["id"], currency)

    def hold(self, trader: Trader, amount: int, hold_id: str | None = None) -> HoldAnswer:
        return place_hold(
            self.db,
            trader.context,
            hold_id=hold_id or new_id(),
            account_id=trader.account_id,
            user_id=trader.user_id,
            amount=amount,
            currency=trader.currency,
            now=get_utc_now(),
        )

    def release(self, hold_id: str, caller: Context = SYSTEM) -> str:
        return release_hold(self.db, caller, hold_id=hold_id, reason="rejected", now=get_utc_now())["state"]

    @staticmethod
    def received(data: Data, subject: str, version: int = 1) -> Received[Data]:
        """An event as its handler gets it."""
        envelope = Envelope(
            id=new_id(),
            type=data.type,
            version=data.version,
            source=data.owner,
            subject=subject,
            subject_version=version,
            occurred_at=to_rfc3339(get_utc_now()),
            correlation_id=new_id(),
            data=schema.dump(data),
        )
        return Received(envelope, data)

    def settled(self, trader: Trader, trade_id: str, **amounts: int) -> Received[TradeSettled]:
        """The event of a trade that ended, by default held 1039 = stake 1000 + markup 39, paid out 1954."""
        return self.received(self._of(TradeSettled.example(), trader, trade_id, amounts), trade_id, 2)

    def cancelled(self, trader: Trader, trade_id: str, **changes: Any) -> Received[TradeCancelled]:
        """The event of the same trade voided, by default after it had its result."""
        return self.received(self._of(TradeCancelled.example(), trader, trade_id, changes), trade_id, 3)

    def _of(self, trade: Data, trader: Trader, trade_id: str, changes: dict[str, Any]) -> Data:
        with self.db.read() as tx:
            type_ = queries.find_account(tx, trader.account_id)["account_type"]
        whose = {"user_id": trader.user_id, "account_id": trader.account_id, "account_type": type_}
        return dataclasses.replace(trade, trade_id=trade_id, currency=trader.currency, **whose, **changes)

    def settle(self, *settled: Received[TradeSettled]) -> None:
        settle_trades(self.db, settled, now=get_utc_now())

    def void(self, *cancelled: Received[TradeCancelled]) -> None:
        void_trades(self.db, cancelled, now=get_utc_now())

    def post(self, *requests: LedgerTx) -> list[Posted]:
        with self.db.transaction() as tx:
            return ledger.post(tx, requests, now=get_utc_now())

    def transfer(self, trader: Trader, amount: int, ref: str | None = None, **changes: Any) -> LedgerTx:
        """A deposit of `amount` from the house's funding, to a demo account unless `environment` says otherwise."""
        environment = changes.get("environment", "demo")
        values = {
            "kind": "test_deposit",
            "ref": ref or new_id(),
            "environment": environment,
            "currency": trader.currency,
            "legs": [
                Leg(account=Account(trader.account_id), amount=amount, tx_type="ADJUSTMENT"),
                Leg(account=ledger.house(environment, trader.currency, "funding"), amount=-amount),
            ],
        }
        return LedgerTx(**{**values, **changes})

    def money(self, trader: Trader) -> tuple[int, int]:
        """Balance and held."""
        return self.one("SELECT balance, held FROM accounts WHERE id = %s", trader.account_id)

    def house(self, purpose: Any, currency: str = "USD", environment: Any = "demo") -> int:
        """Balance of a house account."""
        return self.balance(ledger.house(environment, currency, purpose))

    def balance(self, account: Account) -> int:
        """Balance of any account; one that nothing was posted to yet has none."""
        rows = self.rows("SELECT balance FROM account_balances WHERE account_id = %s", account.id)
        return int(rows[0][0]) if rows else 0

    def checkpoint(self) -> None:
        """Sums up until nothing is left: what still runs anywhere in the cluster is waited for."""

        def is_done() -> bool:
            checkpoint_accounts(self.db, now=get_utc_now())
            return not self.rows(_TAILS)

        eventually(is_done)

    def lines(self, trader: Trader, **filters: Any) -> list[tuple[str, str, str | None]]:
        """Type, amount and balance after of the account's statement lines, oldest first."""
        asked = {"user_id": None, "tx_type": None, "status": None, "limit": 100, "after": None, **filters}
        page = queries.list_transactions(self.db, trader.context, account_id=trader.account_id, **asked)
        return [(line["tx_type"], line["amount"], line["balance_after"]) for line in reversed(page["results"])]

    def told(self, type_: str) -> list[Envelope]:
        """Events in the outbox, in their order."""
        rows = self.rows("SELECT payload::jsonb FROM outbox WHERE routing_key = %s ORDER BY seq", type_)
        return [Envelope.from_json(row[0]) for row in rows]

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.admin.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall()) if cursor.description else []

    def one(self, query: str, *values: Any) -> Any:
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
        found = {one.name: self.rows(one.sql.replace("%", "%%")) for one in INVARIANTS}
        return {name: rows for name, rows in found.items() if rows}


@pytest.fixture
def books(database: Callable[[str], Database], sql: Callable[[str], Any]) -> Iterator[Books]:
    """An empty ledger; whatever a test did to it, it must add up at the end."""
    made = Books(database("billing"), sql("billing"))
    yield made
    if not made.tampered:
        assert made.violations() == {}


@pytest.fixture
def at_once(books: Books) -> Callable[..., list[Any]]:
    """Runs calls in as many threads, as the door does, and gives their answers or the codes of their refusals."""

    def attempt(call: Callable[[], T]) -> T | str:
        try:
            return run_again(call)
        except ServiceError as error:
            return error.code

    def run(*calls: Callable[[], T], threads: int = 25) -> list[T | str]:
        shared = books.db
        books.db = Database(shared.url.render_as_string(hide_password=False), pool_size=threads)
        try:
            with ThreadPoolExecutor(threads) as pool:
                return list(pool.map(attempt, calls))
        finally:
            books.db.close()
            books.db = shared

    return run
