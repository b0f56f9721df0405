"""What the life of a REAL trade with an affiliate costs: durable events, deliveries, commits; more is a decision.

Events of one trade are found by their correlation, so that nothing else on the stack is counted; commits are all that
the cluster made meanwhile, by the numbers that it gives to transactions that write.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest

from client.http import Http
from client.person import ENDED, Person
from client.traffic import MARKUP_PERCENT, Trader, new_affiliate
from shared.chassis.testing import eventually
from shared.contracts.envelope import EVENTS
from shared.devstack.registry import plan
from tests.flows.driver import Stack

plan()  # imports every owner's events

OPENED = {"trade_opened": 1}
SETTLED = {"trade_settled": 1, "commission_accrued": 1, "transaction_recorded": 2}
VOIDED_OPEN = {"trade_cancelled": 1}
VOIDED_SETTLED = {"trade_cancelled": 1, "commission_reversed": 1, "transaction_recorded": 2}
DELIVERIES_OF_A_LIFE = 11
# Three of the opening, one of its event, and then each reader's and each relay's: alone, nothing shares a commit.
COMMITS_OF_A_LIFE = 32
COMMITS_OF_A_VOID = 24


@dataclass
class Ledgers:
    """The databases of the stack, as a superuser sees them."""

    connections: dict[str, Any]

    def rows(self, service: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connections[service].cursor() as cursor:
            cursor.execute(query, values or None)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def events_of(self, correlation_id: str) -> Counter[tuple[str, str]]:
        """(owner, type) of every event that belongs together."""
        query = "SELECT routing_key FROM outbox WHERE payload::jsonb ->> 'correlation_id' = %s"
        return Counter((s, row[0]) for s in self.connections for row in self.rows(s, query, correlation_id))

    def transactions(self) -> int:
        """The number that the next transaction that writes will get."""
        return int(self.rows("trades", "SELECT pg_snapshot_xmax(pg_current_snapshot())::text")[0][0])

    def quiet(self) -> bool:
        """Nothing is on its way, and the audit trail is sealed."""
        unsent = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"
        waiting = self.rows("audit", "SELECT count(*) FROM unsealed")[0][0]
        return not waiting and all(self.rows(s, unsent)[0][0] == 0 for s in self.connections)


@pytest.fixture
def ledgers(stack: Stack) -> Iterator[Ledgers]:
    found = stack.status()["postgres"]
    base = found["admin_url"].rpartition("/")[0]
    with ExitStack() as open_ones:
        connections = {
            service: open_ones.enter_context(closing(psycopg2.connect(f"{base}/{name}")))
            for service, name in found["databases"].items()
        }
        for connection in connections.values():
            connection.autocommit = True
        yield Ledgers(connections)


@pytest.fixture
def business(stack: Stack, http: Http) -> tuple[Person, Trader]:
    """Staff, and a trader whose markup an affiliate earns."""
    login = stack.status()["staff"]
    staff = Person(http, login["username"], login["password"])
    staff.log_in()
    trader = Trader.ready(http, staff, new_affiliate(http, staff))
    person = trader.person

    def quoted() -> bool:
        quote = person.do("POST", "/trades/quotes", person.terms(trader.real))
        return bool(quote["markup_percent"] == str(MARKUP_PERCENT))

    eventually(quoted, timeout=20)
    return staff, trader


def correlation_of(ledgers: Ledgers, trade_id: str) -> str:
    query = "SELECT payload::jsonb ->> 'correlation_id' FROM outbox WHERE routing_key = 'trade_opened'"
    (row,) = ledgers.rows("trades", f"{query} AND payload::jsonb ->> 'subject' = %s", trade_id)
    return str(row[0])


def types(events: Counter[tuple[str, str]]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (_, type_), count in events.items():
        found[type_] += count
    return dict(found)


def deliveries(events: Counter[tuple[str, str]]) -> int:
    return sum(count * len(EVENTS[event].readers) for event, count in events.items())


def commits_of(ledgers: Ledgers, what: Callable[[], None], done: Callable[[], object]) -> int:
    eventually(ledgers.quiet, timeout=20)
    before = ledgers.transactions()
    what()
    eventually(done, timeout=30)
    eventually(ledgers.quiet, timeout=20)
    return ledgers.transactions() - before


def test_a_life_is_five_events_eleven_deliveries_and_few_commits(ledgers: Ledgers, business: Any) -> None:
    _, trader = business
    trades: list[str] = []
    commits = commits_of(
        ledgers,
        lambda: trades.append(trader.person.open(trader.person.terms(trader.real))["id"]),
        lambda: _earned(trader, trades[0]),
    )
    events = ledgers.events_of(correlation_of(ledgers, trades[0]))
    assert types(events) == {**OPENED, **SETTLED}
    assert deliveries(events) == DELIVERIES_OF_A_LIFE
    assert commits <= COMMITS_OF_A_LIFE


@pytest.mark.parametrize("settled", [False, True], ids=["open", "settled"])
def test_a_void_is_told_once_and_taken_back_by_whom_it_concerns(ledgers: Ledgers, business: Any, settled: bool) -> None:
    staff, trader = business
    trade_id = trader.person.open(trader.person.terms(trader.real, seconds=1 if settled else 3600))["id"]
    if settled:
        eventually(lambda: _earned(trader, trade_id), timeout=20)
    first = ledgers.events_of(correlation_of(ledgers, trade_id))
    before = {s: ledgers.rows(s, "SELECT count(*) FROM outbox")[0][0] for s in ledgers.connections}

    def void() -> None:
        staff.do("POST", f"/trades/{trade_id}/void", {"reason": "a test of costs"})

    commits = commits_of(ledgers, void, lambda: not settled or not _earned(trader, trade_id))
    assert commits <= COMMITS_OF_A_VOID
    query = "SELECT routing_key FROM outbox ORDER BY seq DESC LIMIT %s"
    news = Counter(
        row[0]
        for s, count in before.items()
        for row in ledgers.rows(s, query, ledgers.rows(s, "SELECT count(*) FROM outbox")[0][0] - count)
    )
    assert dict(news) == (VOIDED_SETTLED if settled else VOIDED_OPEN)
    assert types(first) == ({**OPENED, **SETTLED} if settled else OPENED)


def _earned(trader: Trader, trade_id: str) -> bool:
    """Its affiliate has what it earned, and the trade says so."""
    trade = trader.person.trade(trade_id)
    return trade["status"] in ENDED and trade["commission_applied"] != "0.00"
