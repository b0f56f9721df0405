"""A server under load: what a trader can ask of it, in whatever way it wants to be asked."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from benchmarks.bench.wire import Broken, Wire, request
from client.http import Http
from client.person import Person

STAKE = "1.00"
PREFILL = 25
"""Trades that every trader has before anything is measured: a list of 20 is full."""
_PARALLEL = 4
_UNMEASURED = 8
_AGAIN_SECONDS = 10.0
A = TypeVar("A")
B = TypeVar("B")


@dataclass
class Tally:
    """What was answered since the beginning of a run: seconds by request, and what was not."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)
    repeated: int = 0
    """Requests sent again with the same idempotency key, as the API tells clients to."""
    looks: int = 0
    """Requests that looked for effects: no part of any rate, but of the server's CPU."""
    lifecycles: list[float] = field(default_factory=list)
    """Seconds from the opening to its last effect, as far as that was followed."""
    after_expiry: list[float] = field(default_factory=list)
    """The part of it after the contract's own duration, where a contract has one."""
    most_unsettled: int = 0

    @property
    def requests(self) -> list[float]:
        return [one for many in self.seconds.values() for one in many]


@dataclass
class Trader:
    """Somebody who trades; `affiliate` is the number of the one who brought him."""

    person: Person
    account_id: str
    affiliate: int | None = None

    @property
    def bearer(self) -> str:
        """His access token; a stale one is renewed, which waits for the server."""
        return self.person.headers["Authorization"].removeprefix("Bearer ")


class Target(ABC):
    """`groups`: name → the process whose CPU and memory, with all that it started, are this server's."""

    name: str
    held = False
    """Whether a lifecycle ends some time after its last answer."""

    def __init__(self, port: int, groups: Mapping[str, int]) -> None:
        self.groups = dict(groups)
        self.http, self.wire = Http(port), Wire(port)
        self.tally = Tally()
        self.traders: list[Trader] = []
        self._tokens: dict[str, str] = {}

    # -- what a scenario does

    async def read(self, trader: Trader) -> bool:
        """The last 20 trades; whether that was answered."""
        return await self.get("read", "/trades?limit=20", trader) is not None

    async def dashboard(self, trader: Trader) -> bool:
        """All that he sees first; whether that was answered."""
        return await self.get("dashboard", "/dashboard", trader) is not None

    @abstractmethod
    async def open(self, trader: Trader) -> bool:
        """Opens a trade that stays open; whether it is."""

    @abstractmethod
    async def lifecycle(self, trader: Trader) -> bool:
        """A trade from its opening to its last effect (to be waited for with `finish`); whether it was opened."""

    # -- what goes on around it

    @abstractmethod
    def prepare(self, count: int) -> None:
        """Registers so many traders, each with money."""

    @abstractmethod
    async def prefill(self) -> list[str]:
        """Gives each trader `PREFILL` ended trades; what is still missing after a while."""

    async def begin(self, *, lifecycles: bool = False) -> None:
        """Before a run: new connections, fresh tokens, nothing counted; `lifecycles`: there will be some."""
        self._tokens = await asyncio.to_thread(lambda: {t.person.username: t.bearer for t in self.traders})
        self.wire.close()
        self.tally = Tally()

    async def finish(self) -> list[str]:
        """Waits until every effect shows; what is still missing after a while."""
        return []

    @abstractmethod
    async def tidy(self) -> list[str]:
        """Closes, unmeasured, what `open` has left; what is still missing after a while."""

    def close(self) -> None:
        self.http.close()

    # -- helpers

    async def get(self, what: str, path: str, trader: Trader) -> bytes | None:
        """A measured GET."""
        return await self.ask(what, request("GET", path, bearer=self.bearer_of(trader)))

    async def ask(self, what: str, raw: bytes, *, again: bool = False) -> bytes | None:
        """A measured request; the body of a good answer, else None, and an error is counted.

        `again`: it has an idempotency key, and is repeated for a while where the outcome is unknown.
        """
        begun = time.perf_counter()
        while True:
            try:
                status, body = await self.wire.send(raw)
            except Broken as error:
                status, body = 0, str(error).encode()
            if status in (200, 201):
                self.tally.seconds[what].append(time.perf_counter() - begun)
                return body
            unknown = status in (0, 503) or b"in_progress" in body
            if not (again and unknown and time.perf_counter() - begun < _AGAIN_SECONDS):
                break
            self.tally.repeated += 1
            await asyncio.sleep(0.05)
        name = f"{what} {status or 'no answer'}"
        self.tally.errors[name] += 1
        self.tally.samples.setdefault(name, body[:300].decode(errors="replace"))
        return None

    def bearer_of(self, trader: Trader) -> str:
        """As of the beginning of the run."""
        return self._tokens[trader.person.username]


def in_threads(work: Callable[[A], B], what: Iterable[A]) -> list[B]:
    """A few at a time: hashing passwords is the server's whole CPU."""
    with ThreadPoolExecutor(_PARALLEL) as pool:
        return list(pool.map(work, what))


async def few_at_a_time(work: Callable[[A], Awaitable[object]], what: Iterable[A]) -> None:
    """Unmeasured work of some size."""
    few = asyncio.Semaphore(_UNMEASURED)

    async def one(each: A) -> None:
        async with few:
            await work(each)

    await asyncio.gather(*map(one, what))
