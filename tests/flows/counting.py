"""What an operation costs a whole stack: commits that write, calls between processes, events and their deliveries."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg2

from shared.chassis.broker_api import BrokerApi
from shared.chassis.testing import eventually
from shared.chassis.topology import RPC_EXCHANGE
from shared.devstack.registry import SERVICES
from tests.flows.driver import Stack

_QUEUE = "budget-of-a-test"
_REST_SECONDS = 0.7


@dataclass(frozen=True)
class Cost:
    """`commits`: transactions that wrote, of all databases; `calls` by method; durable `events` by type."""

    commits: int
    calls: Counter[str]
    events: Counter[str]
    deliveries: int


class Counting:
    """Hears all that the broker is told, and reads how many transactions have written.

    Both count what anybody does: the stack must be at rest otherwise. A commit that only reads takes no number from
    the server, so sweeps that find nothing are not among them.
    """

    def __init__(self, api: BrokerApi, vhost: str, cursor: Any) -> None:
        self._api, self._vhost, self._cursor = api, quote(vhost, safe=""), cursor
        self._readers = {owner: self._bindings(f"{owner}.events") for owner in SERVICES}
        self._heard: list[tuple[str, str]] = []

    def of(self, work: Callable[[], object], *, times: int = 1) -> Cost:
        """The cost of `work` until the stack is at rest again; of several times the one with the fewest commits.

        Anything else that happens meanwhile only adds to it.
        """
        return min((self._of(work) for _ in range(times)), key=lambda cost: cost.commits)

    def rest(self) -> None:
        """Returns once nothing was written or said for a while."""
        seen, since = (-1, -1), time.monotonic()

        def quiet() -> bool:
            nonlocal seen, since
            self._listen()
            now = (self._next_xid(), len(self._heard))
            if now != seen:
                seen, since = now, time.monotonic()
            return time.monotonic() - since > _REST_SECONDS

        eventually(quiet, timeout=60)

    def _of(self, work: Callable[[], object]) -> Cost:
        self.rest()
        self._heard.clear()
        before = self._next_xid()
        work()
        self.rest()
        calls = Counter(key for exchange, key in self._heard if exchange == RPC_EXCHANGE and "." in key)
        told = [(exchange.removesuffix(".events"), key) for exchange, key in self._heard if exchange != RPC_EXCHANGE]
        deliveries = sum(self._readers[owner][key] for owner, key in told)
        return Cost(self._next_xid() - before, calls, Counter(key for _, key in told), deliveries)

    def _next_xid(self) -> int:
        self._cursor.execute("SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)")
        return int(self._cursor.fetchone()[0])

    def _listen(self) -> None:
        asked = {"count": 10_000, "ackmode": "ack_requeue_false", "encoding": "base64", "truncate": 1}
        found = self._api.call("POST", f"/queues/{self._vhost}/{_QUEUE}/get", asked)
        self._heard += [(message["exchange"], message["routing_key"]) for message in found]

    def _bindings(self, exchange: str) -> Counter[str]:
        """How many services read each event of an exchange."""
        found = self._api.call("GET", f"/exchanges/{self._vhost}/{exchange}/bindings/source")
        return Counter(binding["routing_key"] for binding in found if binding["destination"].endswith(".events"))


@contextmanager
def counting(stack: Stack) -> Iterator[Counting]:
    """A queue that hears every exchange, for as long as the block lasts."""
    status = stack.status()
    vhost = urlsplit(status["amqp"]["admin_url"]).path[1:]
    api, path = BrokerApi(status["amqp"]["api_url"]), quote(vhost, safe="")
    with closing(psycopg2.connect(status["postgres"]["admin_url"])) as connection:
        connection.autocommit = True
        made = Counting(api, vhost, connection.cursor())
        api.call("PUT", f"/queues/{path}/{_QUEUE}", {"durable": False, "auto_delete": False})
        try:
            for exchange in (RPC_EXCHANGE, *(f"{owner}.events" for owner in SERVICES)):
                api.call("POST", f"/bindings/{path}/e/{exchange}/q/{_QUEUE}", {"routing_key": "#"})
            yield made
        finally:
            api.call("DELETE", f"/queues/{path}/{_QUEUE}")
