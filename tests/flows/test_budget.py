"""What an operation may cost the whole stack: calls, events, deliveries, commits. More is a decision, made here.

Own commits are counted while the relay is stopped: then nobody hears of them, and nothing follows. What follows is
counted as a whole, and its commits are a bound: how many events share one depends on when they come. Were each handled
alone, there would be one for each delivery, one of a relay for each event, and up to one seal of the audit trail.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from client.http import Http
from client.person import Person
from client.traffic import MARKUP_PERCENT, Trader, new_affiliate
from shared.chassis.testing import eventually
from tests.flows.counting import Counting, counting
from tests.flows.driver import Stack

LIFE = {"trade_opened": 1, "trade_settled": 1, "transaction_recorded": 2, "commission_accrued": 1}
VOIDED_OPEN = {"trade_cancelled": 1}
VOIDED_SETTLED = {"trade_cancelled": 1, "transaction_recorded": 2, "commission_reversed": 1}
DEPOSIT = {"deposit_requested": 1, "deposit_completed": 1, "transaction_recorded": 1}
REPEATED = 3


@pytest.fixture
def count(stack: Stack) -> Iterator[Counting]:
    with counting(stack) as made:
        yield made


@pytest.fixture
def admin(stack: Stack, http: Http) -> Person:
    known = stack.status()["staff"]
    person = Person(http, known["username"], known["password"])
    person.log_in()
    return person


@pytest.fixture
def client(http: Http, admin: Person) -> Trader:
    """A trader with money on a real account, whose trades have a markup that an affiliate earns."""
    trader = Trader.ready(http, admin, new_affiliate(http, admin))

    def quoted() -> bool:
        quote = trader.person.do("POST", "/trades/quotes", trader.person.terms(trader.real))
        return bool(quote["markup_percent"] == str(MARKUP_PERCENT))

    eventually(quoted, timeout=20)
    return trader


@contextmanager
def nobody_told(stack: Stack) -> Iterator[None]:
    """The relay is stopped inside the block."""
    stack.verb("stop", "relay")
    try:
        yield
    finally:
        stack.verb("start", "relay")
        eventually(lambda: stack.status()["ready"], timeout=30)


def opened(client: Trader, seconds: int = 3600) -> str:
    return str(client.person.open(client.person.terms(client.real, stake="5.00", seconds=seconds))["id"])


def lived(client: Trader) -> str:
    """A trade whose affiliate has earned its markup."""
    trade_id = opened(client, seconds=1)
    path = "/transactions?tx_type=COMMISSION"
    eventually(lambda: trade_id in {line["reference"] for line in client.affiliate.all(path)}, timeout=30)
    return trade_id


def test_what_is_asked_for_is_committed_in_as_few_steps_as_can_be(
    stack: Stack, count: Counting, client: Trader, admin: Person
) -> None:
    trades: list[str] = []
    deposits: list[str] = []
    with nobody_told(stack):
        opening = count.of(lambda: trades.append(opened(client)), times=REPEATED)
        voiding = count.of(lambda: admin.do("POST", f"/trades/{trades.pop()}/void", {"reason": "test"}), times=REPEATED)
        asking = count.of(lambda: deposits.append(client.person.deposit(client.real, "10.00")), times=REPEATED)
        completing = count.of(lambda: admin.do("POST", f"/transactions/{deposits.pop()}/complete"), times=REPEATED)
    assert (opening.commits, opening.calls) == (3, {"trades.open_trade": 1, "billing.hold": 1})
    assert (voiding.commits, voiding.calls) == (1, {"trades.void_trade": 1})
    assert (asking.commits, asking.calls) == (1, {"billing.request_deposit": 1})
    assert (completing.commits, completing.calls) == (1, {"billing.complete_deposit": 1})


def test_the_life_of_a_real_trade_with_an_affiliate(count: Counting, client: Trader) -> None:
    cost = count.of(lambda: lived(client), times=2)
    assert (cost.events, cost.deliveries) == (LIFE, 11)
    assert cost.commits <= 28


@pytest.mark.parametrize(
    ("settled", "events", "deliveries", "commits"),
    [(False, VOIDED_OPEN, 4, 8), (True, VOIDED_SETTLED, 10, 20)],
    ids=["open", "settled"],
)
def test_a_void(
    count: Counting,
    client: Trader,
    admin: Person,
    settled: bool,
    events: dict[str, int],
    deliveries: int,
    commits: int,
) -> None:
    trade_id = lived(client) if settled else opened(client)
    cost = count.of(lambda: admin.do("POST", f"/trades/{trade_id}/void", {"reason": "a test of costs"}))
    assert (cost.events, cost.deliveries) == (events, deliveries)
    assert cost.commits <= commits


def test_a_deposit_that_is_not_the_first(count: Counting, client: Trader, admin: Person) -> None:
    def deposit() -> None:
        admin.do("POST", f"/transactions/{client.person.deposit(client.real, '10.00')}/complete")

    cost = count.of(deposit)
    assert cost.calls == {"billing.request_deposit": 1, "billing.complete_deposit": 1}
    assert (cost.events, cost.deliveries) == (DEPOSIT, 5)
    assert cost.commits <= 14
