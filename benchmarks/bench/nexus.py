"""Nexus as a target: a trade is opened by one request, and the services do the rest."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from benchmarks.bench.effects import Effects, Opened
from benchmarks.bench.target import PREFILL, STAKE, Target, Trader, few_at_a_time, in_threads
from benchmarks.bench.wire import Broken, request
from client.person import Person, new_key

AFFILIATES = 4
FOLLOWED = 0
"""The affiliate who has one trader in `_ONE_IN`; the others share the rest."""
_ONE_IN = 20
MARKUP_PERCENT = "2.00"
DEPOSIT = "10000.00"
OUTSTANDING = 1000
"""Trades at most that wait for their last effect: beyond, openings wait."""
_LONG, _SHORT = 3600, 1


class Nexus(Target):
    """Accounts are REAL ones: nobody earns anything from a DEMO trade."""

    name = "nexus"
    held = True

    def __init__(self, port: int, groups: Mapping[str, int], staff: Mapping[str, str]) -> None:
        super().__init__(port, groups)
        self._staff = Trader(Person(self.http, staff["username"], staff["password"]), "")
        self._left: list[Opened] = []

    def prepare(self, count: int) -> None:
        self.affiliates = in_threads(lambda _: self._affiliate(), range(AFFILIATES))
        self.traders = in_threads(self._trader, range(count))
        in_threads(self._until_quoted, self.traders)
        self._effects = Effects(self._look, self.affiliates, self._staff, followed=FOLLOWED)

    async def begin(self, *, lifecycles: bool = False) -> None:
        await super().begin(lifecycles=lifecycles)
        others = [*self.affiliates, self._staff]
        self._tokens |= await asyncio.to_thread(lambda: {one.person.username: one.bearer for one in others})
        self._watched = lifecycles
        if lifecycles:
            await self._effects.begin()

    async def finish(self) -> list[str]:
        missing = await self._effects.audited(self._left)
        if self._watched:
            missing += await self._effects.finish()
            self.tally.lifecycles, self.tally.after_expiry = self._effects.lifecycles, self._effects.after_expiry
            self.tally.most_unsettled = self._effects.most_unsettled
        return missing

    async def prefill(self) -> list[str]:
        await self.begin(lifecycles=True)
        await few_at_a_time(self.lifecycle, self.traders * PREFILL)
        return [*await self.finish(), *(f"{count} x {what}" for what, count in self.tally.errors.items())]

    # -- what a scenario does

    async def open(self, trader: Trader) -> bool:
        opened = await self._open(trader, _LONG)
        if opened is not None:
            self._left.append(opened)
        return opened is not None

    async def lifecycle(self, trader: Trader) -> bool:
        await self._effects.room(OUTSTANDING)
        opened = await self._open(trader, _SHORT)
        if opened is not None:
            self._effects.add(opened)
        return opened is not None

    async def tidy(self) -> list[str]:
        left, self._left = self._left, []
        if not left:
            return []
        await self._effects.begin()
        await few_at_a_time(self._close, left)
        return await self._effects.finish()

    async def _close(self, trade: Opened) -> None:
        path, staff = f"/trades/{trade.trade_id}/close", self.bearer_of(self._staff)
        raw = request("POST", path, bearer=staff, body={"payout": "0.00"}, key=new_key())
        if await self.ask("close", raw, again=True) is not None:
            self._effects.add(trade, follow=False)

    async def _open(self, trader: Trader, seconds: int) -> Opened | None:
        at = time.perf_counter()
        body = {"account_id": trader.account_id, "symbol": "1HZ100V", "contract_type": "CALL", "stake": STAKE}
        raw = request(
            "POST",
            "/trades",
            bearer=self.bearer_of(trader),
            body={**body, "duration_seconds": seconds},
            key=new_key(),
        )
        answer = await self.ask("open", raw, again=True)
        if answer is None:
            return None
        trade = json.loads(answer)
        expires = datetime.fromisoformat(trade["expires_at"]) if trade["expires_at"] else None
        return Opened(trader, trade["id"], Decimal(trade["markup_applied"] or 0), expires, at)

    async def _look(self, path: str, trader: Trader) -> bytes:
        self.tally.looks += 1
        status, body = await self.wire.send(request("GET", path, bearer=self.bearer_of(trader)))
        if status != 200:
            raise Broken(f"GET {path}: {status} {body[:200]!r}")
        return body

    # -- people

    def _affiliate(self) -> Trader:
        person = Person.register(self.http, name="affiliate")
        rule = {"referral_percent": "0.00", "markup_percent": MARKUP_PERCENT}
        self._staff.person.do("PUT", f"/commission/rules/{person.user_id}", rule)
        return Trader(person, person.open_real())

    def _trader(self, number: int) -> Trader:
        affiliate = FOLLOWED if number % _ONE_IN == 0 else 1 + number % (AFFILIATES - 1)
        person = Person.register(
            self.http, name="trader", referral_code=self.affiliates[affiliate].person.affiliate_code
        )
        account_id = person.open_real()
        self._staff.person.do("POST", f"/transactions/{person.deposit(account_id, DEPOSIT)}/complete")
        return Trader(person, account_id, affiliate)

    def _until_quoted(self, trader: Trader) -> None:
        """Rules, users and accounts travel to trades by events; a quote with the markup shows that they are there."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            quote = trader.person.do("POST", "/trades/quotes", trader.person.terms(trader.account_id))
            if quote["markup_percent"] == MARKUP_PERCENT:
                return
            time.sleep(0.1)
        raise TimeoutError(f"no markup in the quotes of {trader.person.username} after 20 s")
