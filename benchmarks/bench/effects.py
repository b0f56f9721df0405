"""When is a trade done? When what its affiliate earned from it shows over HTTP, and everything else that follows.

Watching must cost the server little. Each trade's markup is known from its opening, so the sum of an affiliate's
balance says how many of his trades are through. One affiliate in four has one trader in twenty: each of their trades is
looked for by its id among his credits, every 50 ms once it is due.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from benchmarks.bench.target import Trader
from benchmarks.bench.wire import Broken

PATIENCE = 60.0
_LOOK_SECONDS, _FOLLOW_SECONDS = 0.25, 0.05
_TAIL = 3

Look = Callable[[str, Trader], Awaitable[bytes]]
"""GET of a path by somebody; raises Broken for anything but 200."""


@dataclass(frozen=True)
class Opened:
    """An opened trade: `at` by our clock, the rest from its answer."""

    trader: Trader
    trade_id: str
    markup: Decimal
    expires_at: datetime | None
    at: float


@dataclass
class _Desk:
    """One affiliate since the beginning of a run."""

    affiliate: Trader
    before: Decimal
    due: Decimal = Decimal(0)
    credited: Decimal = Decimal(0)
    queue: deque[Decimal] = field(default_factory=deque)
    """Markups in the order of their openings, which is about that of their credits."""
    covered: Decimal = Decimal(0)
    followed: dict[str, Opened] = field(default_factory=dict)


class Effects:
    """Of all trades that are added between `begin` and `finish`. `followed` is the affiliate of whom each trade is."""

    def __init__(self, look: Look, affiliates: list[Trader], staff: Trader, *, followed: int) -> None:
        self._look, self._affiliates, self._staff, self._followed = look, affiliates, staff, followed
        self.unsettled = self.most_unsettled = 0
        self.lifecycles: list[float] = []
        self.after_expiry: list[float] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._moved = asyncio.Event()

    async def begin(self) -> None:
        """Notes where the affiliates stand, and watches them from now on."""
        self._desks = [_Desk(one, (await self._account(one))[0]) for one in self._affiliates]
        self._last: deque[Opened] = deque(maxlen=_TAIL)
        self._traders: dict[str, Trader] = {}
        self.unsettled = self.most_unsettled = self.without_markup = 0
        self.lifecycles, self.after_expiry = [], []
        watches = [self._watch(desk) for desk in self._desks] + [self._follow(self._desks[self._followed])]
        self._tasks = [asyncio.create_task(watch) for watch in watches]

    def add(self, trade: Opened, *, follow: bool = True) -> None:
        """Waits for the effects of this trade, too; `follow`: its affiliate's credit tells when."""
        self._last.append(trade)
        self._traders[trade.trader.account_id] = trade.trader
        if trade.trader.affiliate is None or not trade.markup:
            self.without_markup += 1
            return
        desk = self._desks[trade.trader.affiliate]
        desk.due += trade.markup
        desk.queue.append(trade.markup)
        self.unsettled += 1
        self.most_unsettled = max(self.most_unsettled, self.unsettled)
        if follow and trade.trader.affiliate == self._followed:
            desk.followed[trade.trade_id] = trade

    async def room(self, most: int) -> None:
        """Waits until fewer than `most` trades wait for their credit."""
        while self.unsettled >= most:
            self._moved.clear()
            await self._moved.wait()

    async def finish(self) -> list[str]:
        """Waits for every effect; what is still missing after `PATIENCE` seconds.

        Each affiliate is credited to the cent, no trader's money is held, and the last trades are in the notifications
        and in the audit trail: queues are worked off in order, so those of the others were there before.
        """
        wanted: list[tuple[str, Callable[[], Awaitable[bool]]]] = []
        wanted += [(f"credits of {d.affiliate.person.username}", lambda d=d: self._credited(d)) for d in self._desks]  # type: ignore[misc]
        wanted += [(f"holds of {t.person.username}", lambda t=t: self._free(t)) for t in self._traders.values()]  # type: ignore[misc]
        wanted += [(f"notification of {o.trade_id}", lambda o=o: self._told(o)) for o in self._last]  # type: ignore[misc]
        wanted += [(f"audit of {o.trade_id}", lambda o=o: self._audited(o, 2)) for o in self._last]  # type: ignore[misc]
        wanted += [("credits of trades that are followed", self._all_seen)]
        missing = await _all(wanted)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.without_markup:
            missing.append(f"markup of {self.without_markup} trades")
        return missing

    async def audited(self, opened: list[Opened]) -> list[str]:
        """Waits until the last of these openings are in the audit trail; what is missing."""
        return await _all([(f"audit of {o.trade_id}", lambda o=o: self._audited(o, 1)) for o in opened[-_TAIL:]])  # type: ignore[misc]

    # -- watching

    async def _watch(self, desk: _Desk) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self._credited(desk)

    async def _follow(self, desk: _Desk) -> None:
        while True:
            await asyncio.sleep(_FOLLOW_SECONDS)
            now = time.time()
            if not any(trade.expires_at and trade.expires_at.timestamp() < now for trade in desk.followed.values()):
                continue
            try:
                body = await self._look("/transactions?tx_type=COMMISSION&limit=50", desk.affiliate)
            except Broken:
                continue
            now, at = time.time(), time.perf_counter()
            for trade_id in [one for one in desk.followed if one.encode() in body]:
                trade = desk.followed.pop(trade_id)
                self.lifecycles.append(at - trade.at)
                if trade.expires_at:
                    self.after_expiry.append(now - trade.expires_at.timestamp())

    # -- what has to show

    async def _credited(self, desk: _Desk) -> bool:
        try:
            balance, _ = await self._account(desk.affiliate)
        except Broken:
            return False
        desk.credited = balance - desk.before
        while desk.queue and desk.covered + desk.queue[0] <= desk.credited:
            desk.covered += desk.queue.popleft()
            self.unsettled -= 1
            self._moved.set()
        return desk.credited == desk.due

    async def _all_seen(self) -> bool:
        return not self._desks[self._followed].followed

    async def _free(self, trader: Trader) -> bool:
        balance, available = await self._account(trader)
        return balance == available

    async def _told(self, trade: Opened) -> bool:
        return trade.trade_id.encode() in await self._look("/notifications?limit=100", trade.trader)

    async def _audited(self, trade: Opened, times: int) -> bool:
        body = await self._look(f"/audit?subject_id={trade.trade_id}", self._staff)
        return len(json.loads(body)["results"]) >= times

    async def _account(self, trader: Trader) -> tuple[Decimal, Decimal]:
        found = json.loads(await self._look(f"/accounts/{trader.account_id}", trader))
        return Decimal(found["balance"]), Decimal(found["available"])


async def _all(wanted: list[tuple[str, Callable[[], Awaitable[bool]]]]) -> list[str]:
    """Looks for each until it shows, a few at a time; the names of those that did not."""
    few, missing, until = asyncio.Semaphore(4), [], time.monotonic() + PATIENCE

    async def one(name: str, shows: Callable[[], Awaitable[bool]]) -> None:
        async with few:
            while True:
                try:
                    if await shows():
                        return
                except Broken as error:
                    name = f"{name} ({error})"
                if time.monotonic() > until:
                    missing.append(name)
                    return
                await asyncio.sleep(0.05)

    await asyncio.gather(*(one(*each) for each in wanted))
    return missing
