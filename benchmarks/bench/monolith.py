"""The Django monolith as a target: a trade is opened and closed by two requests, each answered when all is done."""

from __future__ import annotations

import itertools
import json
import random
import time

from benchmarks.bench.target import PREFILL, STAKE, Target, Trader, few_at_a_time, in_threads
from benchmarks.bench.wire import request
from client.person import Person

AFFILIATES = 4
_PAYOUT = "1.95"


class Monolith(Target):
    """Accounts are DEMO ones; there, too, affiliates earn from them."""

    name = "monolith"

    def prepare(self, count: int) -> None:
        affiliates = in_threads(lambda _: self._register(None), range(AFFILIATES))
        self.traders = in_threads(
            lambda n: Trader(
                p := self._register(affiliates[n % AFFILIATES].affiliate_code), p.open_demo(), n % AFFILIATES
            ),
            range(count),
        )
        # An affiliate's commission goes to his account.
        in_threads(lambda person: person.open_demo(), affiliates)
        self._left: list[tuple[Trader, str]] = []

    def _register(self, code: str | None) -> Person:
        return Person.register(self.http, name="bench", referral_code=code)

    async def prefill(self) -> list[str]:
        await self.begin()
        await few_at_a_time(self.lifecycle, self.traders * PREFILL)
        return [f"{count} x {what}" for what, count in self.tally.errors.items()]

    async def open(self, trader: Trader) -> bool:
        trade_id = await self._open(trader)
        if trade_id is not None:
            self._left.append((trader, trade_id))
        return trade_id is not None

    async def lifecycle(self, trader: Trader) -> bool:
        begun = time.perf_counter()
        trade_id = await self._open(trader)
        if trade_id is None or not await self._close(trader, trade_id):
            return False
        self.tally.lifecycles.append(time.perf_counter() - begun)
        return True

    async def tidy(self) -> list[str]:
        left, self._left = self._left, []
        await few_at_a_time(lambda one: self._close(*one), left)
        return []

    async def _open(self, trader: Trader) -> str | None:
        body = {"account_id": trader.account_id, "contract_type": "CALL", "direction": "RISE", "stake": STAKE}
        raw = request("POST", "/trades", bearer=self.bearer_of(trader), body={**body, "duration_seconds": 60})
        answer = await self.ask("open", raw)
        return None if answer is None else str(json.loads(answer)["id"])

    async def _close(self, trader: Trader, trade_id: str) -> bool:
        body = {"payout": random.choice(("0.00", _PAYOUT)), "transaction_id": f"bench-{next(_numbers)}"}
        raw = request("POST", f"/trades/{trade_id}/close", bearer=self.bearer_of(trader), body=body)
        return await self.ask("close", raw) is not None


_numbers = itertools.count(1)
